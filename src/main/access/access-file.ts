/** Reading a file of access rules or passwords: what can go wrong, and how it is told. */
import { readFileSync, statSync } from 'node:fs';

/** More than any real file; keeps /dev/zero and a slip of the pen out of memory. */
const maxFileBytes = 16 * 1024 * 1024;

/** All that is wrong with the file, each problem naming file and line. Holds no passwords. */
export class AccessFileError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'AccessFileError';
  }
}

/**
 * @returns the text, or null when there is no such file
 * @throws AccessFileError when it cannot be read, is no plain file, is over 16 MB or not UTF-8
 */
export function readAccessFile(file: string): string | null {
  try {
    const facts = statSync(file);
    if (!facts.isFile()) throw new AccessFileError([`${file}: is not a plain file`]);
    if (facts.size > maxFileBytes) throw new AccessFileError([`${file}: is larger than 16 MB`]);
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    if (error instanceof AccessFileError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') return null;
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') throw new AccessFileError([`${file}: is not UTF-8`]);
    throw new AccessFileError([`${file}: cannot be read (${code ?? 'unknown reason'})`]);
  }
}

export interface AccessLine {
  /** Counted from 1. */
  readonly number: number;
  readonly text: string;
}

/** Lines ended by \n or \r\n. */
export function accessLines(text: string): AccessLine[] {
  return text.split('\n').map((line, i) => ({ number: i + 1, text: line.endsWith('\r') ? line.slice(0, -1) : line }));
}
