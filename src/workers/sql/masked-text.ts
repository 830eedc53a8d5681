/**
 * Statements as the log and the reports may show them: without the passwords that the functions of pgpool_adm take, and those that
 * CREATE and ALTER set (ROLE, USER, USER MAPPING).
 */
import { loginParameters, pcpFunctionNames } from '../../shared/pcp-functions.js';
import { callSpan } from './call-span.js';

const name = new RegExp(`(${pcpFunctionNames.join('|')})"?`, 'gi');
const mask = "'*****'";
/** More calls are not looked into, but masked with all behind them: each may be as long as the text. */
const maxCalls = 50;

const changesRoles = /\b(?:create|alter)\b/i;
const passwordClause = /\bpassword"?\s*(?:--|\/\*|e'|u&'|'|\$(?:[a-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$)/gi;
const blank = /\s/;

export function withoutPasswords(text: string): string {
  return withoutRolePasswords(withoutCallPasswords(text));
}

/** Where it takes more than a look to find the end of what stands behind PASSWORD, nothing behind it is shown. */
function withoutRolePasswords(text: string): string {
  if (!/password/i.test(text) || !changesRoles.test(text)) return text;
  let masked = '';
  let shown = 0;
  for (const { 0: found, index } of text.matchAll(passwordClause)) {
    const quote = index + found.length - 1;
    if (quote < shown) continue;
    const end = /["\sd]'$/i.test(found) ? plainLiteralEnd(text, quote) : -1;
    if (end < 0) return `${masked}${text.slice(shown, index + 'password'.length)} ${mask}`;
    masked += `${text.slice(shown, quote)}${mask}`;
    shown = end;
  }
  return masked + text.slice(shown);
}

/**
 * Where the literal that begins at `quote` ends, also if the text has been cut in it; -1 where it may be that what stands behind it
 * is still of the password: literals go on in the next line, within others quotes are doubled, backslashes may count.
 */
function plainLiteralEnd(text: string, quote: number): number {
  let end = text.indexOf("'", quote + 1);
  while (end >= 0 && text[end + 1] === "'") end = text.indexOf("'", end + 2);
  if (end < 0) return text.length;
  if (text.slice(quote, end).includes('\\')) return -1;
  let next = ++end;
  while (next < text.length && blank.test(text[next] ?? '')) next++;
  if (next === end && next < text.length && !';,)'.includes(text[next] ?? '')) return -1;
  return text[next] === "'" || text.startsWith('--', next) || text.startsWith('/*', next) ? -1 : end;
}

/**
 * The text with the last argument masked in each call that has as many as a connection needs, and whatever is called `password`. Where a
 * call is not whole (a text that was cut), all of its arguments are masked.
 */
function withoutCallPasswords(text: string): string {
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
