/** Something that may happen very often and is told once a second at the most, with the number of times. */
const periodMs = 1_000;

export class Seldom {
  private times = 0;
  private toldMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly tell: (error: Error, times: number) => void) {}

  note(error: Error): void {
    this.times += 1;
    const nowMs = performance.now();
    if (nowMs - this.toldMs < periodMs) return;
    this.tell(error, this.times);
    this.toldMs = nowMs;
    this.times = 0;
  }
}
