/** The command line of `pgpool` (reference/commands.md section 1). */
import path from 'node:path';
import { defaultKeyFile } from '../access/key-file.js';
import { getopt, type OptionRule } from '../getopt.js';

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

const rules = [
  { name: 'hba-file', letter: 'a', takesValue: true },
  { name: 'config-file', letter: 'f', takesValue: true },
  { name: 'pcp-file', letter: 'F', takesValue: true },
  { name: 'key-file', letter: 'k', takesValue: true },
  { name: 'mode', letter: 'm', takesValue: true },
  { name: 'dont-detach', letter: 'n', takesValue: false },
  { name: 'discard-status', letter: 'D', takesValue: false },
  { name: 'clear-oidmaps', letter: 'C', takesValue: false },
  { name: 'debug', letter: 'd', takesValue: false },
  { name: 'debug-assertions', letter: 'x', takesValue: false },
  { name: 'help', letter: 'h', takesValue: false },
  { name: 'version', letter: 'v', takesValue: false },
] as const satisfies readonly OptionRule[];

const modes: Readonly<Record<string, StopMode>> = { s: 'smart', f: 'fast', i: 'immediate' };

/** What the arguments (without node and script) ask for. Options hold in their order: `-h` before a fault is a plain -h. */
export function parseCommandLine(args: readonly string[], environment: NodeJS.ProcessEnv = process.env): CommandLine | Print {
  const { options, words: given, fault } = getopt(args, rules);
  const values = new Map<(typeof rules)[number]['letter'], string>();
  for (const { rule: { letter }, value } of options) {
    if (letter === 'h') return { print: 'usage' };
    if (letter === 'v') return { print: 'version' };
    if (letter === 'm' && modes[value.charAt(0)] === undefined) return { print: 'usage', fault: `invalid shutdown mode "${value}"` };
    values.set(letter, value);
  }
  if (fault !== null) return { print: 'usage', fault: fault.message };
  const [word = 'start', ...more] = given;
  if (more.length > 0) return { print: 'usage', fault: 'too many arguments' };
  if (given.length > 0 && !words.includes(word)) return { print: 'usage', fault: `unknown argument "${word}"` };
  const file = (letter: 'a' | 'f' | 'F' | 'k'): string | undefined => {
    const value = values.get(letter);
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
