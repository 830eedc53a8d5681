/**
 * Start in the background. The command starts a second process in a session of its own and waits until that one is
 * ready or has failed:
 *
 *   pgpool ──spawn (setsid, cwd /, 0 and 1 on /dev/null)──▶ pgpool that stays
 *     ◀── ready | failed: text ── IPC channel, closed then ──┘
 *   exit 0 | 1
 *
 * Pgpool-II's command ends at once, and nobody learns that the start has failed.
 */
import { spawn } from 'node:child_process';
import { type CommandLine, startArguments } from './options.js';

/** Environment variable that tells the second process what it is. */
const roleVariable = 'PGLOOM_DETACHED_START';

export type StartMessage =
  | { readonly type: 'ready'; readonly warning: string | null }
  | { readonly type: 'failed'; readonly text: string };

/**
 * Starts pgpool in the background.
 * @param script file of the `pgpool` command
 * @returns the exit status, after whatever there is to say has been printed
 */
export function startDetached(script: string, line: CommandLine): Promise<number> {
  const child = spawn(process.execPath, [...process.execArgv, script, ...startArguments(line)], {
    detached: true,
    cwd: '/',
    env: { ...process.env, [roleVariable]: '1' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  let interrupted = false;
  // The child is in another session: a Ctrl-C at the terminal does not reach it.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      interrupted = true;
      child.kill('SIGINT');
    });
  }
  return new Promise((resolve) => {
    let told = false;
    const finish = (status: number, text: string | null): void => {
      if (told) return;
      told = true;
      if (text !== null) process.stderr.write(`${text}\n`);
      child.unref();
      if (child.connected) child.disconnect();
      resolve(status);
    };
    child.once('error', (error) => finish(1, `FATAL:  could not start pgpool in the background: ${error.message}`));
    child.on('message', (message: StartMessage) => {
      if (message.type === 'failed') finish(1, message.text);
      // One that was interrupted stops as soon as it is ready: its end is waited for.
      else if (!interrupted) finish(0, message.warning);
    });
    // Messages that are under way when it ends come before the channel's end.
    const ended = new Promise<string>((resolveEnd) => {
      child.once('exit', (status, signal) => resolveEnd(signal === null ? `exit status ${status}` : `signal ${signal}`));
    });
    const closed = new Promise((resolveClose) => child.once('disconnect', resolveClose));
    void Promise.all([ended, closed]).then(([how]) => finish(1, interrupted ? 'FATAL:  the start was interrupted' : `FATAL:  pgpool ended during its start (${how})`));
  });
}

/** Whether this is the second process. Asked once: scripts that it starts must not take themselves for it. */
export function isDetachedStart(): boolean {
  const found = process.env[roleVariable] !== undefined;
  delete process.env[roleVariable];
  return found && process.send !== undefined;
}

/** From the second process to the first. Resolves when it is sent, or the first one has gone; the channel is closed then. */
export function tellStarter(message: StartMessage): Promise<void> {
  return new Promise((resolve) => {
    const close = (): void => {
      if (process.connected) process.disconnect();
      resolve();
    };
    if (process.connected) process.send?.(message, undefined, undefined, close);
    else resolve();
  });
}
