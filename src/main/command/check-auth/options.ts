/** The command line of `pgpool check-auth`: its options are psql's, other than those of pgpool (-d is the database there). */
import { isIP } from 'node:net';
import path from 'node:path';
import { defaultKeyFile } from '../../access/key-file.js';
import { getopt, type OptionSpec } from '../getopt.js';
import type { Print } from '../options.js';

export interface CheckAuthLine {
  readonly word: 'check-auth';
  readonly user: string;
  readonly database: string;
  /** Where the client comes from: an IP address, or `local` for a Unix socket; undefined: both are tried, with 127.0.0.1. */
  readonly host: string | undefined;
  /** The client asks for TLS. */
  readonly tls: boolean;
  readonly askPassword: boolean;
  readonly json: boolean;
  readonly configFile: string;
  /** Undefined: beside pgpool.conf. */
  readonly hbaFile: string | undefined;
  readonly keyFile: string;
}

const faultyUsage = 2;

/** What stands for a letter where there is none has more of them: it cannot be given by one dash. */
const specs: readonly OptionSpec[] = [
  { short: 'U', long: 'username', takesValue: true },
  { short: 'd', long: 'dbname', takesValue: true },
  { short: 'h', long: 'host', takesValue: true },
  { short: 'tls', long: 'tls', takesValue: false },
  { short: 'W', long: 'password', takesValue: false },
  { short: 'json', long: 'json', takesValue: false },
  { short: 'f', long: 'config-file', takesValue: true },
  { short: 'a', long: 'hba-file', takesValue: true },
  { short: 'k', long: 'key-file', takesValue: true },
  { short: 'help', long: 'help', takesValue: false },
];

/** @returns null when the first word that is no option is not check-auth */
export function parseCheckAuth(args: readonly string[], defaultConfigFile: string, environment: NodeJS.ProcessEnv = process.env): CheckAuthLine | Print | null {
  const { options, words: [word, ...more], fault } = getopt(args, specs);
  if (word !== 'check-auth') return null;
  const values = new Map(options.map(({ short, value }) => [short, value]));
  if (values.has('help')) return { print: 'usage' };
  const problem = fault ?? (more.length > 0 ? 'too many arguments' : problemOf(values));
  if (problem !== undefined) return { print: 'usage', fault: problem, status: faultyUsage };
  const user = values.get('U') ?? '';
  const hbaFile = values.get('a');
  return {
    word,
    user,
    database: values.get('d') ?? user,
    host: values.get('h'),
    tls: values.has('tls'),
    askPassword: values.has('W'),
    json: values.has('json'),
    configFile: path.resolve(values.get('f') ?? defaultConfigFile),
    hbaFile: hbaFile === undefined ? undefined : path.resolve(hbaFile),
    keyFile: path.resolve(values.get('k') ?? defaultKeyFile(environment)),
  };
}

function problemOf(values: ReadonlyMap<string, string>): string | undefined {
  const [user = '', database = '-', host = 'local'] = ['U', 'd', 'h'].map((short) => values.get(short));
  if (user === '') return 'check-auth needs a user (-U)';
  if (database === '') return 'the name of the database is empty';
  if (host !== 'local' && isIP(host) === 0) return `-h must be the IP address that the client comes from, or local: "${host}"`;
  if (host === 'local' && values.has('h') && values.has('tls')) return 'there is no TLS on a Unix socket';
  return undefined;
}
