#!/usr/bin/env node
/** The `pgpool` command (reference/commands.md section 1). */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { AccessFileError } from './access/access-file.js';
import { ConfigError } from './config/errors.js';
import { ListenError } from './listen/listen-error.js';
import { PidFileError } from './pid-file.js';
import { runPgpool, type RunningPgpool } from './pgpool-server.js';
import { versionText } from '../shared/version.js';

const usage = `${versionText()}

Usage:
  pgpool [options]

Options:
  -a, --hba-file=FILE         path of pool_hba.conf
  -f, --config-file=FILE      path of pgpool.conf
  -F, --pcp-file=FILE         path of pcp.conf
  -k, --key-file=FILE         path of the key file
  -n, --dont-detach           stay in the foreground
  -D, --discard-status        do not restore the states of the nodes
  -C, --clear-oidmaps         clear the query cache's table maps
  -d, --debug                 log debug messages
  -x, --debug-assertions      accepted; there is nothing to turn on
  -m, --mode=MODE             of stop: smart, fast or immediate
  -v, --version               print the version and exit
  -h, --help                  print this and exit
`;

const defaultDirectory = '/etc/pgpool2';

function fail(text: string): never {
  process.stderr.write(`${text.trimEnd()}\n`);
  process.exit(1);
}

function readArguments(): ReturnType<typeof parse> {
  try {
    return parse();
  } catch (error) {
    return fail(`pgpool: ${(error as Error).message}\n${usage}`);
  }
}

function parse() {
  return parseArgs({
    allowPositionals: true,
    options: {
      'hba-file': { type: 'string', short: 'a' },
      'config-file': { type: 'string', short: 'f' },
      'pcp-file': { type: 'string', short: 'F' },
      'key-file': { type: 'string', short: 'k' },
      'dont-detach': { type: 'boolean', short: 'n' },
      'discard-status': { type: 'boolean', short: 'D' },
      'clear-oidmaps': { type: 'boolean', short: 'C' },
      debug: { type: 'boolean', short: 'd' },
      'debug-assertions': { type: 'boolean', short: 'x' },
      mode: { type: 'string', short: 'm' },
      version: { type: 'boolean', short: 'v' },
      help: { type: 'boolean', short: 'h' },
    },
  });
}

/**
 * SIGHUP reloads, SIGTERM is a smart stop, SIGINT and SIGQUIT a fast one (also during a smart one). A stop that
 * comes during the start waits for its end, so that nothing is left half made.
 */
function obeySignals(starting: Promise<RunningPgpool>): void {
  const stop = (mode: 'smart' | 'fast') => (): void => {
    // A failed start is told by main().
    starting.then((pgpool) => pgpool.stop(mode)).catch(() => undefined);
  };
  process.on('SIGHUP', () => {
    starting.then((pgpool) => pgpool.reload()).catch(() => undefined);
  });
  process.on('SIGTERM', stop('smart'));
  process.on('SIGINT', stop('fast'));
  process.on('SIGQUIT', stop('fast'));
}

/** Faults of files and addresses are told in their own words; anything else is a fault of pgloom's, with its stack. */
function startFailure(error: unknown): string {
  if (error instanceof ConfigError || error instanceof AccessFileError) return error.message;
  if (error instanceof PidFileError) return `ERROR: ${error.message}`;
  if (error instanceof ListenError) return `FATAL: ${error.message}`;
  return `FATAL: pgpool could not start\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}

async function main(): Promise<void> {
  const { values, positionals } = readArguments();
  if (values.help === true) {
    process.stderr.write(usage);
    return;
  }
  if (values.version === true) {
    process.stderr.write(`${versionText()}\n`);
    return;
  }
  const [word, ...more] = positionals;
  if (more.length > 0) fail(`pgpool: too many arguments\n${usage}`);
  if (word === 'stop' || word === 'reload') fail(`pgpool: ${word} comes with a later version; send SIG${word === 'stop' ? 'TERM or SIGINT' : 'HUP'} to the process in the pid file`);
  if (word !== undefined) fail(`pgpool: unknown argument "${word}"\n${usage}`);
  const foreground = values['dont-detach'] === true;
  if (!foreground) process.stderr.write('WARNING: pgpool stays in the foreground; running in the background comes with a later version\n');
  const starting = runPgpool({
    configFile: path.resolve(values['config-file'] ?? path.join(defaultDirectory, 'pgpool.conf')),
    pcpFile: values['pcp-file'] === undefined ? undefined : path.resolve(values['pcp-file']),
    hbaFile: values['hba-file'] === undefined ? undefined : path.resolve(values['hba-file']),
    foreground,
    debug: values.debug === true,
  });
  obeySignals(starting);
  try {
    process.exitCode = await (await starting).ended;
  } catch (error) {
    fail(startFailure(error));
  }
  process.exit();
}

await main();
