/**
 * The worker table: one row per worker thread, padded to cache lines.
 *
 * A thread claims a row when it starts (its thread id in `thread`), the primary thread clears the rows of
 * threads that are gone. Counters are written by the owner only and summed by whoever reads them.
 *
 *   row w: [thread id, 0 = free][event-loop utilization, per mille][sessions][...] then, per node, select count
 */
import { maxNodes } from './node-table.js';

const headWords = 16;
const rowWords = headWords + maxNodes * 2;
const F = { thread: 0, utilization: 1, sessions: 2 } as const;

export class WorkerTable {
  readonly buffer: SharedArrayBuffer;
  private readonly words: Int32Array;
  /** Doubles: exact up to 2^53, and without a BigInt made for every SELECT. */
  private readonly counts: Float64Array;

  constructor(readonly size: number, buffer?: SharedArrayBuffer) {
    this.buffer = buffer ?? new SharedArrayBuffer(size * rowWords * 4);
    this.words = new Int32Array(this.buffer);
    this.counts = new Float64Array(this.buffer);
  }

  /** Takes a free row for the calling thread; throws when there are more threads than rows. */
  claim(threadId: number): number {
    for (let row = 0; row < this.size; row++) {
      if (Atomics.compareExchange(this.words, row * rowWords + F.thread, 0, threadId) === 0) return row;
    }
    throw new Error(`no free row in the worker table for thread ${threadId}`);
  }

  /** Gives back the rows of threads that are not in `alive`; returns the rows that were freed. */
  releaseGone(alive: ReadonlySet<number>): number[] {
    const freed: number[] = [];
    for (let row = 0; row < this.size; row++) {
      const thread = this.threadOf(row);
      if (thread === 0 || alive.has(thread)) continue;
      Atomics.store(this.words, row * rowWords + F.utilization, 0);
      Atomics.store(this.words, row * rowWords + F.sessions, 0);
      Atomics.store(this.words, row * rowWords + F.thread, 0);
      freed.push(row);
    }
    return freed;
  }

  threadOf(row: number): number {
    return Atomics.load(this.words, row * rowWords + F.thread);
  }

  /** Row of a thread, -1 when it has none yet. */
  rowOf(threadId: number): number {
    for (let row = 0; row < this.size; row++) if (this.threadOf(row) === threadId) return row;
    return -1;
  }

  /** Share of the time the worker's event loop was busy lately, 0 to 1. */
  utilization(row: number): number {
    return Atomics.load(this.words, row * rowWords + F.utilization) / 1000;
  }

  setUtilization(row: number, share: number): void {
    Atomics.store(this.words, row * rowWords + F.utilization, Math.round(share * 1000));
  }

  sessions(row: number): number {
    return Atomics.load(this.words, row * rowWords + F.sessions);
  }

  setSessions(row: number, count: number): void {
    Atomics.store(this.words, row * rowWords + F.sessions, count);
  }

  /** Adds to the number of SELECTs that the worker sent to the node. Owner only. */
  addSelects(row: number, node: number, count: number): void {
    const at = (row * rowWords + headWords) / 2 + node;
    this.counts[at] = (this.counts[at] ?? 0) + count;
  }

  /** SELECTs sent to the node by all workers since start (rows survive their threads). */
  selects(node: number): number {
    let sum = 0;
    for (let row = 0; row < this.size; row++) sum += this.counts[(row * rowWords + headWords) / 2 + node] ?? 0;
    return sum;
  }
}
