/**
 * A CancelRequest that reached the primary thread: find the child it names, compare the secret, tell the worker.
 * Like PostgreSQL, nothing is answered, and a wrong secret is passed over in silence.
 */
import { timingSafeEqual } from 'node:crypto';
import { secretBytes, type ChildTable } from '../../shared/memory/child-table.js';
import type { Broadcast } from '../../shared/messages.js';

/** Length of a cancel key in protocol 3.0. */
const shortKeyBytes = 4;

/** True when `secret` is the cancel key of the child in this row: 4 bytes (3.0) or the whole key (3.2). */
export function mayCancel(children: ChildTable, row: number, secret: Uint8Array): boolean {
  if (secret.length !== shortKeyBytes && secret.length !== secretBytes) return false;
  const key = children.secret(row);
  // A child without a client has an all-zero key, which must not open it.
  if (key.every((byte) => byte === 0)) return false;
  return timingSafeEqual(key.subarray(0, secret.length), secret);
}

/** Broadcasts the cancel when the request is right; returns whether it was. */
export function forwardCancel(children: ChildTable, childId: number, secret: Uint8Array, broadcast: (message: Broadcast) => void): boolean {
  const childRow = children.rowOfId(childId);
  if (childRow < 0 || !mayCancel(children, childRow, secret)) return false;
  broadcast({ type: 'cancel', worker: children.workerOf(childRow), childRow, childId, key: Buffer.from(secret).readInt32BE(0) });
  return true;
}
