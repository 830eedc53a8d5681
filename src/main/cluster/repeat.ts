/** Something done again and again, never twice at a time, until stopped. */
export class Repeat {
  private timer: NodeJS.Timeout | null = null;
  private stopped = false;

  /** @param onFault the action threw, which it should not; it goes on all the same */
  constructor(private readonly action: () => Promise<void>, private readonly waitMs: () => number, private readonly onFault: (error: unknown) => void) {}

  /** Does it first after the wait, or at once. */
  start(atOnce = false): this {
    this.timer = setTimeout(() => void this.round(), atOnce ? 0 : this.waitMs());
    return this;
  }

  stop(): void {
    this.stopped = true;
    if (this.timer !== null) clearTimeout(this.timer);
  }

  private async round(): Promise<void> {
    try {
      await this.action();
    } catch (error) {
      this.onFault(error);
    }
    if (!this.stopped) this.start();
  }
}

/** Resolves after so many milliseconds. */
export function pause(waitMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, waitMs);
  });
}
