/**
 * pool_passwd: `user:password` a line (reference/commands.md section 4). Unlike pgpool, pgloom does not create the
 * file when it is missing: nobody is surprised by a file, and the directory may be read-only.
 */
import { statSync } from 'node:fs';
import { parseScramVerifier } from '../../shared/auth/scram-verifier.js';
import { accessLines, readAccessFile, type AccessLine } from './access-file.js';
import type { KeyFile } from './key-file.js';
import { storedForm, verifierPrefix } from './stored-form.js';

export interface PoolPasswd {
  /** User → password: plain, TEXT…, md5…, SCRAM-SHA-256$…; AES… only when it could not be decrypted. */
  readonly passwords: Map<string, string>;
  readonly warnings: string[];
}

/** @throws AccessFileError when the file is there and cannot be read. A line that cannot be read is a warning. */
export function readPoolPasswd(file: string, keyFile: KeyFile): PoolPasswd {
  const text = readAccessFile(file);
  if (text === null) return { passwords: new Map(), warnings: [] };
  const { passwords, warnings } = parsePoolPasswd(text, file, keyFile);
  return { passwords, warnings: passwords.size === 0 ? warnings : [...modeWarnings(file), ...warnings] };
}

/** The warnings name line and user, never a password. */
export function parsePoolPasswd(text: string, file: string, keyFile: KeyFile): PoolPasswd {
  const passwords = new Map<string, string>();
  const warnings: string[] = [];
  let withoutKey = 0;
  for (const line of accessLines(text)) {
    // Pgpool-II has no comments here, but a `#` line without a colon is no entry either way.
    if (line.text.trim() === '' || (line.text.startsWith('#') && !line.text.includes(':'))) continue;
    const entry = readLine(line, passwords);
    if (typeof entry === 'string') {
      warnings.push(`${file}:${line.number}: line ignored: ${entry}`);
      continue;
    }
    const { stored, problem, keyMissing } = storedForm(entry.password, keyFile);
    passwords.set(entry.user, stored);
    if (keyMissing) withoutKey++;
    const oddity = problem ?? (entry.isCut ? 'ends at its first ":", what follows has no effect, as in Pgpool-II (a ":" inside a password is written "\\:")' : null);
    if (oddity !== null) warnings.push(`${file}:${line.number}: the password of user "${entry.user}" ${oddity}`);
  }
  if (withoutKey > 0) {
    warnings.push(`${file}: ${withoutKey === 1 ? '1 password is' : `${withoutKey} passwords are`} encrypted with AES, and there is no key to decrypt: ${keyFile.path}: ${keyFile.read().reason}`);
  }
  return { passwords, warnings };
}

interface Entry {
  readonly user: string;
  readonly password: string;
  /** There is more in the line. Pgpool-II reads it as a user and a password for the servers, and makes no use of them. */
  readonly isCut: boolean;
}

/** @returns the entry, or what is wrong with the line */
function readLine(line: AccessLine, known: ReadonlyMap<string, string>): Entry | string {
  if (line.text.includes('\0')) return 'it holds a NUL';
  const [user = '', password, ...more] = entryFields(line.text);
  if (password === undefined) return 'there is no ":" between user and password';
  if (user === '') return 'it names no user';
  // The first line of a user holds, unless it has no password.
  if ((known.get(user) ?? '') !== '') return `user "${user}" has a line above`;
  const verifier = wholeVerifier(password, more);
  return verifier === null ? { user, password, isCut: more.length > 0 } : { user, password: verifier, isCut: more.length > 2 };
}

/** The fields between colons; a backslash takes the character behind it as it is, so `\:` is a colon inside a field. */
export function entryFields(line: string): string[] {
  const found = [''];
  for (let i = 0; i < line.length; i++) {
    if (line[i] === ':') {
      found.push('');
      continue;
    }
    // At the end of the line it stands for itself.
    if (line[i] === '\\' && i + 1 < line.length) i++;
    found[found.length - 1] += line[i] ?? '';
  }
  return found;
}

/** A field that reads as `text`. */
export function escapedField(text: string): string {
  return text.replaceAll(/[\\:]/g, '\\$&');
}

/** A verifier has colons of its own, and is pasted here from pg_authid as it is. Null when this is not the beginning of one. */
function wholeVerifier(password: string, [saltAndKey = '', serverKey = '']: readonly string[]): string | null {
  const whole = `${password}:${saltAndKey}:${serverKey}`;
  return password.startsWith(verifierPrefix) && parseScramVerifier(password) === null && parseScramVerifier(whole) !== null ? whole : null;
}

/** PostgreSQL's rule for private keys: a group may read what belongs to root, as Debian installs it (root:postgres 0640). */
function modeWarnings(file: string): string[] {
  const facts = statSync(file, { throwIfNoEntry: false });
  if (facts === undefined || (facts.mode & (facts.uid === 0 ? 0o037 : 0o077)) === 0) return [];
  return [`${file}: others than its owner have access to the passwords (mode ${(facts.mode & 0o7777).toString(8).padStart(4, '0')}); it should be 0600, or 0640 when root owns it`];
}
