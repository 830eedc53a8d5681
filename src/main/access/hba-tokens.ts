/** Words of pool_hba.conf: quotes, comma lists, comments, `@file`. Read as PostgreSQL's next_token() does. */
import { dirname, resolve } from 'node:path';
import { AccessFileError, readAccessFile } from './access-file.js';
import { hbaLines } from './hba-lines.js';

export interface HbaToken {
  readonly text: string;
  /** It begins with a double quote: no keyword, no `@`, no `+`. */
  readonly quoted: boolean;
}

/** A comma list: usually one token. */
export type HbaField = readonly HbaToken[];

/** A file that includes itself stops here, as in PostgreSQL. */
export const maxIncludeDepth = 10;

/**
 * Splits one line into fields. White space separates fields; a comma, with or without white space behind it, goes on
 * with the list; `#` outside quotes begins a comment.
 * @throws Error whose text says what is wrong, without file and line
 */
export function hbaFields(line: string): HbaField[] {
  const fields: HbaToken[][] = [];
  let at = 0;
  let listGoesOn = false;
  for (;;) {
    while (/[\s,]/.test(line[at] ?? '')) at++;
    if (at >= line.length || line[at] === '#') return fields;
    const { token, end } = nextToken(line, at);
    const list = fields.at(-1);
    if (listGoesOn && list !== undefined) list.push(token);
    else fields.push([token]);
    listGoesOn = line[end] === ',';
    at = end;
  }
}

function nextToken(line: string, from: number): { token: HbaToken; end: number } {
  let text = '';
  let inQuotes = false;
  let at = from;
  for (; at < line.length; at++) {
    const character = line[at] ?? '';
    if (!inQuotes && /[\s,#]/.test(character)) break;
    if (character !== '"') {
      text += character;
    } else if (inQuotes && line[at + 1] === '"') {
      // Two quotes inside quotes are one quote.
      text += '"';
      at++;
    } else {
      inQuotes = !inQuotes;
    }
  }
  if (inQuotes) throw new Error('a double quote is not closed');
  return { token: { text, quoted: line[from] === '"' }, end: at };
}

/**
 * Replaces `@file` by the tokens of that file, which may hold `@file` in turn.
 * @param file the file the field stands in; included names are relative to its directory
 * @throws AccessFileError naming the file
 */
export function expandIncludes(field: HbaField, file: string, depth = 0): HbaToken[] {
  return field.flatMap(token => {
    if (token.quoted || !token.text.startsWith('@') || token.text.length === 1) return [token];
    const included = resolve(dirname(file), token.text.slice(1));
    if (depth >= maxIncludeDepth) throw new AccessFileError([`"${token.text}": files include each other more than ${maxIncludeDepth} deep`]);
    const text = readAccessFile(included);
    if (text === null) throw new AccessFileError([`"${token.text}": there is no file ${included}`]);
    return hbaLines(text).flatMap(line => {
      try {
        if (line.problem !== null) throw new Error(line.problem);
        return hbaFields(line.text).flatMap(inner => expandIncludes(inner, included, depth + 1));
      } catch (error) {
        if (error instanceof AccessFileError) throw error;
        throw new AccessFileError([`${included}:${line.number}: ${(error as Error).message}`]);
      }
    });
  });
}
