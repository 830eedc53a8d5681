/** pcp.conf: who may use PCP. Lines `user:md5`, md5 being 32 hex digits of the password as pg_md5 prints them. */
import { open } from 'node:fs/promises';
import { AdministrationError } from '../administration.js';
import { checkPlainFile, plainFileFlags, PlainFileError } from '../plain-file.js';

/** MAX_USER_PASSWD_LEN */
const maxTextBytes = 128;
/** Keeps /dev/zero and a slip of the pen out of memory. */
const maxFileBytes = 1024 * 1024;

const refused = 'failed to authenticate PCP user';

/**
 * The stored passwords of one user, in the order of the file; texts are compared byte by byte, so they are latin1 here.
 * Lines that begin with # or are empty are left out, and so is a line without a colon.
 * @throws AdministrationError, FATAL, when the file cannot be read or a name or password in it is longer than 128 bytes
 */
export async function storedPasswords(file: string, user: string): Promise<string[]> {
  const passwords: string[] = [];
  for (const line of (await readText(file)).split('\n')) {
    const colon = line.indexOf(':');
    if (line.startsWith('#') || colon < 0) continue;
    if (colon > maxTextBytes) throw tooLong(file, 'username');
    if (line.slice(0, colon) !== user) continue;
    const password = line.slice(colon + 1).replace(/\r$/, '');
    if (password.length > maxTextBytes) throw tooLong(file, 'password');
    passwords.push(password);
  }
  return passwords;
}

async function readText(file: string): Promise<string> {
  try {
    // A pipe must not keep one of Node's few threads for files.
    const handle = await open(file, plainFileFlags);
    try {
      checkPlainFile(await handle.stat(), maxFileBytes);
      return await handle.readFile('latin1');
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw new AdministrationError(refused, `could not open ${file}. reason: ${reason(error as NodeJS.ErrnoException)}`, 'FATAL');
  }
}

function reason(error: NodeJS.ErrnoException): string {
  if (error instanceof PlainFileError) return error.message;
  if (error.code === 'ENOENT') return 'No such file or directory';
  return error.code === 'EACCES' ? 'Permission denied' : (error.code ?? error.message);
}

function tooLong(file: string, what: 'username' | 'password'): AdministrationError {
  return new AdministrationError(refused, `${what} read from file "${file}" is larger than maximum allowed ${what} length [${maxTextBytes}]`, 'FATAL');
}
