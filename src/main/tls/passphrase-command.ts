/** ssl_passphrase_command: a shell command that prints the passphrase of the private key on its first line. */
import { spawnSync } from 'node:child_process';

/** The primary thread waits for it, and clients with it. */
const limitMs = 10_000;
const maxOutputBytes = 64 * 1024;
/** OpenSSL's prompt, which PostgreSQL hands over too. */
const prompt = 'Enter PEM pass phrase:';

/** The text follows "ssl_passphrase_command" and holds nothing of what the command printed. */
export class PassphraseError extends Error {
  override readonly name = 'PassphraseError';
}

/** `%p` stands for the prompt, `%%` for a percent sign. @throws PassphraseError */
export function runPassphraseCommand(command: string): string {
  const line = command.replaceAll(/%(.)/g, (text, letter: string) => (letter === 'p' ? prompt : letter === '%' ? '%' : text));
  const { error, status, signal, stdout } = spawnSync('/bin/sh', ['-c', line], {
    timeout: limitMs, maxBuffer: maxOutputBytes, stdio: ['ignore', 'pipe', 'inherit'], killSignal: 'SIGKILL',
  });
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  if (code === 'ETIMEDOUT') throw new PassphraseError(`did not end within ${limitMs / 1000} s`);
  if (error !== undefined) throw new PassphraseError(`could not be run (${code ?? 'unknown reason'})`);
  if (status !== 0) throw new PassphraseError(signal === null ? `ended with status ${status}` : `was ended by ${signal}`);
  return stdout.toString('utf8').split('\n', 1)[0]?.replace(/\r$/, '') ?? '';
}
