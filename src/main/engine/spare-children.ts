/**
 * Dynamic process management: keeps between min_spare_children and max_spare_children children waiting
 * (reference/semantics.md 5.3). The decision is made here, the workers start and stop their children.
 */
import { ChildState, type ChildTable } from '../../shared/memory/child-table.js';
import type { WorkerTable } from '../../shared/memory/worker-table.js';
import type { Broadcast } from '../../shared/messages.js';
import type { Settings } from '../../shared/settings.js';

export const cycleMs = 2_000;

/** How patient a strategy is: cycles above max_spare_children before the first stop, then between stops, and how many at a time. */
interface Patience {
  readonly firstCycles: number;
  readonly nextCycles: number;
  readonly stopAtOnce: number;
  /** How long an idle thread is kept: as long as the first stop takes. */
  readonly idleThreadMs: number;
}

export const patienceOf: Readonly<Record<Settings['process_management_strategy'], Patience>> = {
  aggressive: { firstCycles: 25, nextCycles: 2, stopAtOnce: 8, idleThreadMs: 50_000 },
  gentle: { firstCycles: 60, nextCycles: 5, stopAtOnce: 3, idleThreadMs: 120_000 },
  lazy: { firstCycles: 150, nextCycles: 10, stopAtOnce: 3, idleThreadMs: 300_000 },
};

export type SpareSettings = Pick<Settings, 'process_management_mode' | 'process_management_strategy' | 'min_spare_children' | 'max_spare_children'>;
type ChildrenMessage = Extract<Broadcast, { type: 'children' }>;

export class SpareChildren {
  private timer: NodeJS.Timeout | null = null;
  /** Cycles in a row with too many children waiting, and whether some were stopped already. */
  private cyclesAbove = 0;
  private stopping = false;

  constructor(
    private settings: SpareSettings,
    private readonly children: ChildTable,
    private readonly workers: WorkerTable,
    private readonly broadcast: (message: Broadcast) => void,
  ) {}

  /** Begins to look every 2 s; does nothing in static mode. */
  start(): void {
    this.stop();
    if (this.settings.process_management_mode !== 'dynamic') return;
    this.timer = setInterval(() => this.cycle(), cycleMs);
    this.timer.unref();
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }

  reload(settings: SpareSettings): void {
    this.settings = settings;
    this.start();
  }

  /** One look at the child table. */
  cycle(): void {
    const { min_spare_children: least, max_spare_children: most } = this.settings;
    const idle = this.count(ChildState.waiting);
    if (idle <= most) {
      this.cyclesAbove = 0;
      this.stopping = false;
    }
    if (idle < least) this.startChildren(least - idle + Math.floor(most / 4));
    else if (idle > most) this.stopSome(idle - most);
  }

  private stopSome(surplus: number): void {
    const patience = patienceOf[this.settings.process_management_strategy];
    this.cyclesAbove += 1;
    if (this.cyclesAbove < (this.stopping ? patience.nextCycles : patience.firstCycles)) return;
    this.cyclesAbove = 0;
    this.stopping = true;
    this.stopChildren(Math.min(surplus, patience.stopAtOnce));
  }

  /** The first workers get the new children: new clients are packed onto them, too. */
  private startChildren(wanted: number): void {
    let left = wanted;
    for (let worker = 0; worker < this.workers.size && left > 0; worker++) {
      if (this.workers.threadOf(worker) === 0) continue;
      const start = Math.min(left, this.countOf(worker, ChildState.stopped));
      if (start === 0) continue;
      this.send({ type: 'children', worker, start, stop: 0 });
      left -= start;
    }
  }

  private stopChildren(wanted: number): void {
    let left = wanted;
    for (let worker = this.workers.size - 1; worker >= 0 && left > 0; worker--) {
      const stop = Math.min(left, this.countOf(worker, ChildState.waiting));
      if (stop === 0) continue;
      this.send({ type: 'children', worker, start: 0, stop });
      left -= stop;
    }
  }

  private send(message: ChildrenMessage): void {
    this.broadcast(message);
  }

  private count(state: ChildState): number {
    let found = 0;
    for (let worker = 0; worker < this.workers.size; worker++) found += this.countOf(worker, state);
    return found;
  }

  private countOf(worker: number, state: ChildState): number {
    const { from, to } = this.children.rowsOf(worker);
    let found = 0;
    for (let row = from; row < to; row++) if (this.children.state(row) === state) found += 1;
    return found;
  }
}
