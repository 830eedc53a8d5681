/** The replies that several commands have (reference/wire.md section 5). */
import { malformed, PcpFailure } from '../failure.js';
import type { PcpConnection } from './connection.js';

/** Of all rows of a reply: 10,000 processes with 4 pools and 8 nodes make 60 MB. */
const maxReplyBytes = 256 * 1024 * 1024;

/** NUL-terminated strings. */
export function splitStrings(payload: Buffer): string[] {
  if (payload.at(-1) !== 0) throw malformed('a string without its end');
  return payload.toString('utf8', 0, payload.length - 1).split('\0');
}

/** The strings behind CommandComplete in a reply of one message. */
export async function readComplete(connection: PcpConnection, letter: string): Promise<string[]> {
  const [tag, ...values] = splitStrings((await connection.read(letter)).payload);
  if (tag === 'CommandComplete') return values;
  throw new PcpFailure('command', `command failed with reason: "${tag}"`);
}

/**
 * The rows between ArraySize and CommandComplete. Fewer rows than announced are fine, more are not.
 * @param size the number of rows is decimal text, but four bytes in the reply of pool status
 */
export async function readRows(connection: PcpConnection, letter: string, rowTag: string, size: 'text' | 'binary' = 'text'): Promise<string[][]> {
  const announced = arraySize((await connection.read(letter)).payload, size);
  const rows: string[][] = [];
  for (let sizeBytes = 0; ;) {
    const { payload } = await connection.read(letter);
    const [tag, ...values] = splitStrings(payload);
    if (tag === 'CommandComplete') return rows;
    if (tag !== rowTag) throw malformed(`"${tag}" in place of ${rowTag}`);
    sizeBytes += payload.length;
    if (rows.push(values) > announced) throw malformed(`more than the ${announced} rows announced`);
    if (sizeBytes > maxReplyBytes) throw malformed(`more than ${maxReplyBytes} bytes`);
  }
}

function arraySize(payload: Buffer, size: 'text' | 'binary'): number {
  const tag = Buffer.from('ArraySize\0');
  if (!payload.subarray(0, tag.length).equals(tag)) throw new PcpFailure('command', `command failed with reason: "${splitStrings(payload)[0]}"`);
  const number = payload.subarray(tag.length);
  if (size === 'text') return readInteger(splitStrings(number)[0], 'ArraySize');
  if (number.length !== 4) throw malformed(`an ArraySize of ${number.length} bytes`);
  return number.readUInt32BE(0);
}

/** @throws PcpFailure for anything but a decimal number */
export function readInteger(text: string | undefined, what: string): number {
  if (text === undefined || !/^\s*[+-]?\d{1,19}$/.test(text)) throw malformed(`${what} is "${text ?? ''}"`);
  return Number(text);
}

/** @throws PcpFailure for anything but a number; C's nan and inf are null */
export function readDecimal(text: string | undefined, what: string): number | null {
  if (text !== undefined && /^[+-]?(nan|inf)/i.test(text)) return null;
  if (text === undefined || !/^\s*[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text)) throw malformed(`${what} is "${text ?? ''}"`);
  return Number(text);
}
