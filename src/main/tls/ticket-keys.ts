/** The keys of session tickets. They live in memory only. */
import { createHash, randomBytes, randomFillSync } from 'node:crypto';
import type { ServerTlsMaterials } from '../../shared/tls/materials.js';
import { nextUpdateMs } from './revocation-list.js';

export const ticketKeyBytes = 48;
/** Who learns the keys can read what was recorded of the TLS 1.2 sessions whose tickets they encrypt: of one day at the most. */
const dayMs = 24 * 60 * 60 * 1000;
/** OpenSSL counts in seconds. */
const afterExpiryMs = 1000;

/**
 * Always the same place, which every message and every copy of the start's settings in this thread points to: new keys overwrite the
 * old ones, and a thread that starts later gets the new ones.
 */
const keys: Uint8Array = randomBytes(ticketKeyBytes);
/** Of the materials that the keys go with; '' while there is no TLS towards clients. */
let print = '';

/**
 * The keys that go with these materials: the same as last time while nothing has changed, else new ones. A ticket holds what was
 * verified when it was made, so a certificate that has been revoked, or whose authority has gone, must not come back with it.
 */
export function ticketKeysFor(materials: Omit<ServerTlsMaterials, 'ticketKeys'>): Uint8Array {
  const next = createHash('sha256').update(JSON.stringify(materials)).digest('hex');
  if (print !== next) randomFillSync(keys);
  print = next;
  return keys;
}

/**
 * New keys every day, also when nothing is reloaded, and when a revocation list expires: a resumed session would not be held against
 * it. Sessions go on; whoever comes with a ticket of the old keys makes a whole handshake.
 */
export class TicketKeyRotation {
  private timer: NodeJS.Timeout | undefined;
  private expiriesMs: readonly number[] = [];

  /** @param spread gives the keys to all workers, those that start later too */
  constructor(private readonly spread: (keys: Uint8Array) => void, private readonly periodMs = dayMs) {}

  /** Also after a reload. @param materials null while there is no TLS towards clients */
  start(materials: Pick<ServerTlsMaterials, 'crl'> | null): void {
    this.stop();
    this.expiriesMs = (materials?.crl ?? []).map((list) => nextUpdateMs(list)).filter((timeMs) => timeMs !== null);
    this.arm();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private arm(): void {
    const nowMs = Date.now();
    const ahead = this.expiriesMs.map((timeMs) => timeMs + afterExpiryMs - nowMs).filter((waitMs) => waitMs > 0);
    const timer = setTimeout(() => {
      this.rotate();
      if (this.timer === timer) this.arm();
    }, Math.min(this.periodMs, ...ahead)).unref();
    this.timer = timer;
  }

  private rotate(): void {
    if (print === '') return;
    randomFillSync(keys);
    this.spread(keys);
  }
}
