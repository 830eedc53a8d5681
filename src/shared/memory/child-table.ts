/**
 * The child table: one row per child (client slot), `num_init_children` of them.
 *
 * Rows are dealt to workers in blocks: worker w owns rows [w * perWorker, (w + 1) * perWorker), cut at
 * num_init_children. One writer per row: the owning worker (the primary thread only clears the rows of a
 * dead worker). Readers (SHOW POOL_*, PCP, cancel, spare-children keeper) may see a row half changed; every
 * reader copes with that, because nothing here decides which rows of a result a client gets.
 *
 * Times are Unix milliseconds as float64. Texts are UTF-8, NUL padded, cut to their field.
 */

/** not started → waiting (idle, free for a client) → connecting → idle / executing / in transaction → waiting */
export const ChildState = { stopped: 0, waiting: 1, connecting: 2, idle: 3, idleInTransaction: 4, executing: 5 } as const;
export type ChildState = (typeof ChildState)[keyof typeof ChildState];

/** Words of SHOW POOL_PROCESSES for the states. */
export const childStateText: readonly string[] = ['', 'Wait for connection', 'Connecting', 'Idle', 'Idle in transaction', 'Execute command'];

const rowBytes = 512;
const W = { id: 0, state: 1, served: 2, loadBalanceNode: 3, poolCounter: 4, key: 5, port: 6, backendPid: 7 } as const;
const D = { started: 8, backendConnected: 9, clientConnected: 10, lastActivity: 11 } as const;
const T = {
  database: [96, 64],
  user: [160, 64],
  host: [224, 64],
  application: [288, 64],
} as const;
/** Thirty-two bytes of secret beside the 4-byte cancel key, for protocol 3.2. */
const secretAt = 352;
export const secretBytes = 32;

export class ChildTable {
  readonly buffer: SharedArrayBuffer;
  private readonly words: Int32Array;
  private readonly doubles: Float64Array;
  private readonly bytes: Uint8Array;

  constructor(readonly size: number, readonly perWorker: number, buffer?: SharedArrayBuffer) {
    this.buffer = buffer ?? new SharedArrayBuffer(size * rowBytes);
    this.words = new Int32Array(this.buffer);
    this.doubles = new Float64Array(this.buffer);
    this.bytes = new Uint8Array(this.buffer);
  }

  /** First row and one past the last row of a worker. */
  rowsOf(worker: number): { from: number; to: number } {
    return { from: Math.min(this.size, worker * this.perWorker), to: Math.min(this.size, (worker + 1) * this.perWorker) };
  }

  workerOf(row: number): number {
    return Math.floor(row / this.perWorker);
  }

  private w(row: number, field: number): number {
    return row * (rowBytes / 4) + field;
  }

  /** The number shown where Pgpool-II shows a process id; new each time the child's life starts again. */
  id(row: number): number {
    return Atomics.load(this.words, this.w(row, W.id));
  }

  /** Row whose child has this id, -1 when there is none. */
  rowOfId(id: number): number {
    for (let row = 0; row < this.size; row++) if (this.id(row) === id && this.state(row) !== ChildState.stopped) return row;
    return -1;
  }

  state(row: number): ChildState {
    return Atomics.load(this.words, this.w(row, W.state)) as ChildState;
  }

  /** A plain store: this is called for every statement, and readers only show it to people. */
  setState(row: number, state: ChildState): void {
    this.words[this.w(row, W.state)] = state;
  }

  /** Starts a life: new id, start time, no clients served. */
  start(row: number, id: number, nowMs: number): void {
    this.clearClient(row);
    this.words[this.w(row, W.served)] = 0;
    this.doubles[(row * rowBytes) / 8 + D.started] = nowMs;
    Atomics.store(this.words, this.w(row, W.id), id);
    Atomics.store(this.words, this.w(row, W.state), ChildState.waiting);
  }

  /** Ends a life; the row shows nothing until `start`. */
  stop(row: number): void {
    this.bytes.fill(0, row * rowBytes, (row + 1) * rowBytes);
  }

  startedAt(row: number): number {
    return this.doubles[(row * rowBytes) / 8 + D.started] ?? 0;
  }

  /** Clients served in this life ("client_connection_count"). */
  served(row: number): number {
    return Atomics.load(this.words, this.w(row, W.served));
  }

  countServed(row: number): void {
    Atomics.add(this.words, this.w(row, W.served), 1);
  }

  loadBalanceNode(row: number): number {
    return Atomics.load(this.words, this.w(row, W.loadBalanceNode));
  }

  setLoadBalanceNode(row: number, node: number): void {
    Atomics.store(this.words, this.w(row, W.loadBalanceNode), node);
  }

  poolCounter(row: number): number {
    return Atomics.load(this.words, this.w(row, W.poolCounter));
  }

  /** When the session's backend link was opened, and how many sessions have used it. */
  setBackend(row: number, connectedMs: number, poolCounter: number, backendPid: number): void {
    this.doubles[(row * rowBytes) / 8 + D.backendConnected] = connectedMs;
    this.words[this.w(row, W.poolCounter)] = poolCounter;
    this.words[this.w(row, W.backendPid)] = backendPid;
  }

  backendConnectedAt(row: number): number {
    return this.doubles[(row * rowBytes) / 8 + D.backendConnected] ?? 0;
  }

  backendPid(row: number): number {
    return Atomics.load(this.words, this.w(row, W.backendPid));
  }

  clientConnectedAt(row: number): number {
    return this.doubles[(row * rowBytes) / 8 + D.clientConnected] ?? 0;
  }

  lastActivity(row: number): number {
    return this.doubles[(row * rowBytes) / 8 + D.lastActivity] ?? 0;
  }

  setLastActivity(row: number, nowMs: number): void {
    this.doubles[(row * rowBytes) / 8 + D.lastActivity] = nowMs;
  }

  /** A client has taken the child: who it is and from where. `secret` proves the right to cancel. */
  setClient(row: number, client: { database: string; user: string; host: string; port: number; application: string; connectedMs: number; secret: Uint8Array }): void {
    this.putText(row, T.database, client.database);
    this.putText(row, T.user, client.user);
    this.putText(row, T.host, client.host);
    this.putText(row, T.application, client.application);
    this.words[this.w(row, W.port)] = client.port;
    this.doubles[(row * rowBytes) / 8 + D.clientConnected] = client.connectedMs;
    this.bytes.set(client.secret.subarray(0, secretBytes), row * rowBytes + secretAt);
  }

  /** The client has left. */
  clearClient(row: number): void {
    const base = row * rowBytes;
    this.bytes.fill(0, base + T.database[0], base + secretAt + secretBytes);
    this.words[this.w(row, W.port)] = 0;
    this.words[this.w(row, W.loadBalanceNode)] = -1;
    this.setBackend(row, 0, 0, 0);
    this.doubles[base / 8 + D.clientConnected] = 0;
  }

  secret(row: number): Uint8Array {
    return this.bytes.slice(row * rowBytes + secretAt, row * rowBytes + secretAt + secretBytes);
  }

  database(row: number): string {
    return this.text(row, T.database);
  }

  user(row: number): string {
    return this.text(row, T.user);
  }

  host(row: number): string {
    return this.text(row, T.host);
  }

  application(row: number): string {
    return this.text(row, T.application);
  }

  port(row: number): number {
    return Atomics.load(this.words, this.w(row, W.port));
  }

  private putText(row: number, [at, size]: readonly [number, number], text: string): void {
    const field = this.bytes.subarray(row * rowBytes + at, row * rowBytes + at + size);
    field.fill(0);
    const utf8 = Buffer.from(text, 'utf8');
    field.set(utf8.subarray(0, size - 1));
  }

  private text(row: number, [at, size]: readonly [number, number]): string {
    const field = this.bytes.slice(row * rowBytes + at, row * rowBytes + at + size);
    const end = field.indexOf(0);
    return Buffer.from(field.subarray(0, end < 0 ? size : end)).toString('utf8');
  }
}
