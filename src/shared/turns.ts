/** Lets a few do something at a time; the others wait in the order in which they came. */
export class Turns {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly mostAtOnce: number) {}

  /** @throws what `action` throws */
  async take<T>(action: () => Promise<T>): Promise<T> {
    if (this.running < this.mostAtOnce) this.running++;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    try {
      return await action();
    } finally {
      // Whoever is next takes the place over.
      const next = this.waiting.shift();
      if (next === undefined) this.running--;
      else next();
    }
  }
}
