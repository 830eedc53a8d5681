/**
 * pool_passwd: `user:password` a line (reference/commands.md section 4). Unlike pgpool, pgloom does not create the
 * file when it is missing: nobody is surprised by a file, and the directory may be read-only.
 */
import { accessLines, readAccessFile, type AccessLine } from './access-file.js';

export interface PoolPasswd {
  /** User → password as written (plain, TEXT…, md5…, AES…, SCRAM-SHA-256$…). */
  readonly passwords: Map<string, string>;
  readonly warnings: string[];
}

/** @throws AccessFileError when the file is there and cannot be read. A line that cannot be read is a warning. */
export function readPoolPasswd(file: string): PoolPasswd {
  const text = readAccessFile(file);
  return text === null ? { passwords: new Map(), warnings: [] } : parsePoolPasswd(text, file);
}

/** The warnings name line and user, never a password. */
export function parsePoolPasswd(text: string, file: string): PoolPasswd {
  const passwords = new Map<string, string>();
  const warnings: string[] = [];
  for (const line of accessLines(text)) {
    // Pgpool-II has no comments here, but a `#` line without a colon is no entry either way.
    if (line.text.trim() === '' || (line.text.startsWith('#') && !line.text.includes(':'))) continue;
    const warning = readLine(line, passwords);
    if (warning !== null) warnings.push(`${file}:${line.number}: ${warning}`);
  }
  return { passwords, warnings };
}

/** @returns what is wrong with the line */
function readLine(line: AccessLine, passwords: Map<string, string>): string | null {
  if (line.text.includes('\0')) return 'line ignored: it holds a NUL';
  const [user = '', password] = fields(line.text);
  if (password === undefined) return 'line ignored: there is no ":" between user and password';
  if (user === '') return 'line ignored: it names no user';
  // The first line of a user holds.
  if (passwords.has(user)) return `line ignored: user "${user}" has a line above`;
  passwords.set(user, password);
  return null;
}

/** The fields between colons; `\:` is a colon inside a field, any other backslash stands for itself. */
function fields(line: string): string[] {
  const found = [''];
  for (let i = 0; i < line.length; i++) {
    if (line[i] === ':') {
      found.push('');
      continue;
    }
    if (line[i] === '\\' && line[i + 1] === ':') i++;
    found[found.length - 1] += line[i] ?? '';
  }
  return found;
}
