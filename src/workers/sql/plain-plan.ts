/**
 * Plans where nothing is to be decided: one node, or raw mode. All that matters then is whether the text may be a
 * command for pgloom itself, and as what it counts.
 */
import { CountedKind, countsNothing } from '../../shared/memory/statement-counts.js';
import { countedByFirstWord, isWordCharacter } from './counted-as.js';
import { makePlan } from './make-plan.js';
import { StatementKind, type Plan } from './plan.js';

const select = makePlan(StatementKind.read, { statements: 1, countsAsSelect: true });
const byKind = new Map(Object.values(CountedKind).map((counts) => [counts, makePlan(StatementKind.read, { statements: 1, counts })]));
const empty = makePlan(StatementKind.read, { statements: 0, counts: countsNothing });

/** @returns null when the text data[from, to) has to be read properly: it may be for pgloom, or its first word does not tell */
export function plainPlan(data: Buffer, from: number, to: number): Plan | null {
  let at = from;
  while (at < to && isSpaceOrSemicolon(data[at] as number)) at++;
  if (at === to) return empty;
  if (namesPcp(data, at, to)) return null;
  if (isSelect(data, at, to)) return select;
  const counts = countedByFirstWord(data, at, to);
  return counts === null ? null : (byKind.get(counts) as Plan);
}

/** `pcp_` stands somewhere in it, as in the functions of pgpool_adm: every fourth byte has to be looked at. */
function namesPcp(data: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at += 4) {
    const code = data[at] as number;
    if (code === 0x5f ? isPcpAt(data, at - 3, from) : (code | 0x20) === 0x63 ? isPcpAt(data, at - 1, from) : (code | 0x20) === 0x70 && (isPcpAt(data, at - 2, from) || isPcpAt(data, at, from))) return true;
  }
  return false;
}

function isPcpAt(data: Buffer, at: number, from: number): boolean {
  return at >= from && ((data[at] as number) | 0x20) === 0x70 && ((data[at + 1] as number) | 0x20) === 0x63 && ((data[at + 2] as number) | 0x20) === 0x70 && data[at + 3] === 0x5f;
}

/** The most frequent word, told by its letters: the others are looked up. */
function isSelect(data: Buffer, at: number, to: number): boolean {
  return to - at > 6 && ((data[at] as number) | 0x20) === 0x73 && ((data[at + 1] as number) | 0x20) === 0x65 && ((data[at + 2] as number) | 0x20) === 0x6c
    && ((data[at + 3] as number) | 0x20) === 0x65 && ((data[at + 4] as number) | 0x20) === 0x63 && ((data[at + 5] as number) | 0x20) === 0x74
    && !isWordCharacter(data[at + 6] as number);
}

function isSpaceOrSemicolon(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d) || code === 0x3b;
}
