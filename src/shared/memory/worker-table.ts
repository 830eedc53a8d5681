/**
 * The worker table: one row per worker thread, padded to cache lines.
 *
 * A thread claims a row when it starts (its thread id in `thread`), the primary thread clears the rows of
 * threads that are gone. Counters are written by the owner only and summed by whoever reads them.
 *
 *   row w: [thread id, 0 = free][event-loop utilization, per mille][sessions][-], doubles: [pool hits][pool misses][delay of the event
 *          loop, ms: median, p99, maximum][heap bytes], then per node and kind [statements sent]
 */
import { maxNodes } from './node-table.js';
import { countedKinds, type CountedKind } from './statement-counts.js';

const headWords = 16;
const rowWords = headWords + maxNodes * countedKinds * 2;
const F = { thread: 0, utilization: 1, sessions: 2 } as const;
/** Doubles of the head. */
const D = { hits: 2, misses: 3, delayMedian: 4, delayP99: 5, delayMax: 6, heap: 7 } as const;

/** How a worker's thread is; zeros unless there is an HTTP port to ask for it. */
export interface ThreadHealth {
  /** Lateness of its event loop over the last seconds. */
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** JavaScript heap in use. */
  readonly heapBytes: number;
}

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

  /** Threads that serve. */
  get running(): number {
    let count = 0;
    for (let row = 0; row < this.size; row++) if (this.threadOf(row) !== 0) count++;
    return count;
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

  /** A session (or a question to the catalog) needed a link: an idle one was there, or one had to be opened. Owner only. */
  countCheckOut(row: number, isHit: boolean): void {
    const at = (row * rowWords) / 2 + (isHit ? D.hits : D.misses);
    this.counts[at] = (this.counts[at] ?? 0) + 1;
  }

  /** Check-outs by all workers since the start. */
  checkOuts(): { readonly hits: number; readonly misses: number } {
    let hits = 0;
    let misses = 0;
    for (let row = 0; row < this.size; row++) {
      hits += this.counts[(row * rowWords) / 2 + D.hits] ?? 0;
      misses += this.counts[(row * rowWords) / 2 + D.misses] ?? 0;
    }
    return { hits, misses };
  }

  /** Owner only. */
  setThreadHealth(row: number, { medianMs, p99Ms, maxMs, heapBytes }: ThreadHealth): void {
    const head = (row * rowWords) / 2;
    this.counts[head + D.delayMedian] = medianMs;
    this.counts[head + D.delayP99] = p99Ms;
    this.counts[head + D.delayMax] = maxMs;
    this.counts[head + D.heap] = heapBytes;
  }

  threadHealth(row: number): ThreadHealth {
    const get = (field: number): number => this.counts[(row * rowWords) / 2 + field] ?? 0;
    return { medianMs: get(D.delayMedian), p99Ms: get(D.delayP99), maxMs: get(D.delayMax), heapBytes: get(D.heap) };
  }

  /** One more statement of this kind was sent to the node (or one more error came from it). Owner only. */
  countStatement(row: number, node: number, kind: CountedKind): void {
    const at = (row * rowWords + headWords) / 2 + node * countedKinds + kind;
    this.counts[at] = (this.counts[at] ?? 0) + 1;
  }

  /** Statements of this kind sent to the node by all workers since the start (rows survive their threads). */
  statements(node: number, kind: CountedKind): number {
    let sum = 0;
    for (let row = 0; row < this.size; row++) sum += this.counts[(row * rowWords + headWords) / 2 + node * countedKinds + kind] ?? 0;
    return sum;
  }
}
