/** `pgpool` without a word: starts, in the foreground or in the background. */
import { writeSync } from 'node:fs';
import { AccessFileError } from '../access/access-file.js';
import { ConfigError } from '../config/errors.js';
import { ListenError } from '../listen/listen-error.js';
import { LogFileError } from '../observe/log-file-open.js';
import { runPgpool, type RunningPgpool } from '../pgpool-server.js';
import { PidFileError } from '../pid-file.js';
import { logDestinations } from '../../shared/log-destination.js';
import type { Settings } from '../../shared/settings.js';
import { startDetached, tellStarter } from './detach.js';
import { ServiceNotifier } from './notify.js';
import type { CommandLine } from './options.js';
import { RunObserver } from './run-observer.js';
import { GivenStandardError } from './standard-error.js';

/**
 * @param script file of the `pgpool` command
 * @param isDetached whether this is the process that stays in the background
 * @returns the exit status: of the run, or of the start when another process runs
 */
export function startCommand(script: string, line: CommandLine, isDetached: boolean): Promise<number> {
  if (isDetached) return runInBackground(line);
  return line.foreground ? runInForeground(line) : startDetached(script, line);
}

async function runInForeground(line: CommandLine): Promise<number> {
  const starting = run(line, () => undefined);
  try {
    return await (await starting).ended;
  } catch (error) {
    process.stderr.write(`${startFailure(error)}\n`);
    return 1;
  }
}

/** Standard error is not touched through process.stderr here: that would keep the starter's terminal open. */
async function runInBackground(line: CommandLine): Promise<number> {
  const standardError = new GivenStandardError();
  let warning: string | null = null;
  const starting = run(line, (settings) => {
    warning = standardError.isInPlace ? lostLog(settings) : null;
  });
  let pgpool: RunningPgpool;
  try {
    pgpool = await starting;
  } catch (error) {
    await tellStarter({ type: 'failed', text: startFailure(error) });
    return 1;
  }
  standardError.letGo();
  await tellStarter({ type: 'ready', warning });
  return pgpool.ended;
}

function run(line: CommandLine, onReady: (settings: Settings) => void): Promise<RunningPgpool> {
  const observer = new RunObserver(line, ServiceNotifier.fromEnvironment(), (text) => {
    writeSync(2, `WARNING:  ${text}\n`);
  });
  const { configFile, hbaFile, pcpFile, keyFile, foreground, discardStatus, clearOidmaps, debug } = line;
  // Not before the signals are heard: one that comes when the pid file has just been written would leave it behind.
  const starting = Promise.resolve().then(() => runPgpool({
    configFile, hbaFile, pcpFile, keyFile, foreground, discardStatus, clearOidmaps, debug,
    lifecycle: {
      ready: (settings, addresses) => {
        onReady(settings);
        observer.ready(settings, addresses);
      },
      reloading: () => observer.reloading(),
      reloaded: (settings) => observer.reloaded(settings),
      stopping: () => observer.stopping(),
      ended: () => observer.ended(),
    },
  }));
  obeySignals(starting);
  return starting;
}

/**
 * SIGHUP reloads, SIGTERM is a smart stop, SIGINT and SIGQUIT a fast one (also during a smart one). A stop that
 * comes during the start waits for its end, so that nothing is left half made.
 */
function obeySignals(starting: Promise<RunningPgpool>): void {
  // A failed start is told by whoever waits for it.
  const then = (act: (pgpool: RunningPgpool) => unknown) => (): void => {
    starting.then(act).catch(() => undefined);
  };
  process.on('SIGHUP', then((pgpool) => pgpool.reload()));
  process.on('SIGTERM', then((pgpool) => pgpool.stop('smart')));
  process.on('SIGINT', then((pgpool) => pgpool.stop('fast')));
  process.on('SIGQUIT', then((pgpool) => pgpool.stop('fast')));
  // With Pgpool-II it wakes the children after a recovery; unheard it would end the process.
  process.on('SIGUSR2', () => undefined);
}

/** The log goes to a standard error that is about to be closed. */
function lostLog(settings: Settings): string | null {
  if (!logDestinations(settings).includes('stderr')) return null;
  return 'WARNING:  pgpool runs in the background, and its log to standard error is lost: set logging_collector = on, log_destination = syslog, or start with -n';
}

/** Faults of files and addresses are told in their own words; anything else is a fault of pgloom's, with its stack. */
function startFailure(error: unknown): string {
  if (error instanceof ConfigError || error instanceof AccessFileError) return error.message;
  if (error instanceof PidFileError) return `ERROR: ${error.message}`;
  if (error instanceof ListenError || error instanceof LogFileError) return `FATAL: ${error.message}`;
  return `FATAL: pgpool could not start\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}
