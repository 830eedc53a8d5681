/**
 * Options as GNU getopt_long reads them: short ones in clusters, long ones abbreviated, options behind arguments,
 * `--` as the end of the options. The standard library's parseArgs knows no abbreviations and takes no value that
 * begins with a dash, so that scripts written for Pgpool-II (`--user=x`, `-n -1`) would break.
 */

export interface OptionRule {
  /** The long name, without dashes. */
  readonly name: string;
  /** The short one; undefined for options that have none. */
  readonly letter?: string;
  readonly takesValue: boolean;
}

export interface FoundOption<Rule extends OptionRule> {
  readonly rule: Rule;
  /** '' for options without a value. */
  readonly value: string;
}

/** Up to the first fault: what comes before it still counts, `-h` for one. */
export interface Arguments<Rule extends OptionRule> {
  /** In the order in which they were given. */
  readonly options: readonly FoundOption<Rule>[];
  /** The arguments that are no options. */
  readonly words: readonly string[];
  readonly fault: OptionError | null;
}

/** A fault in the options; the message is getopt's. */
export class OptionError extends Error {}

/** Never throws: whoever calls it says when the fault counts. */
export function getopt<Rule extends OptionRule>(args: readonly string[], rules: readonly Rule[]): Arguments<Rule> {
  const options: FoundOption<Rule>[] = [];
  const words: string[] = [];
  const rest = [...args];
  try {
    for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
      if (arg === '--') words.push(...rest.splice(0));
      else if (arg.startsWith('--')) options.push(longOption(arg, rest, rules));
      else if (arg.startsWith('-') && arg !== '-') for (const option of shortOptions(arg.slice(1), rest, rules)) options.push(option);
      else words.push(arg);
    }
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    return { options, words, fault: error };
  }
  return { options, words, fault: null };
}

function longOption<Rule extends OptionRule>(arg: string, rest: string[], rules: readonly Rule[]): FoundOption<Rule> {
  const equals = arg.indexOf('=');
  const name = arg.slice(2, equals === -1 ? undefined : equals);
  const rule = ruleByName(name, arg, rules);
  if (equals !== -1) {
    if (!rule.takesValue) throw new OptionError(`option '--${rule.name}' doesn't allow an argument`);
    return { rule, value: arg.slice(equals + 1) };
  }
  if (!rule.takesValue) return { rule, value: '' };
  const value = rest.shift();
  if (value === undefined) throw new OptionError(`option '--${rule.name}' requires an argument`);
  return { rule, value };
}

/** The rule of this name, or the only one that begins so. */
function ruleByName<Rule extends OptionRule>(name: string, arg: string, rules: readonly Rule[]): Rule {
  const candidates = rules.filter((rule) => rule.name.startsWith(name));
  const rule = candidates.find((candidate) => candidate.name === name) ?? candidates[0];
  if (rule === undefined) throw new OptionError(`unrecognized option '${arg}'`);
  if (rule.name !== name && candidates.length > 1) {
    throw new OptionError(`option '${arg}' is ambiguous; possibilities: ${candidates.map((candidate) => `'--${candidate.name}'`).join(' ')}`);
  }
  return rule;
}

function* shortOptions<Rule extends OptionRule>(cluster: string, rest: string[], rules: readonly Rule[]): Generator<FoundOption<Rule>> {
  const letters = [...cluster];
  for (let letter = letters.shift(); letter !== undefined; letter = letters.shift()) {
    const rule = rules.find((candidate) => candidate.letter === letter);
    if (rule === undefined) throw new OptionError(`invalid option -- '${letter}'`);
    if (!rule.takesValue) {
      yield { rule, value: '' };
      continue;
    }
    const value = letters.length > 0 ? letters.join('') : rest.shift();
    if (value === undefined) throw new OptionError(`option requires an argument -- '${letter}'`);
    yield { rule, value };
    return;
  }
}
