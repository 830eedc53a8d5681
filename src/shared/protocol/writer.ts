/** Builds the messages that pgloom itself sends. Nothing here is on the path of a relayed query. */
import { B, F, TX, protocol30 } from './letters.js';

/** One message: letter, length, then the parts in order (strings are NUL-terminated UTF-8). */
export function message(letter: number, ...parts: readonly (Uint8Array | string)[]): Buffer {
  const bodies = parts.map((part) => (typeof part === 'string' ? Buffer.from(`${part}\0`, 'utf8') : part));
  let length = 4;
  for (const body of bodies) length += body.length;
  const out = Buffer.allocUnsafe(length + 1);
  out[0] = letter;
  out.writeInt32BE(length, 1);
  let at = 5;
  for (const body of bodies) {
    out.set(body, at);
    at += body.length;
  }
  return out;
}

export function int16(value: number): Buffer {
  const out = Buffer.allocUnsafe(2);
  out.writeInt16BE(value, 0);
  return out;
}

export function int32(value: number): Buffer {
  const out = Buffer.allocUnsafe(4);
  out.writeInt32BE(value | 0, 0);
  return out;
}

/** StartupMessage of protocol 3.0; parameters in the given order. */
export function startup(parameters: Iterable<readonly [string, string]>): Buffer {
  const texts: string[] = [];
  for (const [name, value] of parameters) texts.push(name, value);
  const body = Buffer.from(`${texts.join('\0')}\0\0`, 'utf8');
  return Buffer.concat([int32(body.length + 8), int32(protocol30), body]);
}

/** CancelRequest for a backend process. */
export function cancelRequest(pid: number, key: Uint8Array): Buffer {
  return Buffer.concat([int32(12 + key.length), int32(80_877_102), int32(pid), key]);
}

export function query(sql: string): Buffer {
  return message(F.query, sql);
}

export const syncMessage: Buffer = message(F.sync);
export const terminateMessage: Buffer = message(F.terminate);
export const authenticationOk: Buffer = message(B.authentication, int32(0));

const ready = new Map<number, Buffer>();
for (const status of Object.values(TX)) ready.set(status, message(B.readyForQuery, Buffer.from([status])));

/** ReadyForQuery with the given transaction status byte. */
export function readyForQuery(status: number): Buffer {
  return ready.get(status) ?? message(B.readyForQuery, Buffer.from([status]));
}

export function parameterStatus(name: string, value: string): Buffer {
  return message(B.parameterStatus, name, value);
}

export function keyData(pid: number, key: Uint8Array): Buffer {
  return message(B.keyData, int32(pid), key);
}

/** NegotiateProtocolVersion: newest minor version spoken, and the options not understood. */
export function negotiateVersion(minor: number, options: readonly string[]): Buffer {
  return message(B.negotiateVersion, int32(minor), int32(options.length), ...options);
}

export function closeStatement(name: string): Buffer {
  return message(F.close, Buffer.from('S'), name);
}

/** RowDescription of text columns, as Pgpool-II shows them: type oid 0, size -1, text format. */
export function textDescription(columns: readonly string[]): Buffer {
  const description: (Uint8Array | string)[] = [int16(columns.length)];
  for (const column of columns) {
    description.push(column, int32(0), int16(0), int32(0), int16(-1), int32(-1), int16(0));
  }
  return message(B.rowDescription, ...description);
}
