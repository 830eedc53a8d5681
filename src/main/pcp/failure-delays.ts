/**
 * How long a client waits for the answer to a failed login: 1 s the first time, twice as long each further time up to
 * 8 s, counted for each address. Forgotten when a login succeeds, or a minute after the last failure. Only the answer
 * waits; nobody else does, and a right password is answered at once, also from an address that others guess from.
 */
const firstMs = 1_000;
const longestMs = 8_000;
const memoryMs = 60_000;
const maxAddresses = 10_000;

export class FailureDelays {
  /** In the order of the last failure. */
  private readonly failures = new Map<string, { readonly times: number; readonly atMs: number }>();

  /** Notes a failure and says how long its answer is to wait. */
  note(address: string, nowMs: number = performance.now()): number {
    const before = this.failures.get(address);
    const times = before === undefined || nowMs - before.atMs > memoryMs ? 1 : before.times + 1;
    this.failures.delete(address);
    this.failures.set(address, { times, atMs: nowMs });
    this.forgetOld(nowMs);
    return Math.min(longestMs, firstMs * 2 ** Math.min(times - 1, 10));
  }

  succeeded(address: string): void {
    this.failures.delete(address);
  }

  private forgetOld(nowMs: number): void {
    for (const [address, { atMs }] of this.failures) {
      if (nowMs - atMs <= memoryMs && this.failures.size <= maxAddresses) return;
      this.failures.delete(address);
    }
  }
}
