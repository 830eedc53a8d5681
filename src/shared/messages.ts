/**
 * Every message that crosses a thread, in one place.
 *
 *   primary ──Piscina task──▶ worker   HandOver (one per accepted client) → SessionEnd when the session is over
 *   primary ──broadcast─────▶ workers  Broadcast (settings, ticket keys, children, cancel, rows wanted, shutdown)
 *   worker  ──parentPort────▶ primary  Report (a node failed, rows, a crash)
 *
 * Facts that change often (node states, child states, counters) are not messages: they are in src/shared/memory.
 */
import type { Settings } from './settings.js';
import type { HbaRule } from './auth/hba.js';
import type { RelationCacheData } from './memory/relation-cache.js';
import type { TlsMaterials } from './tls/materials.js';

/** Name of the BroadcastChannel that reaches every worker of this process; the process id keeps instances apart. */
export const broadcastName = `pgloom-${process.pid}`;

/** An accepted client. The descriptor is a duplicate that the worker owns from here on. */
export interface HandOver {
  readonly fd: number;
  readonly transport: 'tcp' | 'unix';
  /** Address of the peer, '' for a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly acceptedMs: number;
  /**
   * Bytes that the primary thread has already read while the client waited in the queue; the worker treats them as
   * if it had just read them. Empty for a client that did not wait. At most some 64 kB.
   */
  readonly head: Uint8Array;
}

/** As the worker gets it. */
export interface Task extends HandOver {
  /**
   * Word in `WorkerData.tickets`: 1 while the descriptor is still the primary thread's to care for. The worker sets it to 0 when it
   * has taken the client, so that a thread that dies in between loses no client.
   */
  readonly ticket: number;
}

/** What a finished session reports to the primary thread. */
export interface SessionEnd {
  /** Why it ended; only for the log. */
  readonly reason: string;
}

/** The access files, read and checked by the primary thread. Never logged. */
export interface AccessFiles {
  /** Rules of pool_hba.conf in order; empty when enable_pool_hba is off. */
  readonly hba: readonly HbaRule[];
  /** pool_passwd: user → stored password: plain, TEXT…, md5…, SCRAM-SHA-256$…; AES… only when it could not be decrypted. */
  readonly passwords: ReadonlyMap<string, string>;
  /** Passwords of pgpool.conf that are encrypted there: `AES…` as written → `TEXT…`. See configuredPassword. */
  readonly decrypted: ReadonlyMap<string, string>;
  /** Certificates and keys. */
  readonly tls: TlsMaterials;
}

/** Given to each worker thread once, as workerData. */
export interface WorkerData {
  readonly settings: Settings;
  readonly access: AccessFiles;
  readonly nodeTable: SharedArrayBuffer;
  readonly childTable: { readonly buffer: SharedArrayBuffer; readonly size: number; readonly perWorker: number };
  readonly workerTable: { readonly buffer: SharedArrayBuffer; readonly size: number };
  readonly healthTable: SharedArrayBuffer;
  /** Null when there is no HTTP port: nobody measures then. */
  readonly latencyTable: SharedArrayBuffer | null;
  /** Tables written lately, for dml_adaptive_global. */
  readonly mutations: { readonly buffer: SharedArrayBuffer; readonly size: number };
  readonly loginFailures: SharedArrayBuffer;
  /** Salts of SCRAM are made with it, also those of users who do not exist. Never shown. */
  readonly loginSecret: Uint8Array;
  /** Failed logins by user, for the answers of auth_query that workers keep. */
  readonly passwordDoubts: SharedArrayBuffer;
  /** Null when enable_shared_relcache is off. */
  readonly relationCache: RelationCacheData | null;
  /** One Int32: the last child id given out. */
  readonly childIds: SharedArrayBuffer;
  /** One Int32 for each client under way to a worker or served; see Task. */
  readonly tickets: SharedArrayBuffer;
}

/** Primary (or, for `cancel` and `wantRows`, a worker) to all workers. */
export type Broadcast =
  | { readonly type: 'settings'; readonly settings: Settings; readonly access: AccessFiles }
  /** New keys for session tickets between two reloads. Never logged. */
  | { readonly type: 'ticketKeys'; readonly keys: Uint8Array }
  /** Start or stop idle children of one worker (dynamic process management). */
  | { readonly type: 'children'; readonly worker: number; readonly start: number; readonly stop: number }
  /**
   * Cancel what the session of this child runs. The sender has compared the whole key; its first four bytes go along because
   * by the time this arrives the child may serve another client.
   */
  | { readonly type: 'cancel'; readonly worker: number; readonly childRow: number; readonly childId: number; readonly key: number }
  /** SHOW POOL_POOLS, PCP, the status page: every other worker answers with a `rows` broadcast carrying the same request id. */
  | { readonly type: 'wantRows'; readonly request: string }
  | { readonly type: 'rows'; readonly request: string; readonly worker: number; readonly packed: Uint8Array }
  /** The primary thread's answer to an `administer` of this worker: a packed PcpAnswer. */
  | { readonly type: 'administered'; readonly worker: number; readonly request: string; readonly packed: Uint8Array }
  /** smart: end when the clients have left; fast: end the sessions with 57P01 now. */
  | { readonly type: 'shutdown'; readonly mode: 'smart' | 'fast' };

/** Worker to primary, through parentPort (Piscina's `message` event). */
export type Report =
  /** The worker has claimed its row and serves. */
  | { readonly type: 'ready'; readonly worker: number; readonly threadId: number }
  /** A connection to the node could not be made or broke; the primary thread looks for itself and decides. */
  | { readonly type: 'nodeFailed'; readonly node: number; readonly reason: string }
  /** A session's statement calls functions of pgpool_adm: a packed PcpRequest, answered by `administered`. Never logged. */
  | { readonly type: 'administer'; readonly worker: number; readonly request: string; readonly packed: Uint8Array }
  /** Sent from the crash hook just before the thread dies. */
  | { readonly type: 'crashed'; readonly worker: number; readonly stack: string; readonly sessions: number };
