/** Frontend messages as bytes, so that a test can join, split and damage them before they are sent. */
import { body, int16, int32, parameter } from '../support/wire-fields.js';

export function message(letter: string, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  return Buffer.concat([Buffer.from(letter, 'latin1'), int32(payload.length + 4), payload]);
}

/** A message whose length word says something else than its real length. */
export function lying(letter: string, lengthWord: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  return Buffer.concat([Buffer.from(letter, 'latin1'), int32(lengthWord), payload]);
}

export const query = (text: string): Buffer => message('Q', body(text));

export const parse = (text: string, name = '', types: readonly number[] = []): Buffer =>
  message('P', body(name, text, int16(types.length), ...types.map(int32)));

/** Parameters and results in text format. */
export const bind = (values: readonly (string | null)[] = [], statement = '', portal = ''): Buffer =>
  message('B', body(portal, statement, int16(0), int16(values.length), ...values.flatMap(parameter), int16(0)));

export const describe = (kind: 'S' | 'P', name = ''): Buffer => message('D', body(Buffer.from(kind), name));
export const execute = (portal = '', maxRows = 0): Buffer => message('E', body(portal, int32(maxRows)));
export const close = (kind: 'S' | 'P', name = ''): Buffer => message('C', body(Buffer.from(kind), name));
export const sync: Buffer = message('S');
export const flush: Buffer = message('H');
export const terminate: Buffer = message('X');
export const copyData = (text: string): Buffer => message('d', Buffer.from(text, 'utf8'));
export const copyDone: Buffer = message('c');
export const copyFail = (reason: string): Buffer => message('f', body(reason));

export const functionCall = (oid: number, values: readonly (string | null)[]): Buffer =>
  message('F', body(int32(oid), int16(0), int16(values.length), ...values.flatMap(parameter), int16(0)));

/** Parse, Bind, Describe, Execute of the unnamed statement and portal. */
export const extended = (text: string, values: readonly (string | null)[] = []): Buffer[] =>
  [parse(text), bind(values), describe('P'), execute()];

export function startup(parameters: Readonly<Record<string, string>>, version = 196_608): Buffer {
  const payload = body(int32(version), ...Object.entries(parameters).flat(), Buffer.from([0]));
  return Buffer.concat([int32(payload.length + 4), payload]);
}
