/** Which node the reads of a session go to (semantics.md section 2). */
import type { NodeTable } from '../../shared/memory/node-table.js';
import type { Redirect } from '../../shared/routing/redirect-list.js';
import type { Backend, Settings } from '../../shared/settings.js';
import { isTooLate, leastDelayed } from './lateness.js';

/** Every node is down. */
export const nowhere = -1;

export class LoadBalance {
  /**
   * @param redirect what the session's user, database or application prefers
   * @param isUsable the node is alive and the session could reach it
   * @param random in [0, 1)
   */
  constructor(
    private readonly nodes: NodeTable,
    private readonly settings: Settings,
    private readonly redirect: Redirect | null,
    private readonly isUsable: (node: number) => boolean,
    private readonly random: () => number = Math.random,
  ) {}

  /** @param primary where writes go; it is chosen when there is nothing else */
  pick(primary: number): number {
    const node = this.suggested(primary) ?? this.byWeight(() => true) ?? this.mainNode(primary);
    if (node === primary || !this.settings.prefer_lower_delay_standby || !this.isTooLate(node)) return node;
    return this.fresher(primary) ?? primary;
  }

  isTooLate(node: number): boolean {
    return isTooLate(this.nodes, this.settings, node);
  }

  /** With prefer_lower_delay_standby: of the standbys that are not too late one of the least late; null when all are. */
  fresher(primary: number): number | null {
    const candidates = this.settings.backends.filter(({ id, weight }) => weight > 0 && id !== primary && this.isUsable(id)).map(({ id }) => id);
    const best = new Set(leastDelayed(this.nodes, this.settings, candidates));
    return this.byWeight((id) => best.has(id));
  }

  /** The node that a redirect list names, or whom its ratio leaves the session to; null when that node is down. */
  private suggested(primary: number): number | null {
    const { redirect } = this;
    if (redirect === null) return null;
    const { target } = redirect;
    const holds = this.random() < redirect.ratio;
    if (target === 'standby') return holds ? (this.byWeight((id) => id !== primary) ?? this.mainNode(primary)) : primary;
    const node = target === 'primary' ? primary : target;
    if (holds) return this.isUsable(node) ? node : null;
    return this.byWeight((id) => id !== node);
  }

  private byWeight(isWanted: (node: number) => boolean): number | null {
    const candidates = this.settings.backends.filter(({ id, weight }) => weight > 0 && isWanted(id) && this.isUsable(id));
    let rest = this.random() * candidates.reduce((sum, { weight }) => sum + weight, 0);
    let chosen: Backend | null = null;
    for (const candidate of candidates) {
      chosen = candidate;
      rest -= candidate.weight;
      if (rest < 0) break;
    }
    return chosen?.id ?? null;
  }

  /** The live node of the lowest id: whoever has no weight to go by reads there. */
  private mainNode(primary: number): number {
    return this.settings.backends.find(({ id }) => this.isUsable(id))?.id ?? primary;
  }
}
