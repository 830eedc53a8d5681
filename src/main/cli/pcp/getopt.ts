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

/** A fault in the options; the message is getopt's. */
export class OptionError extends Error {}

/** Yields the options in their order and returns the other arguments. @throws OptionError at the first fault */
export function* readOptions<Rule extends OptionRule>(args: readonly string[], rules: readonly Rule[]): Generator<FoundOption<Rule>, string[]> {
  const others: string[] = [];
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === '--') return [...others, ...rest];
    if (arg.startsWith('--')) yield longOption(arg, rest, rules);
    else if (arg.startsWith('-') && arg !== '-') yield* shortOptions(arg.slice(1), rest, rules);
    else others.push(arg);
  }
  return others;
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
