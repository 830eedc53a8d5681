/**
 * PCP packets (reference/wire.md 2):
 *
 *   byte   type, an ASCII letter
 *   int32  length of what follows, itself included
 *   bytes  payload, mostly strings ended by NUL
 */
import { AdministrationError } from '../administration.js';

/** MAX_PCP_PACKET_LENGTH: no request is as long as this. */
const lengthLimit = 260;
const headerBytes = 5;

export interface PcpPacket {
  readonly type: string;
  readonly payload: Buffer;
}

/** Cuts the bytes of a connection into packets. Keeps no more than the beginning of one packet. */
export class PacketReader {
  private received: Buffer = Buffer.alloc(0);

  /** The packets that are whole with these bytes must have been taken with `next` before the next push. */
  push(chunk: Buffer): void {
    this.received = this.received.length === 0 ? chunk : Buffer.concat([this.received, chunk]);
  }

  /**
   * @returns the next whole packet, or null
   * @throws AdministrationError, FATAL, as soon as a length is there that no packet can have
   */
  next(): PcpPacket | null {
    const { received } = this;
    if (received.length < headerBytes) return null;
    const length = received.readInt32BE(1);
    if (length < 4 || length >= lengthLimit) {
      throw new AdministrationError('invalid PCP packet', `incorrect packet length (${length})`, 'FATAL');
    }
    if (received.length < length + 1) return null;
    this.received = received.subarray(length + 1);
    return { type: String.fromCharCode(received[0] ?? 0), payload: received.subarray(headerBytes, length + 1) };
  }
}

/** One packet; a string is sent with a NUL at its end, bytes as they are. */
export function packet(type: string, ...fields: readonly (string | Uint8Array)[]): Buffer {
  let length = 4;
  for (const field of fields) length += typeof field === 'string' ? Buffer.byteLength(field) + 1 : field.length;
  const bytes = Buffer.allocUnsafe(length + 1);
  bytes.write(type, 0, 'latin1');
  bytes.writeInt32BE(length, 1);
  let at = headerBytes;
  for (const field of fields) {
    if (typeof field === 'string') {
      at += bytes.write(field, at);
      bytes[at] = 0;
      at += 1;
    } else {
      bytes.set(field, at);
      at += field.length;
    }
  }
  return bytes;
}

/** `CommandComplete` in a reply of this type, with what follows it. */
export function commandComplete(type: string, ...fields: readonly string[]): Buffer {
  return packet(type, 'CommandComplete', ...fields);
}

/** The payload's strings. The last one may lack its NUL. Bytes that are not UTF-8 become U+FFFD. */
export function payloadStrings(payload: Buffer): string[] {
  const strings = payload.toString('utf8').split('\0');
  if (strings.at(-1) === '') strings.pop();
  return strings;
}

/** The node id of an order: a number and nothing else, or -1, which no node has. An order without one must not be for node 0. */
export function orderedNode(payload: Buffer): number {
  const text = payloadStrings(payload)[0] ?? '';
  return /^\s*\d+\s*$/.test(text) ? numberOf(text) : -1;
}

/** A number as C's atoi reads it: leading digits, 0 where there are none, kept within 32 bits. */
export function numberOf(text: string): number {
  const number = Number.parseInt(text, 10);
  return Number.isNaN(number) ? 0 : Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, number));
}
