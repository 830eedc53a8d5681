/**
 * pool_hba.conf: `type database user [address [mask]] method [name=value …]`, reference/commands.md section 5, and of
 * PostgreSQL's pg_hba.conf the include directives and lines that go on behind a backslash.
 * One bad line and the whole file is refused: half a rule file lets in whom the other half kept out.
 */
import { readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { HbaRule } from '../../shared/auth/hba.js';
import { AccessFileError, readAccessFile } from './access-file.js';
import { hbaLines } from './hba-lines.js';
import { parseHbaRule } from './hba-rule.js';
import { hbaFields, maxIncludeDepth, type HbaField } from './hba-tokens.js';

export interface PoolHba {
  readonly rules: HbaRule[];
  readonly warnings: string[];
}

/** @throws AccessFileError when the file is missing, cannot be read, or has a bad line; it tells all bad lines at once */
export function readPoolHba(file: string): PoolHba {
  const text = readAccessFile(file);
  if (text === null) throw new AccessFileError([`${file}: there is no such file, and enable_pool_hba is on`]);
  return parsePoolHba(text, file);
}

/** @throws AccessFileError whose problems name file, line and field */
export function parsePoolHba(text: string, file: string): PoolHba {
  const found: Found = { rules: [], warnings: [], problems: [] };
  readText(text, file, 0, found);
  if (found.problems.length > 0) throw new AccessFileError(found.problems);
  return found;
}

interface Found extends PoolHba {
  readonly problems: string[];
}

function readText(text: string, file: string, depth: number, found: Found): void {
  for (const line of hbaLines(text)) {
    const place = `${file}:${line.number}`;
    try {
      if (line.problem !== null) throw new Error(line.problem);
      const fields = hbaFields(line.text);
      const directive = directiveOf(fields);
      if (directive !== null) include(directive, file, depth, found);
      else if (fields.length > 0) found.rules.push(parseHbaRule(fields, file, line.number, warning => found.warnings.push(`${place}: ${warning}`)));
    } catch (error) {
      found.problems.push(`${place}: ${(error as Error).message}`);
    }
  }
}

interface Directive {
  readonly word: string;
  readonly path: string;
}

const directives: ReadonlySet<string> = new Set(['include', 'include_if_exists', 'include_dir']);

/** PostgreSQL 16: such a word and exactly one name behind it. */
function directiveOf(fields: readonly HbaField[]): Directive | null {
  const word = fields[0]?.[0]?.text ?? '';
  if (!directives.has(word)) return null;
  const [name, ...more] = fields.slice(1).flat();
  if (name === undefined || more.length > 0) throw new Error(`${word} field: exactly one name must follow`);
  return { word, path: name.text };
}

function include({ word, path }: Directive, from: string, depth: number, found: Found): void {
  if (depth >= maxIncludeDepth) throw new Error(`${word} field: files include each other more than ${maxIncludeDepth} deep`);
  const target = resolve(dirname(from), path);
  for (const file of word === 'include_dir' ? confFiles(target) : [target]) {
    const text = includedText(file, word);
    if (text !== null) readText(text, file, depth + 1, found);
  }
}

function includedText(file: string, word: string): string | null {
  let text: string | null;
  try {
    text = readAccessFile(file);
  } catch (error) {
    throw new Error(`${word} field: ${(error as Error).message}`, { cause: error });
  }
  if (text === null && word !== 'include_if_exists') throw new Error(`${word} field: there is no file ${file}`);
  return text;
}

/** The files of a directory that PostgreSQL's include_dir takes, in the order of their names' bytes. */
function confFiles(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter(entry => !entry.isDirectory() && entry.name.endsWith('.conf') && !entry.name.startsWith('.'))
      .map(entry => entry.name)
      .toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      .map(name => join(directory, name));
  } catch (error) {
    throw new Error(`include_dir field: ${directory} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown reason'})`, { cause: error });
  }
}
