/** What pgloom can prove to a server in the name of a user, and what is stored for that user. */
import { isMd5Hash } from './md5.js';
import type { ScramKeys } from './scram-keys.js';
import { parseScramVerifier, type ScramVerifier } from './scram-verifier.js';

/** Prefixes of stored passwords (reference/commands.md section 4). */
const textPrefix = 'TEXT';
const aesPrefix = 'AES';
const verifierPrefix = 'SCRAM-SHA-256$';

/** A line of pool_passwd, or what auth_query answered, by its form. */
export type StoredPassword =
  | { readonly kind: 'plain'; readonly password: string }
  /** 'md5' and 32 digits. */
  | { readonly kind: 'md5'; readonly hash: string }
  | { readonly kind: 'verifier'; readonly verifier: ScramVerifier; readonly text: string }
  /** There is none, or it is of no use; `why` goes to the log. */
  | { readonly kind: 'none'; readonly why: string };

/** How pgloom answers a server. */
export type Credential =
  /** With nothing: only a server that trusts can be logged in to. `why` says what is missing where. */
  | { readonly kind: 'none'; readonly why: string }
  | { readonly kind: 'plain'; readonly password: string }
  | { readonly kind: 'md5'; readonly hash: string; readonly from: string }
  /** The keys that a client's own SCRAM proof has shown: for servers that have the same verifier. */
  | { readonly kind: 'scram'; readonly keys: ScramKeys; readonly salt: string; readonly iterations: number; readonly from: string };

/**
 * @param text as pool_passwd has it (AES is decrypted when the file is read); undefined when there is none
 * @param from where it comes from, for messages: `pool_passwd`, `auth_query`
 */
export function storedPassword(text: string | undefined | null, user: string, from = 'pool_passwd'): StoredPassword {
  const none = (why: string): StoredPassword => ({ kind: 'none', why });
  if (text === undefined || text === null) return none(`${from} has no password of user "${user}"`);
  if (isMd5Hash(text)) return { kind: 'md5', hash: text.toLowerCase() };
  if (text.startsWith(verifierPrefix)) {
    const verifier = parseScramVerifier(text);
    return verifier === null ? none(`the SCRAM-SHA-256 verifier of user "${user}" in ${from} is malformed`) : { kind: 'verifier', verifier, text };
  }
  if (text.startsWith(aesPrefix)) return none(`the password of user "${user}" in ${from} is encrypted with AES, and the key file does not decrypt it`);
  const password = text.startsWith(textPrefix) ? text.slice(textPrefix.length) : text;
  return password === '' ? none(`the password of user "${user}" in ${from} is empty`) : { kind: 'plain', password };
}

/** What a stored password is good for towards servers by itself, without anything that a client has shown. */
export function credentialOf(stored: StoredPassword, user: string, from = 'pool_passwd'): Credential {
  switch (stored.kind) {
    case 'plain':
    case 'none': return stored;
    case 'md5': return { kind: 'md5', hash: stored.hash, from };
    case 'verifier':
      return { kind: 'none', why: `${from} has a SCRAM-SHA-256 verifier of user "${user}", with which a server can only be logged in to when the client has proved itself by scram-sha-256` };
  }
}

/** The same from the text of pool_passwd. */
export function credentialOfText(text: string | undefined, user: string): Credential {
  return credentialOf(storedPassword(text, user), user);
}

/** Tells apart what was logged in with; never shown. */
export function credentialId(credential: Credential): string {
  switch (credential.kind) {
    case 'none': return '';
    case 'plain': return credential.password;
    case 'md5': return credential.hash;
    case 'scram': return `${credential.iterations} ${credential.salt} ${credential.keys.clientKey.toString('base64')}`;
  }
}
