/** Reads the command line of a pcp_* command. */
import { getopt, OptionError } from '../../getopt.js';
import { rulesWith, type OptionName } from './option-rules.js';
import { PcpFailure } from './failure.js';
import type { PcpCommand } from './command.js';

export interface PcpOptions {
  /** undefined or '': the Unix socket in /tmp. */
  readonly host: string | undefined;
  readonly port: number;
  readonly user: string | undefined;
  /** When to ask for the password: never, always, or when no file has it. */
  readonly prompt: 'never' | 'always' | 'when missing';
  readonly debug: boolean;
  readonly verbose: boolean;
  readonly json: boolean;
  readonly alwaysExit0: boolean;
  readonly all: boolean;
  readonly gracefully: boolean;
  readonly switchover: boolean;
  readonly mode: 's' | 'f' | 'i';
  readonly scope: 'c' | 'l';
  /** Of a node, a process or a watchdog node. */
  readonly id: number | undefined;
  /** Arguments that have no meaning. */
  readonly extraArguments: readonly string[];
}

type Mutable = { -readonly [Key in keyof PcpOptions]: PcpOptions[Key] };

/** Pgpool-II refuses 1024, too, whatever its message says. */
const lowestPort = 1025;
const highestPort = 65_535;
/** MAX_NUM_BACKENDS. */
const highestNodeId = 128;
const highestProcessId = 2_147_483_647;

/**
 * @param args without the program's name
 * @throws OptionError for what getopt refuses, PcpFailure for values out of range
 */
export function readPcpOptions(command: PcpCommand, args: readonly string[], environment: NodeJS.ProcessEnv): PcpOptions {
  const options: Mutable = {
    host: undefined, port: 9898, user: undefined, prompt: 'when missing', debug: false, verbose: false, json: false,
    alwaysExit0: !['', '0', undefined].includes(environment['PGLOOM_PCP_ALWAYS_EXIT_0']),
    all: false, gracefully: false, switchover: false, mode: 's', scope: 'l', id: undefined, extraArguments: [],
  };
  // Faults are told in the way that options behind them ask for.
  options.alwaysExit0 ||= args.includes('--always-exit-0');
  options.json = args.includes('--json');
  try {
    const { options: given, words, fault } = getopt(args, rulesWith(command.options));
    for (const { rule, value } of given) applyOption(options, command, rule.name, value);
    if (fault !== null) throw fault;
    takeArguments(options, command, words);
  } catch (error) {
    if (error instanceof PcpFailure) error.options = options;
    throw error;
  }
  return options;
}

function applyOption(options: Mutable, command: PcpCommand, name: OptionName, value: string): void {
  switch (name) {
    // Known to getopt, and still a fault: they have to be the first argument.
    case 'help': case 'version': throw new OptionError();
    case 'host': options.host = value; break;
    case 'port': options.port = readPort(command, value); break;
    case 'username': options.user = value; break;
    case 'no-password': options.prompt = 'never'; break;
    case 'password': options.prompt = 'always'; break;
    case 'debug': options.debug = true; break;
    case 'verbose': options.verbose = true; break;
    case 'json': options.json = true; break;
    case 'always-exit-0': options.alwaysExit0 = true; break;
    case 'all': options.all = true; break;
    case 'gracefully': options.gracefully = true; break;
    case 'switchover': options.switchover = true; break;
    case 'mode': options.mode = readMode(command, value); break;
    case 'scope': options.scope = readScope(command, value); break;
    case 'node-id': case 'process-id': case 'watchdog-id': options.id = readId(command, value); break;
  }
}

/** The first argument is the id, when the command has one and no option gave it. */
function takeArguments(options: Mutable, command: PcpCommand, others: readonly string[]): void {
  options.extraArguments = others;
  if (command.id === undefined || options.id !== undefined) return;
  const [first, ...rest] = others;
  if (first === undefined) {
    if (command.idRequired === true) throw new OptionError('missing node-id');
    return;
  }
  options.id = readId(command, first);
  options.extraArguments = rest;
}

function readPort(command: PcpCommand, value: string): number {
  const port = readNumber(value);
  if (port >= lowestPort && port <= highestPort) return port;
  throw refused(command, `Invalid port number "${value}", must be between 1024 and 65535`);
}

/** Pgpool-II takes what is not a number for node 0. */
function readId(command: PcpCommand, value: string): number {
  const id = readNumber(value);
  switch (command.id) {
    case 'process-id':
      if (id > 0 && id <= highestProcessId) return id;
      throw refused(command, `Invalid process-id "${value}", must be greater than 0`);
    case 'watchdog-id':
      if (id >= 0 && id <= highestProcessId) return id;
      throw refused(command, `Invalid watchdog-id "${value}", must be a positive number or zero for a local watchdog node`);
    default:
      if (id >= 0 && id <= highestNodeId) return id;
      throw refused(command, `Invalid node-id "${value}", must be between 0 and 128`);
  }
}

/** NaN for what is not a decimal number. */
function readNumber(value: string): number {
  return /^\s*[+-]?\d+$/.test(value) ? Number(value) : Number.NaN;
}

function readMode(command: PcpCommand, value: string): 's' | 'f' | 'i' {
  const modes = { s: 's', smart: 's', f: 'f', fast: 'f', i: 'i', immediate: 'i' } as const;
  if (Object.hasOwn(modes, value)) return modes[value as keyof typeof modes];
  throw new PcpFailure('usage', `${command.name}: Invalid shutdown mode "${value}", must be either "smart" "immediate" or "fast" `);
}

function readScope(command: PcpCommand, value: string): 'c' | 'l' {
  const scopes = { c: 'c', cluster: 'c', l: 'l', local: 'l' } as const;
  if (Object.hasOwn(scopes, value)) return scopes[value as keyof typeof scopes];
  throw new PcpFailure('usage', `${command.name}: Invalid command scope "${value}", must be either "cluster" or "local" `);
}

/** A number out of range: Pgpool-II's commands exit with 0 then. */
function refused(command: PcpCommand, message: string): PcpFailure {
  return new PcpFailure('command', `${command.name}: ${message}`);
}
