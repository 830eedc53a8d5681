/** How late the event loop of the calling thread serves a timer, over the last 10 to 20 seconds. */
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

/** Node measures the time between two looks, this one included. */
const lookMs = 20;
const windowSeconds = 10;

export interface LoopDelays {
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

const none: LoopDelays = { medianMs: 0, p99Ms: 0, maxMs: 0 };

export class LoopDelay {
  private readonly histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: lookMs });
  private before = none;
  private seconds = 0;

  constructor() {
    this.histogram.enable();
  }

  /** To be called once a second. */
  tick(): LoopDelays {
    const now = this.read();
    const { before } = this;
    this.seconds += 1;
    if (this.seconds === windowSeconds) {
      this.seconds = 0;
      this.before = now;
      this.histogram.reset();
    }
    return {
      medianMs: before === none ? now.medianMs : before.medianMs,
      p99Ms: Math.max(before.p99Ms, now.p99Ms),
      maxMs: Math.max(before.maxMs, now.maxMs),
    };
  }

  stop(): void {
    this.histogram.disable();
  }

  private read(): LoopDelays {
    const { histogram } = this;
    const ms = (ns: number): number => Math.max(0, ns / 1e6 - lookMs);
    return { medianMs: ms(histogram.percentile(50)), p99Ms: ms(histogram.percentile(99)), maxMs: ms(histogram.max) };
  }
}
