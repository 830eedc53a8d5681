/** What the system knows about processes: needed for servers that do not share our process group. */
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';

interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  /** `Z` for a zombie: dead, its parent has not asked yet. */
  readonly state: string;
}

/** The direct children of a process, for example the backends of a postmaster. */
export function childrenOf(pid: number): number[] {
  return processTable().filter((row) => row.parent === pid).map((row) => row.pid);
}

/** True while the process runs; a zombie does not run any more. */
export function isRunning(pid: number): boolean {
  const row = process.platform === 'linux' ? readStat(String(pid)) : processTable().find((row) => row.pid === pid);
  return row !== undefined && !row.state.startsWith('Z');
}

/** Sends a signal; a process that is gone is not an error. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Blocks this thread: only for the last moments of a process, when its event loop no longer turns. */
export function sleepBlocking(waitMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, waitMs);
}

// Linux: /proc, because slim images have no `ps`. Elsewhere `ps` is always there.
function processTable(): ProcessRow[] {
  if (process.platform === 'linux') {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(readStat).filter((row) => row !== undefined);
  }
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid=,stat='], { encoding: 'utf8' });
  return stdout.trim().split('\n').map((line) => {
    const [pid = '', parent = '', state = ''] = line.trim().split(/\s+/);
    return { pid: Number(pid), parent: Number(parent), state };
  });
}

/** /proc/PID/stat is `pid (name) state ppid ...`, and the name may hold blanks and parentheses. */
function readStat(pid: string): ProcessRow | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  const [state = '', parent = ''] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { pid: Number(pid), parent: Number(parent), state };
}
