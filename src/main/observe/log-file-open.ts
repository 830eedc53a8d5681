/** Opens a log file. */
import { closeSync, constants, fchmodSync, fstatSync, mkdirSync, openSync } from 'node:fs';
import path from 'node:path';

/** A log file cannot be opened; the message is for people. */
export class LogFileError extends Error {
  override readonly name = 'LogFileError';
}

const ownerWrites = 0o200;

/**
 * Opens the file to append to it and makes it, and its directory, when it does not exist. A new file gets exactly the mode
 * `fileMode` whatever the umask is, but its owner can always write: its name may come round again.
 * @throws LogFileError
 */
export function openLogFile(file: string, fileMode: number, truncate: boolean): number {
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    const fd = openOrMake(file, (fileMode & 0o777) | ownerWrites, truncate);
    const stat = fstatSync(fd);
    if (stat.isFile() || stat.isCharacterDevice()) return fd;
    closeSync(fd);
    throw new LogFileError(`could not open log file "${file}": it is not a file`);
  } catch (error) {
    if (error instanceof LogFileError) throw error;
    throw new LogFileError(`could not open log file "${file}": ${reasonOf(error as NodeJS.ErrnoException)}`);
  }
}

function openOrMake(file: string, mode: number, truncate: boolean): number {
  // O_NONBLOCK: a pipe of that name would make us wait until somebody reads it.
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK | (truncate ? constants.O_TRUNC : 0);
  try {
    const fd = openSync(file, flags | constants.O_CREAT | constants.O_EXCL, mode);
    fchmodSync(fd, mode);
    return fd;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return openSync(file, flags);
  }
}

function reasonOf(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'EACCES': return 'permission denied';
    case 'EPERM': return 'operation not permitted';
    case 'ENOENT': return 'no such file or directory';
    case 'ENOTDIR': return 'not a directory';
    case 'EISDIR': return 'is a directory';
    case 'ENOSPC': return 'no space left on device';
    case 'EROFS': return 'read-only file system';
    case 'EMFILE':
    case 'ENFILE': return 'too many open files';
    case 'ENXIO': return 'it is not a file';
    default: return error.code ?? error.message;
  }
}
