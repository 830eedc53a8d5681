/**
 * SASLprep (RFC 4013) of a password, as PostgreSQL does it (src/common/saslprep.c): a password that SASLprep does not
 * allow is used as its raw bytes instead of being refused, because the server did the same when it was set.
 */
import { inRanges, leftToRight, mappedToNothing, nonAsciiSpace, prohibited, rightToLeft, unassigned } from './saslprep-tables.js';

/** ASCII is left alone, control characters included. */
// oxlint-disable-next-line no-control-regex
const ascii = /^[\x00-\x7f]*$/;

/** The bytes that go into PBKDF2. */
export function saslPrep(password: string): Buffer {
  return Buffer.from(ascii.test(password) ? password : prepared(password) ?? password);
}

/** null: prohibited. */
function prepared(password: string): string | null {
  const mapped: number[] = [];
  for (const character of password) {
    const codePoint = character.codePointAt(0) ?? 0;
    if (inRanges(nonAsciiSpace, codePoint)) mapped.push(0x20);
    else if (!inRanges(mappedToNothing, codePoint)) mapped.push(codePoint);
  }
  if (mapped.length === 0) return null;
  // PostgreSQL looks at the characters before normalization here, and so do we.
  if (mapped.some(codePoint => inRanges(prohibited, codePoint) || inRanges(unassigned, codePoint))) return null;
  if (!directionAllowed(mapped)) return null;
  return mapped.map(codePoint => String.fromCodePoint(codePoint)).join('').normalize('NFKC');
}

/** RFC 3454 section 6: a text with a right-to-left letter begins and ends with one and has no left-to-right letter. */
function directionAllowed(text: readonly number[]): boolean {
  if (!text.some(codePoint => inRanges(rightToLeft, codePoint))) return true;
  return !text.some(codePoint => inRanges(leftToRight, codePoint))
    && inRanges(rightToLeft, text[0] ?? 0) && inRanges(rightToLeft, text.at(-1) ?? 0);
}
