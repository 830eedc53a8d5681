/**
 * replication_delay_source_cmd: a program that says how late each standby is.
 *
 * It is run by /bin/sh with `host:port` of every standby as its arguments, in node order and without the primary, and
 * prints as many numbers in the same order, separated by white space: milliseconds, also with a fraction, or -1 for a
 * standby that is down. Anything else is refused as a whole: a delay that was guessed could send a read to stale rows.
 */
import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Backend } from '../../shared/settings.js';

/** Enough for the 128 nodes; a program that prints more has something else in mind. */
const maxOutputBytes = 4096;
const numberPattern = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
/** A year. Beyond it stands a mistake, and the sum must stay an exact number of microseconds. */
const maxDelayMs = 366 * 24 * 3600 * 1000;

/** Why its output was not used; safe to log. */
export class DelayCommandError extends Error {
  override readonly name = 'DelayCommandError';
}

/** How the program is told about a node. */
export function identifierOf({ id, hostname, port }: Backend): string {
  return hostname === '' ? `unknown_node_${id}` : `${hostname}:${port}`;
}

/**
 * Runs the program and returns what it prints.
 * @param args appended to it, each one word, never read as shell text
 * @param limitMs after that, or with `signal`, it is killed with all that it started
 * @throws DelayCommandError when it fails, is killed, or prints too much
 */
export function runDelayCommand(command: string, args: readonly string[], limitMs: number, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(new DelayCommandError('was stopped'));
      return;
    }
    // A process group of its own: what the shell has started dies with it.
    const child = spawn('/bin/sh', ['-c', `${command} "$@"`, 'sh', ...args], { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    let failure: DelayCommandError | null = null;
    const end = (text: string | null, reason = ''): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      if (text === null) reject(failure ?? new DelayCommandError(reason));
      else resolve(text);
    };
    const kill = (reason: string): void => {
      failure ??= new DelayCommandError(reason);
      if (child.pid !== undefined) killGroup(child.pid);
      // Whoever left the group may hold the pipe for ever.
      stdout?.destroy();
    };
    const onAbort = (): void => kill('was stopped');
    const timer = setTimeout(() => kill(`did not end within ${limitMs / 1000} seconds and was killed`), limitMs);
    signal.addEventListener('abort', onAbort);
    // Without a free descriptor there is no pipe, whatever its type says; then the error event follows.
    const stdout = child.stdout as Readable | undefined;
    stdout?.on('error', () => undefined).on('data', (chunk: Buffer) => {
      sizeBytes += chunk.length;
      if (sizeBytes > maxOutputBytes) kill(`printed more than ${maxOutputBytes} bytes`);
      else chunks.push(chunk);
    });
    child.on('error', (error: NodeJS.ErrnoException) => end(null, `could not be run: ${error.code ?? 'unknown reason'}`));
    child.on('close', (code, killedBy) => {
      if (failure === null && code === 0) end(Buffer.concat(chunks).toString('latin1'));
      else end(null, code === null ? `was ended by ${killedBy}` : `ended with exit code ${code}`);
    });
  });
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It is gone.
  }
}

/**
 * The delays in microseconds in the order of the standbys; null where the program says that one is down.
 * @throws DelayCommandError
 */
export function parseDelays(output: string, standbys: readonly Backend[]): (number | null)[] {
  const words = output.split(/\s+/).filter((word) => word !== '');
  if (words.length !== standbys.length) {
    throw new DelayCommandError(`printed ${words.length} values, expected ${standbys.length}: one for each standby, none for the primary`);
  }
  return words.map((word, at) => {
    const delayMs = numberPattern.test(word) ? Number(word) : Number.NaN;
    if (delayMs === -1) return null;
    if (delayMs >= 0 && delayMs <= maxDelayMs) return Math.round(delayMs * 1000);
    throw new DelayCommandError(`printed an invalid delay for node ${standbys[at]?.id}: '${printable(word)}'`);
  });
}

function printable(word: string): string {
  return word.slice(0, 40).replaceAll(/[^\x20-\x7e]/g, '?');
}
