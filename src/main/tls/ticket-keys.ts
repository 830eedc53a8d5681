/** The keys of session tickets. They live in memory only. */
import { createHash, randomBytes, randomFillSync } from 'node:crypto';
import type { ServerTlsMaterials } from '../../shared/tls/materials.js';

export const ticketKeyBytes = 48;
/** Who learns the keys can read what was recorded of the TLS 1.2 sessions whose tickets they encrypt: of one day at the most. */
const dayMs = 24 * 60 * 60 * 1000;

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
 * New keys every day, also when nothing is reloaded. Sessions go on; whoever comes with a ticket of the old keys makes a whole
 * handshake.
 */
export class TicketKeyRotation {
  private timer: NodeJS.Timeout | null = null;

  /** @param spread gives the keys to all workers, those that start later too */
  constructor(private readonly spread: (keys: Uint8Array) => void, private readonly periodMs = dayMs) {}

  start(): void {
    this.timer ??= setInterval(() => this.rotate(), this.periodMs).unref();
  }

  stop(): void {
    clearInterval(this.timer ?? undefined);
    this.timer = null;
  }

  private rotate(): void {
    if (print === '') return;
    randomFillSync(keys);
    this.spread(keys);
  }
}
