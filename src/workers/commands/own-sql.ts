/**
 * An own answer as SQL that makes the server give it. In the extended protocol this keeps everything right that the server
 * does there: Describe, result formats, row limits, portals, the order of answers in a pipeline.
 */
import { randomBytes } from 'node:crypto';
import { errors } from '../../shared/errors.js';
import type { ReportTable } from '../../shared/report/report-table.js';
import type { OwnAnswer } from './own-answer.js';

/** More are not put into a statement: the simple protocol gives them piece by piece. */
const maxRows = 10_000;

/** @param isUtf8 the server takes characters beyond ASCII; otherwise they become question marks */
export function ownSql(answer: OwnAnswer, isUtf8 = true): string {
  switch (answer.type) {
    case 'rows':
      return rowsSql(answer.table, isUtf8);
    case 'done': // The tag is the server's; the variable is nobody's and goes with the session.
      return answer.tag === 'RESET' ? 'RESET pgloom.parameter' : "SET pgloom.parameter TO ''";
    case 'error': {
      const { message, sqlstate, detail, hint } = answer.error;
      const more = [['DETAIL', detail], ['HINT', hint]].map(([name, text]) => (text === undefined ? '' : `, ${name} = ${quoted(text)}`)).join('');
      return `DO ${quoted(`BEGIN RAISE EXCEPTION USING MESSAGE = ${quoted(message)}, ERRCODE = '${sqlstate}'${more}; END`)}`;
    }
  }
}

/** All columns are text, as pgloom shows them. */
function rowsSql({ columns, rows, count }: ReportTable, isUtf8: boolean): string {
  if (count > maxRows) return ownSql({ type: 'error', error: errors.tooManyRows(count) });
  const list = columns.map((column, at) => `r OPERATOR(pg_catalog.->>) ${at} AS "${column.replaceAll('"', '""')}"`).join(', ');
  // jsonb would not keep NUL escapes; json keeps the text as it is, and the rows in their order.
  const text = JSON.stringify([...rows]).replaceAll(beyondAscii, (character) => (isUtf8 ? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}` : '?'));
  return `SELECT ${list} FROM pg_catalog.json_array_elements(${quoted(text)}::pg_catalog.json) AS r`;
}

/** Said by their numbers: the client's encoding may be any. */
const beyondAscii = /[\u0080-\uffff]/g;

/** Between dollars, so that standard_conforming_strings does not matter. */
function quoted(text: string): string {
  let tag = '$pgloom$';
  while (`${text}$`.includes(tag)) tag = `$p${randomBytes(4).toString('hex')}$`;
  return `${tag}${text.replaceAll('\0', '')}${tag}`;
}
