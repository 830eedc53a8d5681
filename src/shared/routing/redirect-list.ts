/**
 * A redirect preference list (`pattern:node(ratio), …`): which node the reads of a user, a database or an application
 * prefer. reference/params.md and semantics.md section 2.
 */
import { compilePattern } from '../parameters/posix-regex.js';

export interface Redirect {
  readonly pattern: RegExp;
  /** A node id, the primary, or any standby by weight. */
  readonly target: number | 'primary' | 'standby';
  /** Share of the sessions that it holds for, 0 … 1. */
  readonly ratio: number;
}

const highestNode = 127;

/** @throws SyntaxError that says what is wrong with an item */
export function parseRedirectList(text: string): readonly Redirect[] {
  return itemsOf(text).map(parseItem);
}

/** What is wrong with the list, one message an item. */
export function redirectFaults(text: string): string[] {
  return itemsOf(text).flatMap((item) => {
    try {
      parseItem(item);
      return [];
    } catch (error) {
      return [`"${item}": ${error instanceof Error ? error.message : String(error)}`];
    }
  });
}

/** The first entry that matches; null when none does. */
export function findRedirect(list: readonly Redirect[], name: string): Redirect | null {
  return list.find(({ pattern }) => pattern.test(name)) ?? null;
}

function itemsOf(text: string): string[] {
  return text.split(',').map((item) => item.trim()).filter((item) => item !== '');
}

function parseItem(item: string): Redirect {
  // The last colon: a pattern may hold some ([[:digit:]]).
  const colon = item.lastIndexOf(':');
  const found = /^(primary|standby|\d{1,3})(?:\(([\d.]+)\))?$/i.exec(item.slice(colon + 1).trim());
  if (colon < 1 || found === null) throw new SyntaxError('it is not of the form pattern:node(ratio), where node is primary, standby or a number');
  const word = (found[1] ?? '').toLowerCase();
  const target = word === 'primary' || word === 'standby' ? word : Number(word);
  if (typeof target === 'number' && target > highestNode) throw new SyntaxError(`node numbers are 0 to ${highestNode}`);
  const ratio = Number(found[2] ?? 1);
  if (!(ratio >= 0 && ratio <= 1)) throw new SyntaxError('a ratio is between 0 and 1');
  return { pattern: compilePattern(item.slice(0, colon).trim()), target, ratio };
}
