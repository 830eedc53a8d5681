/** Opens a log file. */
import { closeSync, constants, fchmodSync, fstatSync, ftruncateSync, openSync, type Stats, statSync } from 'node:fs';
import path from 'node:path';
import { makeDirectory } from '../directory.js';

/** A log file cannot be opened; the message is for people. */
export class LogFileError extends Error {
  override readonly name = 'LogFileError';
}

const ownerWrites = 0o200;
const othersWrite = 0o002;
const sticky = 0o1000;
/** What is in there only root has made: /dev/stderr is a link. */
const devices = '/dev';

/**
 * Opens the file to append to it and makes it, and its directory, when it does not exist. A new file gets exactly the mode
 * `fileMode` whatever the umask is, but its owner can always write: its name may come round again.
 *
 * pgpool may be root's and the directory somebody else's, so nobody must be able to lead us to another file: neither a link
 * of the file's name nor a second name of a file is followed, and file and directory have to be ours or root's. A directory
 * above may be a link.
 * @throws LogFileError
 */
export function openLogFile(file: string, fileMode: number, truncate: boolean): number {
  try {
    makeDirectory(path.dirname(file), 0o700);
    checkDirectory(path.dirname(file));
    return openChecked(file, (fileMode & 0o777) | ownerWrites, truncate);
  } catch (error) {
    if (error instanceof LogFileError) throw error;
    throw new LogFileError(`could not open log file "${file}": ${reasonOf(error as NodeJS.ErrnoException)}`);
  }
}

/** @throws LogFileError when others may put links or files of theirs in it */
function checkDirectory(directory: string): void {
  const facts = statSync(directory);
  if (!isOursOrRoots(facts)) throw new LogFileError(`could not use log directory "${directory}": it belongs to another user`);
  if ((facts.mode & othersWrite) !== 0 && (facts.mode & sticky) === 0) throw new LogFileError(`could not use log directory "${directory}": everybody may write to it`);
}

function isOursOrRoots({ uid }: Stats): boolean {
  return uid === 0 || uid === (process.getuid?.() ?? uid);
}

/** Emptied only after it has been looked at. */
function openChecked(file: string, mode: number, truncate: boolean): number {
  const fd = openOrMake(file, mode);
  try {
    const problem = problemOf(file, fstatSync(fd));
    if (problem !== null) throw new LogFileError(`could not open log file "${file}": ${problem}`);
    if (truncate && fstatSync(fd).isFile()) ftruncateSync(fd);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function problemOf(file: string, facts: Stats): string | null {
  if (!facts.isFile() && !facts.isCharacterDevice()) return 'it is not a file';
  if (!facts.isFile() || path.dirname(file) === devices) return null;
  if (facts.nlink > 1) return 'it has another name, too';
  return isOursOrRoots(facts) ? null : 'it belongs to another user';
}

function openOrMake(file: string, mode: number): number {
  // O_NONBLOCK: a pipe of that name would make us wait until somebody reads it.
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK | constants.O_NOCTTY | (path.dirname(file) === devices ? 0 : constants.O_NOFOLLOW);
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
    case 'ELOOP': return 'it is a symbolic link';
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
