/** The answer to AuthenticationMD5Password: 'md5' + md5(md5(password + user) + salt), all digests in lower-case hex. */
import { createHash } from 'node:crypto';

/** What pg_md5 and PostgreSQL's pg_authid write: md5 and 32 hex digits. */
const storedHash = /^md5[0-9a-f]{32}$/i;

/** Is this stored password an md5 hash (useless for any method but md5)? */
export function isMd5Hash(stored: string): boolean {
  return storedHash.test(stored);
}

/** The stored form of a password: 'md5' + hex digest of password + user. */
export function md5Hash(password: string, user: string): string {
  return `md5${createHash('md5').update(password).update(user).digest('hex')}`;
}

/**
 * The text to send in the password message.
 * @param hash as stored: md5 and 32 hex digits. Never what somebody has typed: a hash would then be as good as the password
 * @param salt4 the four bytes the server sent
 */
export function md5Answer(hash: string, salt4: Uint8Array): string {
  return `md5${createHash('md5').update(hash.toLowerCase().slice(3)).update(salt4).digest('hex')}`;
}

/** What pcp.conf keeps of a password: its md5 alone, in hexadecimal, as pg_md5 prints it. */
export function pcpMd5(password: string): string {
  return createHash('md5').update(password, 'utf8').digest('hex');
}
