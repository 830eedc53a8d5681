/** Reading a file of access rules or passwords: what can go wrong, and how it is told. */
import { PlainFileError, readPlainFile } from '../plain-file.js';

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
    return new TextDecoder('utf-8', { fatal: true }).decode(readPlainFile(file));
  } catch (error) {
    if (error instanceof PlainFileError) throw new AccessFileError([`${file}: is ${error.code === 'EFBIG' ? error.message : 'not a plain file'}`]);
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
