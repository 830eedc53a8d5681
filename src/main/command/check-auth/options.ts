/** The command line of `pgpool check-auth`: its options are psql's, other than those of pgpool (-d is the database there). */
import { isIP } from 'node:net';
import path from 'node:path';
import { defaultKeyFile } from '../../access/key-file.js';
import { getopt, type OptionRule } from '../../getopt.js';
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

const rules = [
  { name: 'username', letter: 'U', takesValue: true },
  { name: 'dbname', letter: 'd', takesValue: true },
  { name: 'host', letter: 'h', takesValue: true },
  { name: 'tls', takesValue: false },
  { name: 'password', letter: 'W', takesValue: false },
  { name: 'json', takesValue: false },
  { name: 'config-file', letter: 'f', takesValue: true },
  { name: 'hba-file', letter: 'a', takesValue: true },
  { name: 'key-file', letter: 'k', takesValue: true },
  { name: 'help', takesValue: false },
] as const satisfies readonly OptionRule[];

/** By name. */
type Values = ReadonlyMap<(typeof rules)[number]['name'], string>;

/** @returns null when the first word that is no option is not check-auth */
export function parseCheckAuth(args: readonly string[], defaultConfigFile: string, environment: NodeJS.ProcessEnv = process.env): CheckAuthLine | Print | null {
  const { options, words: [word, ...more], fault } = getopt(args, rules);
  if (word !== 'check-auth') return null;
  const values: Values = new Map(options.map(({ rule, value }) => [rule.name, value]));
  if (values.has('help')) return { print: 'usage' };
  const problem = fault?.message ?? (more.length > 0 ? 'too many arguments' : problemOf(values));
  if (problem !== undefined) return { print: 'usage', fault: problem, status: faultyUsage };
  const user = values.get('username') ?? '';
  const hbaFile = values.get('hba-file');
  return {
    word,
    user,
    database: values.get('dbname') ?? user,
    host: values.get('host'),
    tls: values.has('tls'),
    askPassword: values.has('password'),
    json: values.has('json'),
    configFile: path.resolve(values.get('config-file') ?? defaultConfigFile),
    hbaFile: hbaFile === undefined ? undefined : path.resolve(hbaFile),
    keyFile: path.resolve(values.get('key-file') ?? defaultKeyFile(environment)),
  };
}

function problemOf(values: Values): string | undefined {
  const [user = '', database = '-', host = 'local'] = [values.get('username'), values.get('dbname'), values.get('host')];
  if (user === '') return 'check-auth needs a user (-U)';
  if (database === '') return 'the name of the database is empty';
  if (host !== 'local' && isIP(host) === 0) return `-h must be the IP address that the client comes from, or local: "${host}"`;
  if (host === 'local' && values.has('host') && values.has('tls')) return 'there is no TLS on a Unix socket';
  return undefined;
}
