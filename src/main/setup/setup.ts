/** Makes a cluster in a directory: servers, pgpool's files, scripts; starts it once to complete it. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { serverIdentity } from '../demo/unprivileged.js';
import { portText, writeControlScripts } from './control-scripts.js';
import { checkDirectory, checkSocketDirectory, makeDirectories, SetupError } from './directory.js';
import { prepareServers, showNodes } from './first-sql.js';
import { commandsOf, type Layout, operatingSystemUser } from './layout.js';
import { writePgpoolFiles } from './pgpool-files.js';
import { createServers, makeServersDirectory } from './server-directories.js';
import { findServerPrograms } from './server-programs.js';
import { modesToCome, setupModes, type SetupOptions } from './setup-options.js';

export interface SetupRequest {
  readonly directory: string;
  readonly options: SetupOptions;
  readonly environment: Layout['environment'];
  /** With -e: the set-up that has the servers. */
  readonly serversDirectory?: string;
  readonly moreSettings?: Layout['moreSettings'];
  /** Writes further files, before anything is started. */
  readonly complete?: (layout: Layout) => void;
  readonly say: (text: string) => void;
}

/** Whether pgloom can start in the mode of this set-up. */
export function startsPgpool(options: SetupOptions): boolean {
  return !modesToCome.includes(options.mode);
}

function layoutOf({ directory, options, environment, serversDirectory, moreSettings }: SetupRequest): Layout {
  const identity = serverIdentity();
  const given = environment['PGSOCKET_DIR'] ?? '';
  const socketDirectory = given === '' ? '/tmp' : given;
  checkSocketDirectory(socketDirectory);
  checkDirectory(directory, identity);
  const programs = options.withoutServers ? null : findServerPrograms(environment['PGBIN'] ?? '', identity, directory);
  return {
    directory, serversDirectory: serversDirectory ?? directory, options, programs, identity, user: operatingSystemUser(), socketDirectory,
    ...commandsOf(environment), environment, moreSettings: moreSettings ?? {},
  };
}

/** Runs a script of the set-up. @throws SetupError when it fails */
export function runScript(directory: string, name: string, ...more: readonly string[]): void {
  const run = spawnSync(path.join(directory, name), more, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (run.status !== 0) throw new SetupError(`${path.join(directory, name)} failed; see ${path.join(directory, 'log')}`);
}

/** Stops everything when the process is told to end meanwhile, so that no server is left behind. */
function stopOnSignals(directory: string): () => void {
  const signals = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;
  const end = (): void => {
    try {
      runScript(directory, 'shutdownall');
    } finally {
      process.exit(1);
    }
  };
  for (const signal of signals) process.once(signal, end);
  return () => {
    for (const signal of signals) process.off(signal, end);
  };
}

async function firstStart(layout: Layout, say: (text: string) => void): Promise<void> {
  const { directory, options } = layout;
  runScript(directory, 'startall', '--servers');
  if (layout.programs !== null) await prepareServers(layout);
  if (!startsPgpool(options)) return;
  runScript(directory, 'startall');
  for (const line of await showNodes(layout)) say(line);
}

/**
 * Makes the cluster, starts it, and stops it again unless `noStop` is set or something fails.
 * @throws SetupError, and Error of the programs that it runs
 */
export async function setUp(request: SetupRequest): Promise<Layout> {
  const { options, say } = request;
  const layout = layoutOf(request);
  say(`Starting set up in ${setupModes[options.mode].replaceAll('_', ' ')} mode`);
  if (layout.programs !== null) say(`PostgreSQL ${layout.programs.majorVersion} of ${layout.programs.directory}`);
  if (layout.identity !== undefined && layout.programs !== null) say(`the servers run as user ${layout.identity.name}, because PostgreSQL does not run as root; pgpool runs as ${layout.user}`);
  makeDirectories(layout.directory);
  // Not log/ itself: pgpool, which may be root's, writes there, and the servers must not lead it elsewhere.
  await makeServersDirectory(layout, path.join(layout.directory, 'log', 'servers'));
  writePgpoolFiles(layout);
  writeControlScripts(layout);
  request.complete?.(layout);
  await createServers(layout, say);
  const forget = stopOnSignals(layout.directory);
  let isDone = false;
  try {
    await firstStart(layout, say);
    isDone = true;
  } finally {
    forget();
    if (!isDone || !options.noStop) {
      say('stopping everything');
      runScript(layout.directory, 'shutdownall');
    }
  }
  return layout;
}

/** What to do next, and what does not work yet. */
export function closingText(layout: Layout): string {
  const { directory, options, user } = layout;
  const lines = [
    `To start the whole system, use ${path.join(directory, 'startall')}.`,
    `To shutdown the whole system, use ${path.join(directory, 'shutdownall')}.`,
    `pcp command user name is "${user}", password is "${user}".`,
    'Each PostgreSQL, pgpool and pcp port is as follows:',
    `${portText(layout)}The info above is in README.port.`,
  ];
  if (!startsPgpool(options)) {
    lines.push(`Attention: pgloom does not support the mode ${setupModes[options.mode]} yet. The servers and all files are there, but pgpool refuses to start;`, '`startall --servers` starts the servers alone.');
  }
  return `${lines.join('\n')}\n`;
}
