/**
 * The health-check table: what the checks of each node have found since the start.
 *
 * One writer, the primary thread. All fields are doubles, so that each is read whole; a reader may see the fields of
 * two checks mixed, which is good enough for statistics.
 */
import { maxNodes } from './node-table.js';

const rowDoubles = 16;
const F = { total: 0, success: 1, fail: 2, skip: 3, retry: 4, maxRetry: 5, maxMs: 6, minMs: 7, sumMs: 8, last: 9, lastSuccess: 10, lastSkip: 11, lastFail: 12 } as const;

/** How a check ended. `skip`: the node is down, so it was not checked. */
export type CheckResult = 'success' | 'fail' | 'skip';

export interface HealthCounts {
  readonly total: number;
  readonly success: number;
  readonly fail: number;
  readonly skip: number;
  /** Further attempts of all checks together, and of the check that needed most. */
  readonly retry: number;
  readonly maxRetry: number;
  /** Durations of the checks that were made, attempts and the pauses between them included. */
  readonly maxMs: number;
  readonly minMs: number;
  readonly sumMs: number;
  /** Unix milliseconds, 0 = never. */
  readonly lastMs: number;
  readonly lastSuccessMs: number;
  readonly lastSkipMs: number;
  readonly lastFailMs: number;
}

export class HealthTable {
  readonly buffer: SharedArrayBuffer;
  private readonly doubles: Float64Array;

  constructor(buffer?: SharedArrayBuffer) {
    this.buffer = buffer ?? new SharedArrayBuffer(maxNodes * rowDoubles * Float64Array.BYTES_PER_ELEMENT);
    this.doubles = new Float64Array(this.buffer);
  }

  /**
   * Notes one check of a node. Only the primary thread may.
   * @param durationMs of the whole check; not looked at when it was skipped
   */
  note(node: number, result: CheckResult, retries: number, durationMs: number, nowMs: number): void {
    const at = node * rowDoubles;
    this.add(at + F.total, 1);
    this.add(at + F[result], 1);
    this.doubles[at + F.last] = nowMs;
    this.doubles[at + (result === 'success' ? F.lastSuccess : result === 'fail' ? F.lastFail : F.lastSkip)] = nowMs;
    if (result === 'skip') return;
    const isFirst = this.get(at + F.success) + this.get(at + F.fail) === 1;
    this.add(at + F.retry, retries);
    this.add(at + F.sumMs, durationMs);
    this.doubles[at + F.maxRetry] = Math.max(this.get(at + F.maxRetry), retries);
    this.doubles[at + F.maxMs] = Math.max(this.get(at + F.maxMs), durationMs);
    this.doubles[at + F.minMs] = isFirst ? durationMs : Math.min(this.get(at + F.minMs), durationMs);
  }

  counts(node: number): HealthCounts {
    const get = (field: number): number => this.get(node * rowDoubles + field);
    return {
      total: get(F.total), success: get(F.success), fail: get(F.fail), skip: get(F.skip), retry: get(F.retry), maxRetry: get(F.maxRetry),
      maxMs: get(F.maxMs), minMs: get(F.minMs), sumMs: get(F.sumMs),
      lastMs: get(F.last), lastSuccessMs: get(F.lastSuccess), lastSkipMs: get(F.lastSkip), lastFailMs: get(F.lastFail),
    };
  }

  private get(at: number): number {
    return this.doubles[at] ?? 0;
  }

  private add(at: number, value: number): void {
    this.doubles[at] = this.get(at) + value;
  }
}
