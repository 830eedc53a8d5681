/** The file .pcppass (reference/commands.md): `hostname:port:username:password`, the first line that matches counts. */
import { readFileSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';

export interface PassFileQuestion {
  readonly host: string;
  readonly port: number;
  readonly user: string;
}

/** `$PCPPASSFILE` as it is, else `.pcppass` in the home directory that the user database names; undefined without one. */
export function passFilePath(environment: NodeJS.ProcessEnv): string | undefined {
  const named = environment['PCPPASSFILE'];
  if (named !== undefined) return named;
  try {
    return join(userInfo().homedir, '.pcppass');
  } catch {
    // A user id without an entry.
    return undefined;
  }
}

/**
 * The password for this connection; undefined when the file or a line for it is missing, or others may read the file.
 * @param warn is told why a file that exists is not used
 */
export function passwordFromFile(path: string, question: PassFileQuestion, warn: (text: string) => void): string | undefined {
  if (!isUsable(path, warn)) return undefined;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    warn(`WARNING: password file "${path}" cannot be read: ${(error as NodeJS.ErrnoException).code}`);
    return undefined;
  }
  for (const line of text.split('\n')) {
    const [host, port, user, password] = splitLine(line);
    if (password === undefined) continue;
    if (matches(host, question.host) && matches(port, String(question.port)) && matches(user, question.user)) return unescape(password);
  }
  return undefined;
}

function isUsable(path: string, warn: (text: string) => void): boolean {
  const file = statSync(path, { throwIfNoEntry: false });
  if (file === undefined) return false;
  if (!file.isFile()) {
    warn(`WARNING: password file "${path}" is not a plain file`);
    return false;
  }
  if ((file.mode & 0o077) !== 0) {
    warn(`WARNING: password file "${path}" has group or world access; permissions should be u=rw (0600) or less`);
    return false;
  }
  return true;
}

/** At colons that no backslash stands before; the backslashes stay. */
function splitLine(line: string): string[] {
  const fields = [''];
  for (const [piece] of line.matchAll(/\\.|[^]/g)) {
    if (piece === ':') fields.push('');
    else fields[fields.length - 1] += piece;
  }
  return fields;
}

function matches(field: string | undefined, wanted: string): boolean {
  return field === '*' || (field !== undefined && unescape(field) === wanted);
}

function unescape(field: string): string {
  return field.replaceAll(/\\(.)/g, '$1');
}
