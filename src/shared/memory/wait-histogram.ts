/** A histogram in the memory of one thread, with the buckets of the latency table. */
import { bucketEndsSeconds, bucketOf, type Histogram } from './latency-table.js';

export class WaitHistogram implements Histogram {
  readonly counts = Array.from<number>({ length: bucketEndsSeconds.length + 1 }).fill(0);
  count = 0;
  sumMs = 0;

  note(durationMs: number): void {
    const bucket = bucketOf(durationMs);
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
    this.count += 1;
    this.sumMs += durationMs;
  }
}
