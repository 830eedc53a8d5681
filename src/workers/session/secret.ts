/** Secrets that prove the right to cancel a session. Drawn in bulk: a system call for each would cost 7 µs a login. */
import { randomFillSync } from 'node:crypto';
import { secretBytes } from '../../shared/memory/child-table.js';

const stock = Buffer.allocUnsafeSlow(secretBytes * 256);
let used = stock.length;

/** The caller copies it; the bytes are never given out twice. */
export function takeSecret(): Buffer {
  if (used === stock.length) {
    randomFillSync(stock);
    used = 0;
  }
  used += secretBytes;
  return stock.subarray(used - secretBytes, used);
}
