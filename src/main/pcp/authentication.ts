/**
 * Logging in to PCP (reference/wire.md 4): the server sends four bytes of salt, the client answers with its name and
 * md5(md5(md5(password) + name) + salt), all digests in lower-case hex.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { AdministrationError } from '../administration.js';
import { storedPasswords } from './pcp-conf.js';

/** MAX_USER_PASSWD_LEN */
const maxUserBytes = 128;

export function newSalt(): Buffer {
  return randomBytes(4);
}

/** What a client that knows the stored password answers. */
export function expectedAnswer(stored: string, user: string, salt: Uint8Array): string {
  const hash = createHash('md5').update(stored, 'latin1').update(user, 'latin1').digest('hex');
  return createHash('md5').update(hash).update(salt).digest('hex');
}

/**
 * Checks the payload of an `R` packet.
 * @param salt what was sent to this client, null when nothing was since its last attempt
 * @throws AdministrationError, FATAL, when the client is not who it says, or nobody can tell
 */
export async function authenticate(payload: Buffer, salt: Uint8Array | null, file: string): Promise<void> {
  const nameEnd = payload.indexOf(0);
  if (nameEnd < 0 || nameEnd >= maxUserBytes) throw new AdministrationError('failed to authenticate PCP user', 'error while reading authentication packet', 'FATAL');
  const user = payload.toString('latin1', 0, nameEnd);
  const answerEnd = payload.indexOf(0, nameEnd + 1);
  const answer = payload.subarray(nameEnd + 1, answerEnd < 0 ? payload.length : answerEnd);
  if (salt === null) throw noMatch('authentication failed');
  let matches = false;
  for (const stored of await storedPasswords(file, user)) {
    // Every line is compared, so that the time says nothing about which one it was.
    matches = isSame(answer, Buffer.from(expectedAnswer(stored, user, salt))) || matches;
  }
  if (!matches) throw noMatch(`authentication failed for user "${payload.toString('utf8', 0, nameEnd)}"`);
}

function isSame(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

function noMatch(message: string): AdministrationError {
  return new AdministrationError(message, 'username and/or password does not match', 'FATAL');
}
