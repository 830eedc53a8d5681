/**
 * Options as getopt_long(3) takes them, which parseArgs of Node does not: long names may be shortened as long as they
 * are unique, and the value of an option may begin with a dash.
 */

export interface OptionSpec {
  readonly short: string;
  readonly long: string;
  readonly takesValue: boolean;
}

/** Options in the order they were given, and the words between them. */
export interface Arguments {
  readonly options: readonly { readonly short: string; readonly value: string }[];
  readonly words: readonly string[];
  /** What is wrong with the option after the ones listed; undefined when nothing is. */
  readonly fault?: string;
}

/** Never throws: what comes before a fault still counts, `-h` for one. */
export function getopt(args: readonly string[], specs: readonly OptionSpec[]): Arguments {
  const options: { short: string; value: string }[] = [];
  const words: string[] = [];
  const rest = [...args];
  try {
    for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
      if (arg === '--') {
        words.push(...rest);
        break;
      }
      if (arg.startsWith('--')) options.push(longOption(arg.slice(2), rest, specs));
      else if (arg.startsWith('-') && arg !== '-') shortOptions(arg.slice(1), rest, specs, (option) => options.push(option));
      else words.push(arg);
    }
  } catch (error) {
    if (!(error instanceof OptionFault)) throw error;
    return { options, words, fault: error.message };
  }
  return { options, words };
}

class OptionFault extends Error {}

function longOption(text: string, rest: string[], specs: readonly OptionSpec[]): { short: string; value: string } {
  const [, name = '', given] = /^([^=]*)(?:=(.*))?$/s.exec(text) ?? [];
  const exact = specs.filter(({ long }) => long === name);
  const candidates = exact.length > 0 ? exact : specs.filter(({ long }) => long.startsWith(name));
  const [spec] = candidates;
  if (spec === undefined) throw new OptionFault(`unrecognized option '--${name}'`);
  if (candidates.length > 1) throw new OptionFault(`option '--${name}' is ambiguous; possibilities: ${candidates.map(({ long }) => `'--${long}'`).join(' ')}`);
  if (!spec.takesValue && given !== undefined) throw new OptionFault(`option '--${spec.long}' doesn't allow an argument`);
  const value = spec.takesValue ? given ?? rest.shift() : '';
  if (value === undefined) throw new OptionFault(`option '--${spec.long}' requires an argument`);
  return { short: spec.short, value };
}

/** One or several letters after one dash; the first that takes a value takes the rest of the word, or the next one. */
function shortOptions(letters: string, rest: string[], specs: readonly OptionSpec[], add: (option: { short: string; value: string }) => void): void {
  for (let at = 0; at < letters.length; at++) {
    const spec = specs.find(({ short }) => short === letters[at]);
    if (spec === undefined) throw new OptionFault(`invalid option -- '${letters[at] ?? ''}'`);
    if (!spec.takesValue) {
      add({ short: spec.short, value: '' });
      continue;
    }
    const value = at + 1 < letters.length ? letters.slice(at + 1) : rest.shift();
    if (value === undefined) throw new OptionFault(`option requires an argument -- '${spec.short}'`);
    add({ short: spec.short, value });
    return;
  }
}
