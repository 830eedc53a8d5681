/** The file of `user:password` lines that -i names. */
import { closeSync, openSync, readSync } from 'node:fs';
import { reasonOf, ToolFailure } from './failure.js';
import { maxPasswordBytes, maxUserBytes } from './tool.js';

/** Counted from 1, with what is on the line. */
export type PairLine = { readonly number: number } & (
  | { readonly kind: 'pair'; readonly user: string; readonly password: string }
  | { readonly kind: 'blank' | 'invalid' | 'long user' | 'long password' });

/** Keeps /dev/zero out of memory. */
const maxFileBytes = 16 * 1024 * 1024;

/** @throws ToolFailure when it cannot be read */
export function readPairs(file: string): PairLine[] {
  let bytes: Buffer;
  try {
    bytes = readWhole(file);
  } catch (error) {
    throw new ToolFailure(`failed to open input_file "${file}" (${reasonOf(error)})\n\n`);
  }
  let text: string;
  try {
    // A byte order mark at its beginning is left out.
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new ToolFailure(`failed to read input_file "${file}" (it is not UTF-8)\n\n`);
  } finally {
    bytes.fill(0);
  }
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line, at) => pairOf(line, at + 1));
}

/** Of a pipe, too: so the passwords need not lie on a disk. */
function readWhole(file: string): Buffer {
  const fd = openSync(file, 'r');
  const chunks: Buffer[] = [];
  try {
    for (let sizeBytes = 0; ;) {
      const chunk = Buffer.alloc(64 * 1024);
      const length = readSync(fd, chunk);
      sizeBytes += length;
      if (length === 0) break;
      if (sizeBytes > maxFileBytes) throw Object.assign(new Error('too large'), { code: 'File too large' });
      chunks.push(chunk.subarray(0, length));
    }
    return Buffer.concat(chunks);
  } finally {
    for (const chunk of chunks) chunk.fill(0);
    closeSync(fd);
  }
}

/** The password goes to the end of the line, colons and all. */
function pairOf(line: string, number: number): PairLine {
  if (line === '') return { number, kind: 'blank' };
  // Files from Windows: a carriage return in a password is never meant.
  const text = line.endsWith('\r') ? line.slice(0, -1) : line;
  const colon = text.indexOf(':');
  if (colon === -1 || colon === text.length - 1 || /[\0\r]/.test(text)) return { number, kind: 'invalid' };
  const user = text.slice(0, colon);
  const password = text.slice(colon + 1);
  if (Buffer.byteLength(user) > maxUserBytes) return { number, kind: 'long user' };
  if (Buffer.byteLength(password) > maxPasswordBytes) return { number, kind: 'long password' };
  return { number, kind: 'pair', user, password };
}
