/** ssl_passphrase_command: a shell command that prints the passphrase of the private key on its first line. */
import { spawnSync, type SpawnSyncOptions } from 'node:child_process';

/** The primary thread waits for it, and clients with it. */
const defaultLimitMs = 10_000;
const maxOutputBytes = 64 * 1024;
/** OpenSSL's prompt, which PostgreSQL hands over too. */
const prompt = 'Enter PEM pass phrase:';

/** The text follows "ssl_passphrase_command" and holds nothing of what the command printed. */
export class PassphraseError extends Error {
  override readonly name = 'PassphraseError';
}

/** `detached` (of spawn; not in the documentation of spawnSync, which has it too) makes it the head of a group of its own. */
const groupOptions: SpawnSyncOptions & { detached: true } = {
  maxBuffer: maxOutputBytes, stdio: ['ignore', 'pipe', 'inherit'], killSignal: 'SIGKILL', detached: true,
};

/** Node ends the shell alone: what the shell has started must not outlive it. */
function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // All of it has ended.
  }
}

/**
 * `%p` stands for the prompt, `%%` for a percent sign.
 * @param limitMs then all that the command has started is ended
 * @throws PassphraseError
 */
export function runPassphraseCommand(command: string, limitMs = defaultLimitMs): string {
  const line = command.replaceAll(/%(.)/g, (text, letter: string) => (letter === 'p' ? prompt : letter === '%' ? '%' : text));
  const { error, status, signal, stdout, pid } = spawnSync('/bin/sh', ['-c', line], { ...groupOptions, timeout: limitMs });
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  if (error !== undefined && pid > 0) endGroup(pid);
  if (code === 'ETIMEDOUT') throw new PassphraseError(`did not end within ${limitMs / 1000} s`);
  if (error !== undefined) throw new PassphraseError(`could not be run (${code ?? 'unknown reason'})`);
  if (status !== 0) throw new PassphraseError(signal === null ? `ended with status ${status}` : `was ended by ${signal}`);
  return stdout.toString('utf8').split('\n', 1)[0]?.replace(/\r$/, '') ?? '';
}
