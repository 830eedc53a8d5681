/**
 * Lines on their way to a place that may not take them just now: a full disk, a pipe that nobody empties, a syslog
 * daemon that stands still. Whoever logs never waits for it.
 *
 *   write ──▶ put ──taken──▶ gone
 *              └──not taken──▶ kept (1 MB at most, then counted as lost) ──next line, timer, flush──▶ put
 */

/** Writes what it can of `bytes` without waiting, and never throws. @returns how many bytes were taken, 0 for none */
export type PutBytes = (bytes: Uint8Array) => number;

const maxKeptBytes = 1024 * 1024;

export class LogQueue {
  private kept: Uint8Array[] = [];
  private keptBytes = 0;
  private lost = 0;
  private timer: NodeJS.Timeout | null = null;

  /**
   * @param retryMs lines that were kept are tried again after this time, if no other line comes before
   * @param onRecovered everything is written again, but `lost` entries were dropped in the meantime
   */
  constructor(private readonly put: PutBytes, private readonly retryMs: number, private readonly onRecovered: (lost: number) => void) {}

  /** @param text one entry: whole lines that belong together */
  write(text: string): void {
    const bytes = Buffer.from(text);
    this.flush();
    const taken = this.kept.length === 0 ? this.put(bytes) : 0;
    if (taken < bytes.length) this.keep(bytes, taken);
  }

  /** Tries once more to write what is kept. */
  flush(): void {
    if (this.kept.length === 0) return;
    let done = 0;
    for (const bytes of this.kept) {
      const taken = this.put(bytes);
      this.keptBytes -= taken;
      if (taken < bytes.length) {
        this.kept[done] = bytes.subarray(taken);
        break;
      }
      done++;
    }
    this.kept.splice(0, done);
    if (this.kept.length === 0) this.recovered();
  }

  /** The rest of an entry whose beginning is written is kept in any case: half a line would spoil the next one. */
  private keep(bytes: Uint8Array, taken: number): void {
    const rest = bytes.length - taken;
    if (taken === 0 && this.keptBytes + rest > maxKeptBytes) {
      this.lost++;
      return;
    }
    this.kept.push(bytes.subarray(taken));
    this.keptBytes += rest;
    this.timer ??= setTimeout(() => this.retry(), this.retryMs).unref();
  }

  private retry(): void {
    this.timer = null;
    this.flush();
    if (this.kept.length > 0) this.timer ??= setTimeout(() => this.retry(), this.retryMs).unref();
  }

  private recovered(): void {
    const { lost } = this;
    this.lost = 0;
    if (lost > 0) this.onRecovered(lost);
  }
}
