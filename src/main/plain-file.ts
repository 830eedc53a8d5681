/** Reads files that somebody else may have put a pipe or a device in the place of: opening one would wait for good. */
import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs';

/** More than any real file of settings or passwords; keeps a slip of the pen out of memory. */
const maxFileBytes = 16 * 1024 * 1024;

/** To open a file that may be anything. */
export const plainFileFlags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/** What is there is no plain file (ENOTPLAIN, EISDIR), or is too large (EFBIG). */
export class PlainFileError extends Error {
  override readonly name = 'PlainFileError';

  constructor(message: string, readonly code: 'ENOTPLAIN' | 'EISDIR' | 'EFBIG') {
    super(message);
  }
}

/** @throws PlainFileError */
export function checkPlainFile(facts: Stats, limitBytes: number): void {
  if (facts.isDirectory()) throw new PlainFileError('it is a directory', 'EISDIR');
  if (!facts.isFile()) throw new PlainFileError('not a plain file', 'ENOTPLAIN');
  if (facts.size > limitBytes) throw new PlainFileError(`larger than ${limitBytes / 1024 / 1024} MB`, 'EFBIG');
}

/** The file's bytes. Never waits. @throws PlainFileError; errors of the system with their codes */
export function readPlainFile(file: string): Buffer {
  const fd = openSync(file, plainFileFlags);
  try {
    checkPlainFile(fstatSync(fd), maxFileBytes);
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}
