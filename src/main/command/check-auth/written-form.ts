/** Where the password of a user stands in pool_passwd, and in which form. Never gives away the password. */
import { isAesPassword } from '../../../shared/auth/aes-password.js';
import type { StoredPassword } from '../../../shared/auth/credential.js';
import { accessLines, readAccessFile } from '../../access/access-file.js';
import { entryFields } from '../../access/pool-passwd.js';

export interface WrittenPassword {
  readonly line: number;
  readonly isAes: boolean;
}

/** The line that holds: the first of this user that has a password. Null: there is none. */
export function writtenPassword(file: string, user: string): WrittenPassword | null {
  const lines = accessLines(readAccessFile(file) ?? '')
    .filter(({ text }) => !text.includes('\0'))
    .map(({ number, text }) => ({ number, fields: entryFields(text) }))
    .filter(({ fields: [name, password] }) => name === user && password !== undefined);
  const found = lines.find(({ fields: [, password] }) => password !== '') ?? lines[0];
  return found === undefined ? null : { line: found.number, isAes: isAesPassword(found.fields[1] ?? '') };
}

/** For sentences: `an md5 hash`. */
export function formName(stored: StoredPassword): string {
  switch (stored.kind) {
    case 'plain': return 'the password itself';
    case 'md5': return 'an md5 hash';
    case 'verifier': return 'a SCRAM-SHA-256 verifier';
    case 'none': return 'nothing';
  }
}
