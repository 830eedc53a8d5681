/**
 * The first packets of a client, as far as the primary thread looks at them: only for clients that wait in the
 * queue or are refused. Everything else is the worker's.
 *
 *   SSLRequest, GSSENCRequest   int32 8, int32 code             answered by one byte, another packet follows
 *   CancelRequest               int32 length, int32 code, int32 id, secret (4 bytes in 3.0, up to 256 in 3.2)
 *   StartupMessage              int32 length, int32 protocol, ...
 *   ClientHello                 the record of TLS it comes in begins with 0x16, a length no packet has
 */
import { cancelRequestCode, gssEncRequestCode, maxStartupBytes, sslRequestCode } from '../../shared/protocol/letters.js';

const maxSecretBytes = 256;
/** Type of a TLS record that carries a handshake. */
const handshakeRecord = 0x16;

export type FirstPacket =
  /** Not all of it is here yet. */
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'encryption'; readonly sizeBytes: 8; readonly isForTls: boolean }
  /** Direct TLS begins, without a request. */
  | { readonly kind: 'hello' }
  | { readonly kind: 'cancel'; readonly childId: number; readonly secret: Buffer }
  | { readonly kind: 'startup' }
  /** Nothing a PostgreSQL client would send. */
  | { readonly kind: 'garbage' };

/** Says what stands at the beginning of `head`. Never throws. */
export function firstPacket(head: Buffer): FirstPacket {
  if (head[0] === handshakeRecord) return { kind: 'hello' };
  if (head.length < 8) {
    // A length is judged as soon as it is there: a client that sends garbage need not be waited for.
    if (head.length >= 4 && !isPossibleLength(head.readInt32BE(0))) return { kind: 'garbage' };
    return { kind: 'incomplete' };
  }
  const sizeBytes = head.readInt32BE(0);
  const code = head.readInt32BE(4);
  if (!isPossibleLength(sizeBytes)) return { kind: 'garbage' };
  if (code === sslRequestCode || code === gssEncRequestCode) {
    return sizeBytes === 8 ? { kind: 'encryption', sizeBytes, isForTls: code === sslRequestCode } : { kind: 'garbage' };
  }
  if (code === cancelRequestCode) {
    if (sizeBytes < 16 || sizeBytes > 12 + maxSecretBytes) return { kind: 'garbage' };
    if (head.length < sizeBytes) return { kind: 'incomplete' };
    return { kind: 'cancel', childId: head.readInt32BE(8), secret: head.subarray(12, sizeBytes) };
  }
  return head.length < sizeBytes ? { kind: 'incomplete' } : { kind: 'startup' };
}

function isPossibleLength(sizeBytes: number): boolean {
  return sizeBytes >= 8 && sizeBytes <= maxStartupBytes;
}
