/** Clients whose login has failed and who are not told yet. Their sessions are over: nobody else waits for their children. */
import type { ClientLink } from './client-link.js';

/** Of one worker; beyond that the answer is given at once. What guessing costs is not bounded by it (LoginFailures.heldMs). */
const mostWaiting = 1000;

export class LateAnswers {
  private readonly waiting = new Set<ClientLink>();

  /** @returns false when too many wait already */
  take(client: ClientLink, last: Buffer, waitMs: number): boolean {
    if (this.waiting.size >= mostWaiting || client.closed) return false;
    this.waiting.add(client);
    client.stall();
    setTimeout(() => {
      this.waiting.delete(client);
      client.finish(Date.now(), last);
    }, waitMs);
    return true;
  }

  has(client: ClientLink): boolean {
    return this.waiting.has(client);
  }
}
