/** Keeps a long report from holding up the primary thread: it lets others go first every few milliseconds. */
import { setImmediate as othersFirst } from 'node:timers/promises';

const sliceMs = 2;

export class Pace {
  private sinceMs = performance.now();

  /** To be awaited now and then when true: `if (pace.isDue) await pace.rest();` */
  get isDue(): boolean {
    return performance.now() - this.sinceMs > sliceMs;
  }

  async rest(): Promise<void> {
    await othersFirst();
    this.sinceMs = performance.now();
  }
}
