/** Statements as the log and the reports may show them: without the passwords that the functions of pgpool_adm take. */
import { loginParameters, pcpFunctionNames } from '../../shared/pcp-functions.js';
import { callSpan } from './call-span.js';

const name = new RegExp(`(${pcpFunctionNames.join('|')})"?`, 'gi');
const mask = "'*****'";
/** More calls are not looked into, but masked with all behind them: each may be as long as the text. */
const maxCalls = 50;

/**
 * The text with the last argument masked in each call that has as many as a connection needs, and whatever is called `password`. Where a
 * call is not whole (a text that was cut), all of its arguments are masked.
 */
export function withoutPasswords(text: string): string {
  if (!/pcp_/i.test(text)) return text;
  let masked = '';
  let shown = 0;
  let calls = 0;
  for (const { 0: found, index } of text.matchAll(name)) {
    const end = index + found.length;
    if (end <= shown) continue;
    if (++calls > maxCalls) return `${masked}${text.slice(shown, end)}${mask}`;
    const span = callSpan(text, end);
    if (span === null) {
      const open = text.indexOf('(', end);
      // Only blanks and comments may stand before the parenthesis of a call that is not whole.
      if (open < 0 || !/^(?:\s|\/\*|--|$)/.test(text.slice(end, open))) continue;
      return `${masked}${text.slice(shown, open + 1)}${mask}`;
    }
    for (const [at, { from, to }] of span.arguments.entries()) {
      const isLast = at === span.arguments.length - 1 && span.arguments.length >= loginParameters.length;
      if (!isLast && !/^\s*"?password"?\s*(?:=>|:=)/i.test(text.slice(from, to))) continue;
      masked += `${text.slice(shown, from)}${at === 0 ? '' : ' '}${mask}`;
      shown = to;
    }
  }
  return masked + text.slice(shown);
}
