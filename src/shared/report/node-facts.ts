/** What is known of the nodes now, typed; SHOW POOL_NODES, PCP, metrics and the status page make their texts of it. */
import { NodeRole, NodeStatus, PgRole, PgStatus } from '../memory/node-table.js';
import type { CountedKind } from '../memory/statement-counts.js';
import { delayInForce } from '../replication-delay.js';
import { type Backend, normalizedWeights } from '../settings.js';
import type { ReportSources } from './sources.js';

export const statusText: Readonly<Record<NodeStatus, string>> = { [NodeStatus.unused]: 'unused', [NodeStatus.waiting]: 'waiting', [NodeStatus.up]: 'up', [NodeStatus.down]: 'down' };
export const roleText: Readonly<Record<NodeRole, string>> = { [NodeRole.main]: 'main', [NodeRole.replica]: 'replica', [NodeRole.primary]: 'primary', [NodeRole.standby]: 'standby' };
export const pgStatusText: Readonly<Record<PgStatus, string>> = { [PgStatus.unknown]: 'unknown', [PgStatus.up]: 'up', [PgStatus.down]: 'down' };
export const pgRoleText: Readonly<Record<PgRole, string>> = { [PgRole.unknown]: 'unknown', [PgRole.primary]: 'primary', [PgRole.standby]: 'standby' };

export interface NodeFacts {
  readonly id: number;
  readonly backend: Backend;
  readonly status: NodeStatus;
  readonly role: NodeRole;
  /** What the server said when it was last asked. */
  readonly pgStatus: PgStatus;
  readonly pgRole: PgRole;
  /** Share of the reads, 0 to 1. */
  readonly weight: number;
  /** How far it is behind: microseconds when `isTime`, else bytes; 0 for the primary. */
  readonly delay: { readonly isTime: boolean; readonly value: number };
  /** As in pg_stat_replication; '' when not known. */
  readonly replicationState: string;
  readonly syncState: string;
  /** Unix milliseconds of the last change of status. */
  readonly changedMs: number;
  /** The operator took it out of service. */
  readonly detached: boolean;
  /** Statements of this kind sent to it since the start, all workers together. */
  count(kind: CountedKind): number;
}

export function nodeFacts({ settings, nodes, workers }: ReportSources): NodeFacts[] {
  const weights = normalizedWeights(settings.backends);
  return settings.backends.map((backend) => {
    const { id } = backend;
    return {
      id,
      backend,
      status: nodes.status(id),
      role: nodes.role(id),
      pgStatus: nodes.pgStatus(id),
      pgRole: nodes.pgRole(id),
      weight: weights.get(id) ?? 0,
      delay: id === nodes.primary ? { isTime: false, value: 0 } : delayInForce(nodes, settings, id),
      replicationState: nodes.replicationState(id),
      syncState: nodes.syncState(id),
      changedMs: nodes.changedAt(id) * 1000,
      detached: nodes.isDetached(id),
      count: (kind) => workers.statements(id, kind),
    };
  });
}
