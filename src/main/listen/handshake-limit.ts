/**
 * How many TLS handshakes the primary thread does for clients that it refuses. Each takes 1 to 2 ms with a key
 * of P-256 or of RSA's 2048 bits and several times that with 4096, and the thread has health checks and other clients to see to.
 */
const periodMs = 1_000;

export class HandshakeLimit {
  private underWay = 0;
  private begun = 0;
  private sinceMs = Number.NEGATIVE_INFINITY;

  /**
   * @param atOnce bounds the memory of clients that do not go on
   * @param perSecond bounds the processor time
   */
  constructor(private readonly atOnce = 50, private readonly perSecond = 100) {}

  /** True when one more may begin; to be followed by one `end`. */
  begin(nowMs: number = performance.now()): boolean {
    if (nowMs - this.sinceMs >= periodMs) {
      this.sinceMs = nowMs;
      this.begun = 0;
    }
    if (this.underWay >= this.atOnce || this.begun >= this.perSecond) return false;
    this.underWay += 1;
    this.begun += 1;
    return true;
  }

  end(): void {
    this.underWay -= 1;
  }
}
