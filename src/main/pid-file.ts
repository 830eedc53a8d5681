/**
 * The pid file: the decimal process id followed by a NUL byte, mode 0600, as Pgpool-II writes it and its tools read it.
 */
import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';

/** pgloom must not start: another one runs, or the file cannot be written. */
export class PidFileError extends Error {
  override readonly name = 'PidFileError';
}

/** Process id in the file, null when there is no file or no number in it. */
export function readPidFile(file: string): number | null {
  try {
    const pid = Number.parseInt(readFileSync(file, 'latin1'), 10);
    return Number.isSafeInteger(pid) && pid > 0 ? pid : null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new PidFileError(`could not read pid file "${file}": ${(error as NodeJS.ErrnoException).code ?? 'unknown reason'}`);
  }
}

/**
 * Writes our process id.
 * @returns the process id of a dead predecessor whose file was replaced, or null
 * @throws PidFileError when the process named in the file is alive, or the file cannot be written
 */
export function writePidFile(file: string): number | null {
  const old = readPidFile(file);
  // Our own number in the file: a predecessor in a container that had the same one.
  if (old !== null && old !== process.pid && isAlive(old)) {
    throw new PidFileError(`pid file found. is another pgpool(${old}) is running?`);
  }
  try {
    removeFile(file);
    writeFileSync(file, `${process.pid}\0`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    throw new PidFileError(`could not write pid file "${file}": ${(error as NodeJS.ErrnoException).code ?? 'unknown reason'}`);
  }
  return old;
}

/** Removes the file if it is still ours. Never throws: this runs at the very end. */
export function removePidFile(file: string): void {
  try {
    if (readPidFile(file) === process.pid) removeFile(file);
  } catch {
    // Nobody is left to be told, and the next start copes with a dead process id.
  }
}

function removeFile(file: string): void {
  try {
    unlinkSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** EPERM means that it lives, under another user. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
