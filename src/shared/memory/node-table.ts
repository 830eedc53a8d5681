/**
 * The node table: what every thread knows about the PostgreSQL nodes.
 *
 * One writer, the primary thread; the workers read it at each check-out and each routed statement.
 * Every field is one 32-bit word read and written with Atomics, so no lock and no sequence is needed
 * as long as a reader takes one field at a time; `epoch` tells that something has changed since.
 * The delays are aligned doubles, which a 64-bit machine reads and writes whole.
 *
 *   header: [epoch][primary node id, -1 = none][node count][DDL generation]
 *   row n : [status][role][pg status][pg role][delay bytes (2 words)][state][sync][delay us (2 words)][changed s][detached]
 *
 * The statement counters are kept by the workers (see worker-table.ts) and summed by the reader.
 */

/** Backend states with Pgpool-II's numbers (semantics: 0 unused, 1 waiting, 2 up, 3 down). */
export const NodeStatus = { unused: 0, waiting: 1, up: 2, down: 3 } as const;
export type NodeStatus = (typeof NodeStatus)[keyof typeof NodeStatus];

/** What pgloom takes the node for: numbers as in PCP's node info. */
export const NodeRole = { main: 0, replica: 1, primary: 2, standby: 3 } as const;
export type NodeRole = (typeof NodeRole)[keyof typeof NodeRole];

/** What the server itself said when it was last asked. */
export const PgStatus = { unknown: 0, up: 1, down: 2 } as const;
export type PgStatus = (typeof PgStatus)[keyof typeof PgStatus];
export const PgRole = { unknown: 0, primary: 1, standby: 2 } as const;
export type PgRole = (typeof PgRole)[keyof typeof PgRole];

/** pg_stat_replication.state and .sync_state as small numbers; index 0 is "not known". */
export const replicationStates = ['', 'startup', 'catchup', 'streaming', 'backup', 'stopping'] as const;
export const syncStates = ['', 'async', 'potential', 'sync', 'quorum'] as const;

/** A delay that nobody measures: the checks are off, or the primary does not see the standby. */
export const delayUnknown = -1;
/** A delay that is measured, but of which nothing is known yet, or not any more. */
export const delayAwaited = -2;

export const maxNodes = 128;
const headerWords = 8;
const rowWords = 16;
const EPOCH = 0;
const PRIMARY = 1;
const COUNT = 2;
const DDL = 3;
const F = { status: 0, role: 1, pgStatus: 2, pgRole: 3, delayBytes: 4, state: 6, sync: 7, delayUs: 8, changed: 10, detached: 11 } as const;

export class NodeTable {
  readonly buffer: SharedArrayBuffer;
  private readonly words: Int32Array;
  /** The same memory, for the delays. */
  private readonly doubles: Float64Array;

  /** Wraps an existing buffer (in a worker) or makes a new one (in the primary thread). */
  constructor(buffer?: SharedArrayBuffer) {
    this.buffer = buffer ?? new SharedArrayBuffer((headerWords + maxNodes * rowWords) * 4);
    this.words = new Int32Array(this.buffer);
    this.doubles = new Float64Array(this.buffer);
    if (buffer !== undefined) return;
    this.words[PRIMARY] = -1;
    for (let node = 0; node < maxNodes; node++) {
      this.setDelayBytes(node, delayUnknown);
      this.setDelayUs(node, delayUnknown);
    }
  }

  /** Grows with every change; a worker that remembers it knows whether to look again. */
  get epoch(): number {
    return Atomics.load(this.words, EPOCH);
  }

  private touch(): void {
    Atomics.add(this.words, EPOCH, 1);
  }

  /** Number of configured slots: highest node id + 1. */
  get count(): number {
    return Atomics.load(this.words, COUNT);
  }

  setCount(count: number): void {
    Atomics.store(this.words, COUNT, count);
    this.touch();
  }

  /** Node id of the primary, -1 when none is known. */
  get primary(): number {
    return Atomics.load(this.words, PRIMARY);
  }

  setPrimary(node: number): void {
    // A promoted standby may lack the last DDL.
    if (Atomics.exchange(this.words, PRIMARY, node) !== node) this.noteDdl();
    this.touch();
  }

  /** Grows whenever DDL has passed through any worker: relation facts learnt before are doubtful. */
  get ddlGeneration(): number {
    return Atomics.load(this.words, DDL);
  }

  /** Any worker may call this. */
  noteDdl(): void {
    Atomics.add(this.words, DDL, 1);
  }

  private at(node: number, field: number): number {
    return headerWords + node * rowWords + field;
  }

  status(node: number): NodeStatus {
    return Atomics.load(this.words, this.at(node, F.status)) as NodeStatus;
  }

  /** Sets the status and, when it differs from the old one, the time of the change. */
  setStatus(node: number, status: NodeStatus, nowSeconds: number = Math.floor(Date.now() / 1000)): void {
    const old = Atomics.exchange(this.words, this.at(node, F.status), status);
    if (old !== status) Atomics.store(this.words, this.at(node, F.changed), nowSeconds);
    this.touch();
  }

  /** True when a client may be served from the node. */
  isAlive(node: number): boolean {
    const status = this.status(node);
    return status === NodeStatus.up || status === NodeStatus.waiting;
  }

  /** Lowest live node id ("main node"), -1 when all are down. */
  get main(): number {
    const count = this.count;
    for (let node = 0; node < count; node++) if (this.isAlive(node)) return node;
    return -1;
  }

  role(node: number): NodeRole {
    return Atomics.load(this.words, this.at(node, F.role)) as NodeRole;
  }

  setRole(node: number, role: NodeRole): void {
    Atomics.store(this.words, this.at(node, F.role), role);
    this.touch();
  }

  pgStatus(node: number): PgStatus {
    return Atomics.load(this.words, this.at(node, F.pgStatus)) as PgStatus;
  }

  pgRole(node: number): PgRole {
    return Atomics.load(this.words, this.at(node, F.pgRole)) as PgRole;
  }

  setPg(node: number, status: PgStatus, role: PgRole): void {
    Atomics.store(this.words, this.at(node, F.pgStatus), status);
    Atomics.store(this.words, this.at(node, F.pgRole), role);
  }

  /** Replication delay in bytes: WAL written by the primary and not replayed; or `delayUnknown`, `delayAwaited`. */
  delayBytes(node: number): number {
    return this.doubles[this.at(node, F.delayBytes) / 2] ?? delayUnknown;
  }

  /** Replication delay in microseconds: pg_stat_replication.replay_lag; or `delayUnknown`, `delayAwaited`. */
  delayUs(node: number): number {
    return this.doubles[this.at(node, F.delayUs) / 2] ?? delayUnknown;
  }

  setDelayBytes(node: number, delayBytes: number): void {
    this.doubles[this.at(node, F.delayBytes) / 2] = delayBytes;
  }

  setDelayUs(node: number, delayUs: number): void {
    this.doubles[this.at(node, F.delayUs) / 2] = delayUs;
  }

  replicationState(node: number): string {
    return replicationStates[Atomics.load(this.words, this.at(node, F.state))] ?? '';
  }

  syncState(node: number): string {
    return syncStates[Atomics.load(this.words, this.at(node, F.sync))] ?? '';
  }

  setReplication(node: number, state: string, sync: string): void {
    Atomics.store(this.words, this.at(node, F.state), Math.max(0, replicationStates.indexOf(state as '')));
    Atomics.store(this.words, this.at(node, F.sync), Math.max(0, syncStates.indexOf(sync as '')));
  }

  /** Unix time in seconds of the last change of status. */
  changedAt(node: number): number {
    return Atomics.load(this.words, this.at(node, F.changed)) >>> 0;
  }

  /** The operator has taken the node out of service: it stays down, whatever it answers, until it is attached. */
  isDetached(node: number): boolean {
    return Atomics.load(this.words, this.at(node, F.detached)) === 1;
  }

  setDetached(node: number, detached: boolean): void {
    Atomics.store(this.words, this.at(node, F.detached), detached ? 1 : 0);
    this.touch();
  }
}
