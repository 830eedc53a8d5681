/**
 * The latency table: how long the nodes took to answer, as histograms. Only there when there is an HTTP port to ask for it.
 *
 *   row w (one writer: worker w) : per node, per class : count of each bucket …, sum of all times in ms   (doubles)
 *
 * An exchange is what a client has sent until everything asked is answered: a query, a batch up to its Sync, or several of
 * them when the client does not wait for the answers. Rows survive their threads, so that no count ever goes down. A
 * reader may see a bucket of an exchange without its time: good enough for statistics.
 */
import { CountedKind, countsNothing } from './statement-counts.js';
import { maxNodes } from './node-table.js';

/** An exchange is what the gravest of its statements is. `other`: transaction control, SET, SHOW, a Parse alone … */
export const ExchangeClass = { other: 0, read: 1, write: 2 } as const;
export type ExchangeClass = (typeof ExchangeClass)[keyof typeof ExchangeClass];
export const exchangeClasses = ['other', 'read', 'write'] as const;

export function exchangeClassOf(kind: CountedKind | typeof countsNothing): ExchangeClass {
  if (kind === CountedKind.select) return ExchangeClass.read;
  return kind === countsNothing || kind >= CountedKind.other ? ExchangeClass.other : ExchangeClass.write;
}

/** The first bucket ends at 2^6 = 64 µs, the last but one at 2^25 µs = 33.6 s; the last one has no end. */
const firstPower = 6;
const lastPower = 25;
/** Upper bounds of the buckets but the last, in seconds; a time equal to a bound belongs to its bucket. */
export const bucketEndsSeconds: readonly number[] = Array.from({ length: lastPower - firstPower + 1 }, (_, i) => 2 ** (firstPower + i) / 1e6);
const buckets = bucketEndsSeconds.length + 1;

/** Bucket of a time. */
export function bucketOf(durationMs: number): number {
  const powerOfTwo = 32 - Math.clz32(Math.ceil(Math.min(durationMs * 1000, 2 ** 31)) - 1);
  if (powerOfTwo <= firstPower || durationMs <= 0) return 0;
  return powerOfTwo > lastPower ? buckets - 1 : powerOfTwo - firstPower;
}

const setDoubles = buckets + 1;
const nodeDoubles = setDoubles * exchangeClasses.length;
const rowDoubles = nodeDoubles * maxNodes;

export interface Histogram {
  /** One for each of `bucketEndsSeconds`, and one more for all that is longer; not accumulated. */
  readonly counts: readonly number[];
  readonly count: number;
  readonly sumMs: number;
}

export class LatencyTable {
  readonly buffer: SharedArrayBuffer;
  private readonly doubles: Float64Array;

  /** @param size worker rows, as in the worker table */
  constructor(readonly size: number, buffer?: SharedArrayBuffer) {
    this.buffer = buffer ?? new SharedArrayBuffer(size * rowDoubles * Float64Array.BYTES_PER_ELEMENT);
    this.doubles = new Float64Array(this.buffer);
  }

  /** One more exchange. Owner of the row only. */
  note(row: number, node: number, kind: ExchangeClass, durationMs: number): void {
    const at = row * rowDoubles + node * nodeDoubles + kind * setDoubles;
    const bucket = at + bucketOf(durationMs);
    this.doubles[bucket] = (this.doubles[bucket] as number) + 1;
    this.doubles[at + buckets] = (this.doubles[at + buckets] as number) + durationMs;
  }

  /** All workers together. */
  histogram(node: number, kind: ExchangeClass): Histogram {
    const counts = Array.from<number>({ length: buckets }).fill(0);
    let sumMs = 0;
    for (let row = 0; row < this.size; row++) {
      const at = row * rowDoubles + node * nodeDoubles + kind * setDoubles;
      for (let i = 0; i < buckets; i++) counts[i] = (counts[i] as number) + (this.doubles[at + i] as number);
      sumMs += this.doubles[at + buckets] as number;
    }
    return { counts, count: counts.reduce((sum, one) => sum + one, 0), sumMs };
  }
}
