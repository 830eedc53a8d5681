/**
 * Passwords encrypted as Pgpool-II's pg_enc does it: `AES` and base64 of AES-256-CBC (reference/commands.md section 3).
 * Key and initialization vector are OpenSSL's EVP_BytesToKey with SHA-1, one round and no salt: whoever has the key file has the
 * passwords, and equal passwords look equal. It keeps passwords from being read over a shoulder, no more.
 */
import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';

const cipher = 'aes-256-cbc';
const keySizeBytes = 32;
const vectorSizeBytes = 16;
const blockSizeBytes = 16;
const prefix = 'AES';

const base64 = /^(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Is this stored password marked as encrypted? */
export function isAesPassword(stored: string): boolean {
  return stored.startsWith(prefix);
}

/** @returns the stored form: `AES` and base64 without line ends */
export function aesPassword(password: string, key: Uint8Array): string {
  const encrypt = createCipheriv(cipher, ...keyAndVector(key));
  return prefix + Buffer.concat([encrypt.update(password, 'utf8'), encrypt.final()]).toString('base64');
}

/**
 * @param stored with its `AES`
 * @returns the password; null when the key is not the one it was encrypted with, or what comes out cannot be a password:
 * nothing at all, bytes that are not UTF-8, a NUL
 */
export function decryptedPassword(stored: string, key: Uint8Array): string | null {
  const text = stored.slice(prefix.length);
  if (!isAesPassword(stored) || !base64.test(text)) return null;
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length % blockSizeBytes !== 0) return null;
  try {
    const decrypt = createDecipheriv(cipher, ...keyAndVector(key));
    const password = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat([decrypt.update(bytes), decrypt.final()]));
    return password === '' || password.includes('\0') ? null : password;
  } catch {
    // The padding or the text is wrong; the error of either could tell of the password.
    return null;
  }
}

function keyAndVector(key: Uint8Array): [Buffer, Buffer] {
  let digest = Buffer.alloc(0);
  let material = Buffer.alloc(0);
  while (material.length < keySizeBytes + vectorSizeBytes) {
    digest = createHash('sha1').update(digest).update(key).digest();
    material = Buffer.concat([material, digest]);
  }
  return [material.subarray(0, keySizeBytes), material.subarray(keySizeBytes, keySizeBytes + vectorSizeBytes)];
}
