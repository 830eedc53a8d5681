/** Options of pgpool_setup and watchdog_setup (reference/commands.md section 9). */

/** What keeps the servers the same, by the letter of `-m`. */
export const setupModes = {
  s: 'streaming_replication',
  r: 'native_replication',
  n: 'raw',
  l: 'logical_replication',
  i: 'snapshot_isolation',
} as const;
export type SetupMode = keyof typeof setupModes;

/** Modes in which pgloom does not start yet. */
export const modesToCome: readonly SetupMode[] = ['r', 'l', 'i'];

export interface SetupOptions {
  readonly mode: SetupMode;
  readonly nodes: number;
  readonly basePort: number;
  /** Port of node 0; the others follow. */
  readonly serverPort: number;
  readonly noStop: boolean;
  readonly debug: boolean;
  readonly slots: boolean;
  readonly rewind: boolean;
  /** The servers exist already: only pgpool is set up. */
  readonly withoutServers: boolean;
  /** Sets health_check_test, for test programs. */
  readonly test: boolean;
}

export interface WatchdogSetupOptions extends SetupOptions {
  readonly pgpools: number;
  /** Null when there is none. */
  readonly virtualIp: string | null;
}

/** A command line that cannot be understood; the message is for people. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const setupUsage = `Usage: pgpool_setup [OPTION]...
Makes a running cluster in the current directory, which must be empty: PostgreSQL servers and a pgpool.

  -m MODE        s: streaming replication (the default), n: raw, r: native replication, l: logical replication,
                 i: snapshot isolation
  -n NODES       how many servers (2)
  -p PORT        port of pgpool (11000); PCP has the next one, then come the servers
  -pg PORT       port of the first server instead
  --no-stop      leave everything running
  -d             pgpool logs debug messages
  -s             standbys use replication slots
  -r             follow_primary.sh tries pg_rewind before it copies
  -e             no servers: they exist already, at the ports that -pg says
  -t             health_check_test = on
  -c             accepted: the sample scripts are used anyway
  -h, --help     print this

Environment: PGPOOL_INSTALL_DIR, PGBIN, PGLIB, PGSOCKET_DIR (/tmp), INITDBARG, USE_REPLICATION_SLOT, USE_PG_REWIND,
ENABLE_TEST. PGPOOLDIR and TEST_SAMPLES do nothing.
`;

export const watchdogUsage = `Usage: watchdog_setup [OPTION]...
Makes several pgpools with watchdog parameters in front of one set of servers in the current directory, which must be empty.

  -wn PGPOOLS    how many pgpools (3)
  -wp PORT       port of the first one (50000); each has four: clients, PCP, watchdog, heartbeat. The servers' ports
                 begin 1000 higher
  -m MODE        as pgpool_setup
  -n NODES       how many servers (2)
  -vip [IP]      virtual address (127.0.0.1)
  --no-stop      leave everything running
  -d             the pgpools log debug messages
  -h, --help     print this

Environment: as pgpool_setup. PGPOOL_SETUP does nothing.
`;

type Environment = Readonly<Record<string, string | undefined>>;

/** What the options take: a number between two bounds, a word, a word that may be missing, or nothing. */
const numbers: Readonly<Record<string, readonly [number, number]>> = { '-n': [1, 128], '-p': [1024, 65_535], '-pg': [1024, 65_535], '-wn': [1, 32], '-wp': [1024, 64_000] };
const switches = ['--no-stop', '-d', '-s', '-r', '-e', '-t', '-c'];
const highestPort = 65_535;

function numberOf(option: string, text: string | undefined): number {
  const [least, most] = numbers[option] ?? [0, 0];
  const value = Number(text);
  if (text === undefined || !/^\d+$/.test(text) || value < least || value > most) throw new UsageError(`${option} takes a number from ${least} to ${most}`);
  return value;
}

function modeOf(text: string | undefined): SetupMode {
  if (text !== undefined && Object.hasOwn(setupModes, text)) return text as SetupMode;
  if (text === 'y') throw new UsageError('-m y: Slony-I is not supported; see pgpool.conf.sample-slony');
  throw new UsageError(`-m takes one of the letters ${Object.keys(setupModes).join(', ')}`);
}

/** Reads the words of a command line into option and value; `known` are the options of this command. */
function readOptions(words: readonly string[], known: readonly string[]): Map<string, string | number | true> {
  const found = new Map<string, string | number | true>();
  for (let at = 0; at < words.length; at++) {
    const option = words[at] ?? '';
    if (!known.includes(option)) throw new UsageError(`unknown option "${option}"`);
    if (switches.includes(option)) {
      found.set(option, true);
    } else if (option === '-vip') {
      const next = words[at + 1];
      const hasValue = next !== undefined && !next.startsWith('-');
      if (hasValue) at++;
      found.set(option, hasValue ? next : '127.0.0.1');
    } else {
      at++;
      found.set(option, option === '-m' ? modeOf(words[at]) : numberOf(option, words[at]));
    }
  }
  return found;
}

function common(found: Map<string, string | number | true>, environment: Environment): Omit<SetupOptions, 'basePort' | 'serverPort'> {
  const isOn = (option: string, variable: string): boolean => found.has(option) || environment[variable] === 'true';
  return {
    mode: (found.get('-m') ?? 's') as SetupMode,
    nodes: Number(found.get('-n') ?? 2),
    noStop: found.has('--no-stop'),
    debug: found.has('-d'),
    slots: isOn('-s', 'USE_REPLICATION_SLOT'),
    rewind: isOn('-r', 'USE_PG_REWIND'),
    withoutServers: found.has('-e'),
    test: isOn('-t', 'ENABLE_TEST'),
  };
}

function checkPorts(last: number): void {
  if (last > highestPort) throw new UsageError(`the ports would reach ${last}; the highest is ${highestPort}`);
}

/** @throws UsageError */
export function readSetupOptions(words: readonly string[], environment: Environment): SetupOptions {
  const found = readOptions(words, ['-m', '-n', '-p', '-pg', ...switches]);
  const basePort = Number(found.get('-p') ?? 11_000);
  const serverPort = Number(found.get('-pg') ?? basePort + 2);
  const options = { ...common(found, environment), basePort, serverPort };
  checkPorts(serverPort + options.nodes - 1);
  if (serverPort < basePort + 2 && serverPort + options.nodes > basePort) throw new UsageError('the ports of -p and -pg overlap');
  return options;
}

/** @throws UsageError */
export function readWatchdogOptions(words: readonly string[], environment: Environment): WatchdogSetupOptions {
  const found = readOptions(words, ['-wn', '-wp', '-m', '-n', '-vip', '--no-stop', '-d']);
  const basePort = Number(found.get('-wp') ?? 50_000);
  const virtualIp = found.get('-vip');
  const options = {
    ...common(found, environment), basePort, serverPort: basePort + 1000, pgpools: Number(found.get('-wn') ?? 3),
    virtualIp: virtualIp === undefined ? null : String(virtualIp),
  };
  checkPorts(options.serverPort + options.nodes - 1);
  return options;
}
