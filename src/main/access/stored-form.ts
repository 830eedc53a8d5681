/** Looks at the form in which a password is stored, and decrypts what is encrypted. */
import { decryptedPassword, isAesPassword } from '../../shared/auth/aes-password.js';
import { isMd5Hash } from '../../shared/auth/md5.js';
import { parseScramVerifier } from '../../shared/auth/scram-verifier.js';
import type { KeyFile } from './key-file.js';

export const verifierPrefix = 'SCRAM-SHA-256$';

export interface StoredForm {
  /** As workers get it: `TEXT…` in place of an `AES…` that could be decrypted. */
  readonly stored: string;
  /** What is wrong, to follow the words "the password of user x"; null: nothing. Never repeats the password. */
  readonly problem: string | null;
  /** It is encrypted and there is no key at all: told once for a file. */
  readonly keyMissing: boolean;
}

export function storedForm(written: string, keyFile: KeyFile): StoredForm {
  if (isAesPassword(written)) return decrypted(written, keyFile);
  return { stored: written, problem: formProblem(written), keyMissing: false };
}

function decrypted(written: string, keyFile: KeyFile): StoredForm {
  const { key } = keyFile.read();
  if (key === null) return { stored: written, problem: null, keyMissing: true };
  const password = decryptedPassword(written, key);
  if (password !== null) return { stored: `TEXT${password}`, problem: null, keyMissing: false };
  return { stored: written, problem: `is encrypted with AES, and the key in ${keyFile.path} does not decrypt it`, keyMissing: false };
}

function formProblem(written: string): string | null {
  if (written.startsWith(verifierPrefix) && parseScramVerifier(written) === null) {
    return 'is no SCRAM-SHA-256 verifier, though it begins like one: it should read SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>';
  }
  if (written.startsWith('md5') && !isMd5Hash(written)) {
    return 'begins with md5, but 32 hexadecimal digits do not follow: it is taken for plain text (TEXT in front of it says so)';
  }
  return null;
}
