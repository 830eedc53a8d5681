/**
 * The first packets of a client, up to its startup packet, as every thread that may meet it reads them.
 *
 *   SSLRequest, GSSENCRequest   int32 length, int32 code        answered by one byte, another packet follows
 *   CancelRequest               int32 length, int32 code, int32 id, secret (4 bytes in 3.0, up to 256 in 3.2)
 *   StartupMessage              int32 length, int32 protocol, ...
 *   ClientHello                 the record of TLS it comes in begins with 0x16, a length no packet has
 */
import { cancelRequestCode, gssEncRequestCode, maxStartupBytes, sslRequestCode } from './letters.js';

const maxSecretBytes = 256;
/** Type of a TLS record that carries a handshake; no packet begins with it, for it would be far too long. */
const handshakeRecord = 0x16;

export type FirstPacket =
  /** Not all of it is here yet. */
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'encryption'; readonly sizeBytes: number; readonly isForTls: boolean }
  /** Direct TLS begins, without a request. */
  | { readonly kind: 'hello' }
  | { readonly kind: 'cancel'; readonly childId: number; readonly secret: Buffer }
  /** @property body behind the version: part of the memory that was read */
  | { readonly kind: 'startup'; readonly sizeBytes: number; readonly version: number; readonly body: Buffer }
  /** Of a length that no first packet has. */
  | { readonly kind: 'garbage' };

/** Says what stands at the beginning of `read`. Never throws. */
export function firstPacket(read: Buffer): FirstPacket {
  if (read[0] === handshakeRecord) return { kind: 'hello' };
  if (read.length < 4) return { kind: 'incomplete' };
  const sizeBytes = read.readInt32BE(0);
  // Judged as soon as it is there: a client that sends garbage need not be waited for.
  if (sizeBytes < 8 || sizeBytes > maxStartupBytes) return { kind: 'garbage' };
  if (read.length < sizeBytes) return { kind: 'incomplete' };
  const code = read.readInt32BE(4);
  switch (code) {
    case sslRequestCode:
    case gssEncRequestCode:
      return { kind: 'encryption', sizeBytes, isForTls: code === sslRequestCode };
    case cancelRequestCode:
      if (sizeBytes < 16 || sizeBytes > 12 + maxSecretBytes) return { kind: 'garbage' };
      return { kind: 'cancel', childId: read.readInt32BE(8), secret: Buffer.from(read.subarray(12, sizeBytes)) };
    default:
      return { kind: 'startup', sizeBytes, version: code, body: read.subarray(8, sizeBytes) };
  }
}
