import type { Settings } from '../../shared/settings.js';
import type { PatternList } from './pattern-list.js';

/**
 * Pgpool-II's test with allow_sql_comments = off (reference/semantics.md 1.4): only a text that starts like a SELECT
 * may leave the primary. A leading comment of any kind and VALUES do not.
 *
 * @param ignoreLeadingWhiteSpace the parameter ignore_leading_white_space
 */
export function startsLikeSelect(text: string, ignoreLeadingWhiteSpace: boolean): boolean {
  let i = 0;
  if (ignoreLeadingWhiteSpace) while (isWhiteSpace(text.charCodeAt(i))) i++;
  switch (text.charCodeAt(i)) {
    case 0x73: // s
    case 0x53:
    case 0x28: // (
    case 0x77: // w
    case 0x57:
    case 0x74: // t
    case 0x54:
    case 0x3b: // ;
      return true;
    default:
      return i >= text.length;
  }
}

/** C's isspace: tab, line feed, vertical tab, form feed, carriage return, space. */
function isWhiteSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}

/** A pattern of several `.*` takes time that grows with the square of the text and faster: a longer text is the primary's. */
const maxMatchedBytes = 2048;

/** Whether primary_routing_query_pattern_list (null when it is empty) lets the SQL text data[from, to) leave the primary. */
export function passesPatterns(data: Buffer, from: number, to: number, primaryPatterns: PatternList | null): boolean {
  if (primaryPatterns === null) return true;
  return to - from <= maxMatchedBytes && !primaryPatterns.matches(data.toString('utf8', from, to));
}

/**
 * Whether the SQL text data[from, to) may leave the primary as far as the text alone goes: its first character, and
 * primary_routing_query_pattern_list (null when it is empty).
 */
export function textMayLeave(data: Buffer, from: number, to: number, settings: Pick<Settings, 'allow_sql_comments' | 'ignore_leading_white_space'>, primaryPatterns: PatternList | null): boolean {
  if (!settings.allow_sql_comments && !startsLikeSelect(data.latin1Slice(from, Math.min(to, from + 64)), settings.ignore_leading_white_space)) return false;
  return passesPatterns(data, from, to, primaryPatterns);
}
