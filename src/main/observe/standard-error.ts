/**
 * Descriptor 2, to which all threads, Node itself and the scripts that pgloom starts write.
 *
 * What libc does with descriptors and Node does not offer goes through koffi: dup2() puts a file in the place of
 * another for all threads at once.
 */
import koffi from 'koffi';
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { isatty } from 'node:tty';

const libc = koffi.load(null);
const dup2 = libc.func('int dup2(int from, int to)') as (from: number, to: number) => number;
const fcntl = libc.func('int fcntl(int fd, int cmd, ...)') as (fd: number, command: number, type: string, argument: number) => number;

/** Of <fcntl.h>; the same on Linux and macOS but for the first. */
const dupCloseOnExec = process.platform === 'darwin' ? 67 : 1030;
const getFlags = 3;
const setFlags = 4;

/** A copy of the descriptor that child processes do not inherit, or -1. */
export function duplicate(fd: number): number {
  return fcntl(fd, dupCloseOnExec, 'int', 0);
}

/**
 * Makes `target` mean what `fd` means, for every thread from one system call to the next. `fd` stays open.
 * @throws Error when the system refuses
 */
export function replaceDescriptor(fd: number, target: number): void {
  if (dup2(fd, target) >= 0) return;
  const errno = koffi.errno();
  const name = Object.entries(koffi.os.errno).find(([, number]) => number === errno)?.[0] ?? `errno ${errno}`;
  throw new Error(`could not replace descriptor ${target}: ${name}`);
}

/**
 * Sees to it that a write to the descriptor never waits. Needed for pipes, sockets and terminals: when nobody reads them, a
 * thread that wrote a line would stand still with all its clients.
 *
 * The flag belongs to what several processes may share (a shell and its terminal), so the thing is opened
 * anew where the system lets us; a socket it does not.
 */
export function neverBlock(fd: number): void {
  const stat = fstatSync(fd);
  const isTerminal = isatty(fd);
  if (!stat.isFIFO() && !stat.isSocket() && !isTerminal) return;
  try {
    const own = openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    try {
      replaceDescriptor(own, fd);
    } finally {
      closeSync(own);
    }
  } catch {
    // Another program may be reading the terminal: it would be told EAGAIN.
    if (!isTerminal) fcntl(fd, setFlags, 'int', fcntl(fd, getFlags, 'int', 0) | constants.O_NONBLOCK);
  }
}
