/**
 * The pid file: the decimal process id followed by a NUL byte, mode 0600, as Pgpool-II writes it and its tools read it.
 *
 * Its owner holds a lock on it (flock) for as long as it lives. That decides between two starts at the same moment,
 * and tells a process id that another process has got in the meantime from a pgloom that runs.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, readSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { lockFile, type LockResult } from './file-lock.js';
import { readRunRecord } from './run-record.js';

/** pgloom must not start: another one runs, or the file cannot be written. */
export class PidFileError extends Error {
  override readonly name = 'PidFileError';
}

/** How often a start looks again when another process has the file for a moment, and how long it waits in between. */
const maxAttempts = 40;
const attemptPauseMs = 50;
/** A pid file is a few bytes long. */
const maxFileBytes = 64;

/** The descriptors that hold our locks; open until the process ends or gives the file up. */
const held = new Map<string, { readonly fd: number; readonly locked: boolean }>();

/** Process id in the file, null when there is no file or no number in it. @throws PidFileError when it cannot be read */
export function readPidFile(file: string): number | null {
  const content = readContent(file);
  return content === null ? null : pidOf(content);
}

/**
 * Whether the process that the file names lives and is the one that wrote it. A process that does not hold the lock is
 * taken for it, as Pgpool-II does, unless it is certain that the file's owner would hold it.
 */
export function isPidFileOwned(file: string, pid: number): boolean {
  if (!isAlive(pid)) return false;
  // Here and not below, for our own lock would not keep us from locking again.
  if (held.get(file)?.locked === true) return true;
  const lock = tryLock(file);
  return lock === 'taken' || !(lock === 'locked' && readRunRecord(file, pid)?.holdsLock === true);
}

/**
 * Writes our process id.
 * @returns the process id of a dead predecessor whose file was replaced, or null
 * @throws PidFileError when the process named in the file is alive, or the file cannot be written
 */
export function writePidFile(file: string): number | null {
  let predecessor: number | null = null;
  for (let attempt = 1; attempt <= maxAttempts; attempt++) {
    const fd = create(file);
    if (fd !== null) {
      if (takeNew(file, fd)) return predecessor;
    } else {
      const removed = removeStale(file);
      if (removed !== 'in use') {
        predecessor = removed ?? predecessor;
        continue;
      }
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, attemptPauseMs);
  }
  throw new PidFileError(`pid file "${file}" is in use by another pgpool that is starting`);
}

/** Whether our lock on the file holds; false where there are no locks. */
export function holdsPidFileLock(file: string): boolean {
  return held.get(file)?.locked === true;
}

/** Removes the file if it is still ours. Never throws: this runs at the very end. */
export function removePidFile(file: string): void {
  try {
    if (readPidFile(file) === process.pid) unlinkSync(file);
  } catch {
    // Nobody is left to be told, and the next start copes with a dead process id.
  }
  const mine = held.get(file);
  held.delete(file);
  if (mine !== undefined) closeSync(mine.fd);
}

/** False for a process that has ended and only waits to be collected. EPERM means that it lives, under another user. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return !isZombie(pid);
}

/** Where nobody collects orphans, in a container without an init process, a dead pgpool would seem to live forever. */
function isZombie(pid: number): boolean {
  try {
    // The name of the program, in parentheses, may hold anything.
    return /^.*\) Z /s.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

/** Null when there is a file already. */
function create(file: string): number | null {
  try {
    return openSync(file, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return null;
    throw new PidFileError(`could not open pid file "${file}": ${reasonOf(error)}`);
  }
}

/** False when another start was faster between our creating and our locking it. */
function takeNew(file: string, fd: number): boolean {
  const lock = lockFile(fd, 'exclusive');
  if (lock === 'taken' || !isStillAt(file, fd)) {
    closeSync(fd);
    return false;
  }
  try {
    writeSync(fd, `${process.pid}\0`);
  } catch (error) {
    closeSync(fd);
    throw new PidFileError(`could not write pid file "${file}": ${reasonOf(error)}`);
  }
  held.set(file, { fd, locked: lock === 'locked' });
  return true;
}

/**
 * Removes a file whose owner is dead, holding its lock meanwhile.
 * @returns the dead process id, null when there was none, 'in use' when somebody else is at it just now
 * @throws PidFileError when the owner is alive, or what is there is no pid file
 */
function removeStale(file: string): number | null | 'in use' {
  const fd = openExisting(file);
  if (fd === null) return null;
  try {
    const lock = lockFile(fd, 'exclusive');
    const content = contentOf(fd);
    const pid = pidOf(content);
    // Our own number in the file: a predecessor in a container that had the same one.
    const isOther = pid !== null && pid !== process.pid && isAlive(pid);
    if (lock === 'taken') {
      if (isOther) throw alreadyRuns(pid);
      return 'in use';
    }
    if (!isStillAt(file, fd)) return null;
    if (isOther && !(lock === 'locked' && readRunRecord(file, pid)?.holdsLock === true)) throw alreadyRuns(pid);
    if (content === '' && !isOurMaking(fd)) throw new PidFileError(`"${file}" exists and is empty, but no pid file of ours; remove it if pid_file_name is right`);
    if (pid === null && content !== '') throw new PidFileError(`"${file}" exists and holds no process id; remove it if pid_file_name is right`);
    unlinkSync(file);
    return pid;
  } catch (error) {
    if (error instanceof PidFileError) throw error;
    throw new PidFileError(`could not replace pid file "${file}": ${reasonOf(error)}`);
  } finally {
    closeSync(fd);
  }
}

/** What a start leaves that is killed before it writes. */
function isOurMaking(fd: number): boolean {
  const { mode, uid } = fstatSync(fd);
  return (mode & 0o777) === 0o600 && uid === (process.getuid?.() ?? uid);
}

function alreadyRuns(pid: number): PidFileError {
  return new PidFileError(`pid file found. is another pgpool(${pid}) is running?`);
}

/** Null when there is none. @throws PidFileError, also for a device or a pipe: root could remove /dev/null */
function openExisting(file: string): number | null {
  let fd: number;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new PidFileError(`could not read pid file "${file}": ${reasonOf(error)}`);
  }
  if (fstatSync(fd).isFile()) return fd;
  closeSync(fd);
  throw new PidFileError(`pid file "${file}" is not a plain file`);
}

/** A shared lock, given back at once: a start that comes in this moment looks again. */
function tryLock(file: string): LockResult {
  const fd = openExisting(file);
  if (fd === null) return 'impossible';
  try {
    return lockFile(fd, 'shared');
  } finally {
    closeSync(fd);
  }
}

function readContent(file: string): string | null {
  const fd = openExisting(file);
  if (fd === null) return null;
  try {
    return contentOf(fd);
  } catch (error) {
    throw new PidFileError(`could not read pid file "${file}": ${reasonOf(error)}`);
  } finally {
    closeSync(fd);
  }
}

function contentOf(fd: number): string {
  const buffer = Buffer.alloc(maxFileBytes);
  return buffer.toString('latin1', 0, readSync(fd, buffer, 0, maxFileBytes, 0));
}

function pidOf(content: string): number | null {
  const digits = /^\s*(\d{1,10})(?!\d)/.exec(content)?.[1];
  const pid = Number(digits ?? 0);
  return pid > 0 ? pid : null;
}

/** Whether the open file is the one that has the name. */
function isStillAt(file: string, fd: number): boolean {
  const named = statSync(file, { throwIfNoEntry: false });
  const mine = fstatSync(fd);
  return named !== undefined && named.ino === mine.ino && named.dev === mine.dev;
}

function reasonOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown reason';
}
