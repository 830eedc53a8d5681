/** ssl_passphrase_command: a shell command that prints the passphrase of the private key on its first line. */
import { type ChildProcess, spawn } from 'node:child_process';

/** Whoever starts pgloom or has it reload waits for so long at the most. */
const defaultLimitMs = 10_000;
const maxOutputBytes = 64 * 1024;
/** OpenSSL's prompt, which PostgreSQL hands over too. */
const prompt = 'Enter PEM pass phrase:';

/** The text follows "ssl_passphrase_command" and holds nothing of what the command printed. */
export class PassphraseError extends Error {
  override readonly name = 'PassphraseError';
}

export interface PassphraseOptions {
  /** Then all that the command has started is ended. */
  readonly limitMs?: number;
  /** Ends it earlier: pgloom is shut down. */
  readonly giveUp?: AbortSignal | undefined;
}

/**
 * Runs beside the serving of clients. `%p` stands for the prompt, `%%` for a percent sign.
 * @returns the first line that it printed
 * @throws PassphraseError
 */
export function runPassphraseCommand(command: string, { limitMs = defaultLimitMs, giveUp }: PassphraseOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    if (giveUp?.aborted === true) throw new PassphraseError('was not run');
    const child = start(command);
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    const settled = (): void => {
      clearTimeout(timer);
      giveUp?.removeEventListener('abort', onAbort);
      child.removeAllListeners('close').removeAllListeners('error').on('error', () => undefined);
    };
    const fail = (text: string): void => {
      settled();
      reject(new PassphraseError(text));
    };
    const end = (text: string): void => {
      endGroup(child);
      fail(text);
    };
    const onAbort = (): void => end('was ended by the shutdown');
    const timer = setTimeout(() => end(`did not end within ${limitMs / 1000} s`), limitMs);
    giveUp?.addEventListener('abort', onAbort);
    // There is none when no descriptor is left.
    child.stdout?.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      sizeBytes += chunk.length;
      if (sizeBytes > maxOutputBytes) end(`printed more than ${maxOutputBytes / 1024} kB`);
    });
    child.on('error', (error) => fail(notRun(error)));
    // Not `exit`, which may come ahead of the last of the output.
    child.on('close', (status, signal) => {
      if (status !== 0) return fail(signal === null ? `ended with status ${status}` : `was ended by ${signal}`);
      settled();
      resolve(Buffer.concat(chunks).toString('utf8').split('\n', 1)[0]?.replace(/\r$/, '') ?? '');
    });
  });
}

/** @throws PassphraseError */
function start(command: string): ChildProcess {
  const line = command.replaceAll(/%(.)/g, (text, letter: string) => (letter === 'p' ? prompt : letter === '%' ? '%' : text));
  try {
    // `detached` makes it the head of a process group of its own.
    return spawn('/bin/sh', ['-c', line], { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  } catch (error) {
    // Node's own sentence may hold the command.
    throw new PassphraseError(notRun(error as NodeJS.ErrnoException));
  }
}

function notRun({ code }: NodeJS.ErrnoException): string {
  return `could not be run (${code ?? 'unknown reason'})`;
}

/** Node ends the shell alone: what the shell has started must not outlive it, nor keep its output open for us. */
function endGroup({ pid, stdout }: ChildProcess): void {
  stdout?.destroy();
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // All of it has ended.
  }
}
