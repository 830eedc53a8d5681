/** The shared memory of one pgloom, made once by the primary thread; layouts in src/shared/memory. */
import { availableParallelism } from 'node:os';
import { loginSecret } from '../login-secret.js';
import { ChildTable } from '../../shared/memory/child-table.js';
import { HealthTable } from '../../shared/memory/health-table.js';
import { LatencyTable } from '../../shared/memory/latency-table.js';
import { LoginFailures } from '../../shared/memory/login-failures.js';
import { MutationTable } from '../../shared/memory/mutation-table.js';
import { NodeTable } from '../../shared/memory/node-table.js';
import { PasswordDoubts } from '../../shared/memory/password-doubts.js';
import { createRelationCache, type RelationCacheData } from '../../shared/memory/relation-cache.js';
import { WorkerTable } from '../../shared/memory/worker-table.js';
import type { AccessFiles, WorkerData } from '../../shared/messages.js';
import type { Settings } from '../../shared/settings.js';

export interface SharedTables {
  readonly nodes: NodeTable;
  readonly children: ChildTable;
  readonly workers: WorkerTable;
  readonly health: HealthTable;
  /** Null when there is no HTTP port: nobody measures then. */
  readonly latencies: LatencyTable | null;
  /** Null when enable_shared_relcache is off. */
  readonly relationCache: RelationCacheData | null;
  readonly mutations: MutationTable;
  readonly loginFailures: LoginFailures;
  readonly loginSecret: Uint8Array;
  readonly passwordDoubts: PasswordDoubts;
  readonly childIds: SharedArrayBuffer;
  readonly tickets: SharedArrayBuffer;
}

/**
 * Threads and children of each: num_init_children children dealt in equal blocks, the last block being smaller.
 * No thread is left without a child, so there may be fewer threads than worker_threads asks for.
 */
export function threadPlan(settings: Pick<Settings, 'num_init_children' | 'worker_threads'>): { threads: number; perWorker: number } {
  const wanted = settings.worker_threads === 0 ? availableParallelism() : settings.worker_threads;
  const perWorker = Math.ceil(settings.num_init_children / Math.min(wanted, settings.num_init_children));
  return { threads: Math.ceil(settings.num_init_children / perWorker), perWorker };
}

export function createSharedTables(settings: Settings): SharedTables {
  const { threads, perWorker } = threadPlan(settings);
  const mutations = new MutationTable(settings.track_table_mutation_table_size);
  mutations.setColdUntil(Date.now() + settings.track_table_mutation_cold_start_duration);
  return {
    nodes: new NodeTable(),
    children: new ChildTable(settings.num_init_children, perWorker),
    workers: new WorkerTable(threads),
    health: new HealthTable(),
    latencies: settings.http_port === 0 ? null : new LatencyTable(threads),
    // relcache_size is for each kind of fact; here relations and functions share the room.
    relationCache: settings.enable_shared_relcache ? createRelationCache(settings.relcache_size * 2) : null,
    mutations,
    loginFailures: new LoginFailures(),
    loginSecret: loginSecret(settings),
    passwordDoubts: new PasswordDoubts(),
    childIds: new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT),
    tickets: new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT * settings.num_init_children),
  };
}

/** What every worker thread gets as workerData. */
export function workerDataOf(tables: SharedTables, settings: Settings, access: AccessFiles): WorkerData {
  const { nodes, children, workers, health, latencies, relationCache, mutations, loginFailures, loginSecret, passwordDoubts, childIds, tickets } = tables;
  return {
    settings,
    access,
    nodeTable: nodes.buffer,
    childTable: { buffer: children.buffer, size: children.size, perWorker: children.perWorker },
    workerTable: { buffer: workers.buffer, size: workers.size },
    healthTable: health.buffer,
    latencyTable: latencies?.buffer ?? null,
    relationCache,
    mutations: { buffer: mutations.buffer, size: mutations.size },
    loginFailures: loginFailures.buffer,
    loginSecret,
    passwordDoubts: passwordDoubts.buffer,
    childIds,
    tickets,
  };
}
