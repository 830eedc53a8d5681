/** `pgpool stop`: asks the running pgpool to end, and waits until it has. */
import { readFileSync, readlinkSync, unlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, isPidFileOwned, readPidFile } from '../pid-file.js';
import { removeRunRecord } from '../run-record.js';
import type { CommandLine, StopMode } from './options.js';
import { pidFileName } from './pid-file-name.js';

const signals: Readonly<Record<StopMode, NodeJS.Signals>> = { smart: 'SIGTERM', fast: 'SIGINT', immediate: 'SIGQUIT' };

const dotMs = 1000;
/** The signal is sent again after this many dots, as Pgpool-II does. */
const dotsPerSignal = 5;
const lookMs = 50;

/** The command cannot do its work; the text is for people. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

export interface Target {
  readonly pid: number;
  readonly pidFile: string;
}

/** The pgpool that pgpool.conf speaks of. @throws CommandError when its pid file cannot be read, PidFileError */
export function findTarget(line: CommandLine): Target {
  const { file, warning } = pidFileName(line.configFile);
  if (warning !== null) process.stderr.write(`WARNING:  ${warning}\n`);
  const pid = readPidFile(file);
  if (pid === null) throw new CommandError(`FATAL:  could not read pid file\nDETAIL:  no process id in "${file}"`);
  return { pid, pidFile: file };
}

/** @param failure the error's first words, in Pgpool-II's phrase. @throws CommandError */
export function signalTarget({ pid, pidFile }: Target, signal: NodeJS.Signals, failure: string): void {
  if (isAlive(pid) && !isPidFileOwned(pidFile, pid)) {
    throw new CommandError(`FATAL:  ${failure} pid: ${pid}\nDETAIL:  it has ended, and the number belongs to another process now`);
  }
  if (isAlive(pid) && !looksLikePgpool(pid)) {
    throw new CommandError(`FATAL:  ${failure} pid: ${pid}\nDETAIL:  it is neither node nor pgpool; the number belongs to another process now`);
  }
  try {
    process.kill(pid, signal);
  } catch (error) {
    throw new CommandError(`FATAL:  ${failure} pid: ${pid}\nDETAIL:  ${killFailure(error)}`, { cause: error });
  }
}

/** By its program's file or its first word; true where there is no telling. Pgpool-II's own pgpool may be stopped, too. */
function looksLikePgpool(pid: number): boolean {
  const read = (get: () => string): string[] => {
    try {
      return [get()];
    } catch {
      return []; // Another user's, or there is no /proc.
    }
  };
  const names = [...read(() => readlinkSync(`/proc/${pid}/exe`)), ...read(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0] ?? '')];
  return names.length === 0 || names.some((name) => /^(?:\S*\/)?(?:node|pgpool|pgloom)(?:[^/]*$|[: ])/.test(name));
}

function killFailure(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ESRCH' ? 'No such process' : code === 'EPERM' ? 'Operation not permitted' : String(code);
}

/** @returns the exit status. @throws CommandError, PidFileError */
export async function stopCommand(line: CommandLine): Promise<number> {
  const target = findTarget(line);
  const signal = signals[line.mode];
  signalTarget(target, signal, 'could not stop process with');
  process.stderr.write(`LOG:  stop request sent to pgpool (pid: ${target.pid}). waiting for termination...\n`);
  for (let dots = 1; !await endsWithin(target.pid, dotMs); dots++) {
    if (dots % dotsPerSignal === 0) sendAgain(target, signal);
  }
  process.stderr.write('done.\n');
  removeLeftPidFile(target);
  return 0;
}

function sendAgain({ pid, pidFile }: Target, signal: NodeJS.Signals): void {
  try {
    if (isPidFileOwned(pidFile, pid)) process.kill(pid, signal);
  } catch {
    // It has ended just now, with its file.
  }
}

/** Prints the dot of this second. */
async function endsWithin(pid: number, limitMs: number): Promise<boolean> {
  process.stderr.write('.');
  for (const deadlineMs = performance.now() + limitMs; performance.now() < deadlineMs;) {
    if (!isAlive(pid)) return true;
    await sleep(lookMs);
  }
  return !isAlive(pid);
}

/** pgpool removes its file and its run record itself, unless it was killed meanwhile. */
function removeLeftPidFile({ pid, pidFile }: Target): void {
  try {
    if (readPidFile(pidFile) !== pid) return;
    unlinkSync(pidFile);
    removeRunRecord(pidFile);
  } catch {
    // It has ended, which is what was asked for; the next start copes with the file.
  }
}
