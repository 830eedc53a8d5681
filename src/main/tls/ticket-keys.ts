/** The keys of session tickets. They live in memory only. */
import { createHash, randomBytes } from 'node:crypto';

const ticketKeyBytes = 48;

let last: { readonly print: string; readonly keys: Uint8Array } | null = null;

/**
 * The keys that go with these materials: the same as last time while nothing has changed, else new ones. A ticket holds what was
 * verified when it was made, so a certificate that has been revoked, or whose authority has gone, must not come back with it.
 */
export function ticketKeysFor(...materials: readonly (string | readonly string[])[]): Uint8Array {
  const print = createHash('sha256').update(JSON.stringify(materials)).digest('hex');
  if (last?.print !== print) last = { print, keys: randomBytes(ticketKeyBytes) };
  return last.keys;
}
