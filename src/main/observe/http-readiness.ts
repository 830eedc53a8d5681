/** GET /readyz: should clients be sent here? Decided from memory alone, without a database connection or a place in the pool. */
import type { Observed } from './http-observed.js';

export interface Readiness {
  /** Why not; empty when it is ready. */
  readonly reasons: readonly string[];
  /** What is wrong without being a reason to keep clients away. */
  readonly notes: readonly string[];
}

/**
 * Ready is who accepts clients, has room for one and has a node to serve it from. A missing primary is but a note: reads go on
 * without it, and every pgloom of a group would be missing it at the same time.
 */
export function readiness({ administration, admission, engine, isAccepting }: Observed): Readiness {
  const { nodes, workers, settings } = administration.sources();
  const reasons: string[] = [];
  if (!isAccepting()) reasons.push('clients are not accepted: pgloom starts or stops');
  if (nodes.main < 0) reasons.push('no node is alive');
  if (workers.running === 0) reasons.push('no worker thread runs');
  const { num_init_children, reserved_connections } = settings;
  const isReserved = reserved_connections > 0 && engine.sessions + 1 > num_init_children - reserved_connections;
  if (isReserved || admission.length >= admission.capacity) reasons.push('there is no place for another client');
  const lacksPrimary = settings.backend_clustering_mode === 'streaming_replication' && nodes.main >= 0 && (nodes.primary < 0 || !nodes.isAlive(nodes.primary));
  return { reasons, notes: lacksPrimary ? ['no primary is known: clients can only read'] : [] };
}

export function readinessText({ reasons, notes }: Readiness): string {
  const lines = reasons.length > 0 ? reasons.map((reason) => `not ready: ${reason}`) : ['ready'];
  return `${[...lines, ...notes.map((note) => `note: ${note}`)].join('\n')}\n`;
}
