/** One command, Debian's and pgloom's, on the same server. */
import assert from 'node:assert/strict';
import type { Outcome, PcpPrograms, RunOptions } from './pcp-programs.js';

export interface ComparisonOptions extends RunOptions {
  /** What differs on purpose, or moves between two calls: applied to both outcomes. */
  readonly mask?: (outcome: Outcome) => Outcome;
  /** What Debian's 4.3.5 prints and pgloom does not: text and what stands in its place. */
  readonly departures?: readonly (readonly [debian: string, pgloom: string])[];
}

/** pgloom's commands as scripts written for Pgpool-II want them. */
export const alwaysExit0 = { PGLOOM_PCP_ALWAYS_EXIT_0: '1' };

/** Standard output, standard error and exit status are the same; returns them. */
export async function assertSameOutcome(programs: PcpPrograms, args: readonly string[], options: ComparisonOptions = {}): Promise<Outcome> {
  const { mask = (outcome: Outcome) => outcome, departures = [] } = options;
  const debian = await programs.runDebian(args, options);
  const own = await programs.run(args, { ...options, env: { ...options.env, ...alwaysExit0 } });
  for (const [text] of departures) assert.ok(`${debian.stdout}${debian.stderr}`.includes(text), `Debian's ${args.join(' ')} prints ${JSON.stringify(text)}: ${JSON.stringify(debian)}`);
  const depart = (text: string): string => departures.reduce((all, [from, to]) => all.replaceAll(from, to), text);
  const expected = { ...debian, stdout: depart(debian.stdout), stderr: depart(debian.stderr) };
  assert.deepEqual(mask(own), mask(expected), args.join(' '));
  return own;
}

/** Replaces columns of the lines of the standard output: dates take two columns. */
export function maskColumns(...columns: readonly number[]): (outcome: Outcome) => Outcome {
  return (outcome) => ({
    ...outcome,
    stdout: outcome.stdout.split('\n').map((line) => {
      const values = line.split(' ');
      return values.length === 1 ? line : values.map((value, index) => (columns.includes(index) ? '*' : value)).join(' ');
    }).join('\n'),
  });
}

/** Replaces the values with these titles. */
export function maskTitles(...titles: readonly string[]): (outcome: Outcome) => Outcome {
  return (outcome) => ({
    ...outcome,
    stdout: outcome.stdout.split('\n').map((line) => (titles.includes(line.split(' : ')[0]?.trim() ?? '') ? line.replace(/ : .*/, ' : *') : line)).join('\n'),
  });
}
