/** One piece of work for all who ask while it is under way, and for a moment after it. */
export class Shared<T> {
  private running: Promise<T> | null = null;

  /** @param keepMs how long a result also serves those who ask later */
  constructor(private readonly work: () => Promise<T>, private readonly keepMs: number) {}

  get(): Promise<T> {
    this.running ??= this.start();
    return this.running;
  }

  private async start(): Promise<T> {
    try {
      return await this.work();
    } finally {
      if (this.keepMs === 0) this.running = null;
      else setTimeout(() => { this.running = null; }, this.keepMs).unref();
    }
  }
}
