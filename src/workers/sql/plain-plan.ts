/**
 * Plans where nothing is to be decided: one node, or raw mode. All that matters then is whether the text may be a
 * SHOW POOL_… for pgloom itself, and whether it counts as a SELECT.
 */
import { makePlan } from './make-plan.js';
import { StatementKind, type Plan } from './plan.js';

const select = makePlan(StatementKind.read, { statements: 1, countsAsSelect: true });
const other = makePlan(StatementKind.read, { statements: 1 });

/** @returns null when the text data[from, to) has to be read properly: it may be SHOW, or begins with a comment */
export function plainPlan(data: Buffer, from: number, to: number): Plan | null {
  let at = from;
  while (at < to && isSpaceOrSemicolon(data[at] as number)) at++;
  const first = (data[at] as number) | 0x20;
  if (first === 0x2f || first === 0x2d) return null; // a comment: '/', '-'
  if (first !== 0x73) return other; // 's'
  const second = (data[at + 1] as number) | 0x20;
  if (second === 0x68) return null; // 'sh'
  return second === 0x65 && ((data[at + 2] as number) | 0x20) === 0x6c ? select : other; // 'sel'
}

function isSpaceOrSemicolon(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d) || code === 0x3b;
}
