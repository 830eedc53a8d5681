/** Building and reading the payloads of protocol messages in tests. */
import type { WireMessage } from './wire.js';

/** A string is sent with a zero byte at its end, bytes as they are. */
export type Field = string | Uint8Array;

export function body(...fields: readonly Field[]): Buffer {
  return Buffer.concat(fields.map((field) => (typeof field === 'string' ? Buffer.from(`${field}\0`, 'utf8') : field)));
}

export function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

/** Also takes unsigned values. */
export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value | 0);
  return bytes;
}

/** A parameter in text format with its length before it; null is NULL. */
export function parameter(value: string | null): Field[] {
  if (value === null) return [int32(-1)];
  const bytes = Buffer.from(value, 'utf8');
  return [int32(bytes.length), bytes];
}

/** The fields of an ErrorResponse or NoticeResponse by their letter: S severity, C SQLSTATE, M message, ... */
export function errorFields(message: WireMessage): Record<string, string> {
  const fields = message.payload.toString('utf8').split('\0').filter((field) => field !== '');
  return Object.fromEntries(fields.map((field) => [field[0], field.slice(1)]));
}

/** The first ErrorResponse among the messages, by its fields; undefined when there is none. */
export function firstError(messages: readonly WireMessage[]): Record<string, string> | undefined {
  const error = messages.find((message) => message.type === 'E');
  return error === undefined ? undefined : errorFields(error);
}

/** The columns of a DataRow as text, null for NULL. */
export function rowValues(message: WireMessage): (string | null)[] {
  const { payload } = message;
  const values: (string | null)[] = [];
  let at = 2;
  for (let column = payload.readUInt16BE(0); column > 0; column--) {
    const sizeBytes = payload.readInt32BE(at);
    at += 4;
    values.push(sizeBytes < 0 ? null : payload.toString('utf8', at, at + Math.max(sizeBytes, 0)));
    at += Math.max(sizeBytes, 0);
  }
  return values;
}

/** All rows among the messages. */
export function rowsOf(messages: readonly WireMessage[]): (string | null)[][] {
  return messages.filter((message) => message.type === 'D').map(rowValues);
}
