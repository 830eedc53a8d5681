/** The command line of `pgpool` (reference/commands.md section 1). */
import path from 'node:path';
import { defaultKeyFile } from '../access/key-file.js';
import { getopt, type OptionSpec } from './getopt.js';

export type Word = 'start' | 'stop' | 'reload' | 'status' | 'check-config';
export type StopMode = 'smart' | 'fast' | 'immediate';

/** All file names are absolute: a process in the background lives in `/`. */
export interface CommandLine {
  readonly word: Word;
  readonly configFile: string;
  /** Undefined: beside pgpool.conf. */
  readonly hbaFile: string | undefined;
  readonly pcpFile: string | undefined;
  readonly keyFile: string;
  readonly foreground: boolean;
  readonly discardStatus: boolean;
  readonly clearOidmaps: boolean;
  readonly debug: boolean;
  readonly mode: StopMode;
}

/** Nothing is to be done but to print something: `fault` is undefined for a plain -h; `status` is the exit status with one, 1 by default. */
export type Print = { readonly print: 'usage'; readonly fault?: string; readonly status?: number } | { readonly print: 'version' };

/** Where Debian's package has its files. */
export const defaultConfigFile = '/etc/pgpool2/pgpool.conf';

const words: readonly string[] = ['stop', 'reload', 'status', 'check-config'] satisfies Word[];

const specs: readonly OptionSpec[] = [
  { short: 'a', long: 'hba-file', takesValue: true },
  { short: 'f', long: 'config-file', takesValue: true },
  { short: 'F', long: 'pcp-file', takesValue: true },
  { short: 'k', long: 'key-file', takesValue: true },
  { short: 'm', long: 'mode', takesValue: true },
  { short: 'n', long: 'dont-detach', takesValue: false },
  { short: 'D', long: 'discard-status', takesValue: false },
  { short: 'C', long: 'clear-oidmaps', takesValue: false },
  { short: 'd', long: 'debug', takesValue: false },
  { short: 'x', long: 'debug-assertions', takesValue: false },
  { short: 'h', long: 'help', takesValue: false },
  { short: 'v', long: 'version', takesValue: false },
];

const modes: Readonly<Record<string, StopMode>> = { s: 'smart', f: 'fast', i: 'immediate' };

/** What the arguments (without node and script) ask for. Options hold in their order: `-h` before a fault is a plain -h. */
export function parseCommandLine(args: readonly string[], environment: NodeJS.ProcessEnv = process.env): CommandLine | Print {
  const { options, words: given, fault } = getopt(args, specs);
  const values = new Map<string, string>();
  for (const { short, value } of options) {
    if (short === 'h') return { print: 'usage' };
    if (short === 'v') return { print: 'version' };
    if (short === 'm' && modes[value.charAt(0)] === undefined) return { print: 'usage', fault: `invalid shutdown mode "${value}"` };
    values.set(short, value);
  }
  if (fault !== undefined) return { print: 'usage', fault };
  const [word = 'start', ...more] = given;
  if (more.length > 0) return { print: 'usage', fault: 'too many arguments' };
  if (given.length > 0 && !words.includes(word)) return { print: 'usage', fault: `unknown argument "${word}"` };
  const file = (short: string): string | undefined => {
    const value = values.get(short);
    return value === undefined ? undefined : path.resolve(value);
  };
  return {
    word: word as Word,
    configFile: file('f') ?? defaultConfigFile,
    hbaFile: file('a'),
    pcpFile: file('F'),
    keyFile: file('k') ?? path.resolve(defaultKeyFile(environment)),
    foreground: values.has('n'),
    discardStatus: values.has('D'),
    clearOidmaps: values.has('C'),
    debug: values.has('d'),
    mode: modes[values.get('m')?.charAt(0) ?? ''] ?? 'smart',
  };
}

/** The arguments of a start in the background that mean the same in any directory. */
export function startArguments(line: CommandLine): string[] {
  const { configFile, hbaFile, pcpFile, keyFile } = line;
  return [
    '-f', configFile, '-k', keyFile,
    ...(hbaFile === undefined ? [] : ['-a', hbaFile]),
    ...(pcpFile === undefined ? [] : ['-F', pcpFile]),
    ...(line.discardStatus ? ['-D'] : []),
    ...(line.clearOidmaps ? ['-C'] : []),
    ...(line.debug ? ['-d'] : []),
  ];
}
