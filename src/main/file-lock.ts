/**
 * Locks on files, by flock(2): held for as long as the descriptor is open, so the system gives them up when the
 * process ends, however it ends. Node has no call for it.
 */
import koffi from 'koffi';

const libc = koffi.load(null);
const flock = libc.func('int flock(int fd, int operation)') as (fd: number, operation: number) => number;

const SHARED = 1;
const EXCLUSIVE = 2;
const NO_WAITING = 4;

/** `taken`: somebody else has it. `impossible`: this file system (or system) has no locks. */
export type LockResult = 'locked' | 'taken' | 'impossible';

/** Tries to lock; never waits. */
export function lockFile(fd: number, kind: 'shared' | 'exclusive'): LockResult {
  if (flock(fd, (kind === 'shared' ? SHARED : EXCLUSIVE) | NO_WAITING) === 0) return 'locked';
  return koffi.errno() === koffi.os.errno['EAGAIN'] ? 'taken' : 'impossible';
}
