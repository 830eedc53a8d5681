/** What a client is asked for, by a method and what is stored; and whether what it types is what is stored. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { type Credential, credentialOf, type StoredPassword } from './credential.js';
import type { HbaRule } from './hba.js';
import { md5Hash } from './md5.js';
import { matchesVerifier } from './scram-verifier.js';
import type { ServerMethod } from './server-login.js';

export type PasswordMethod = Exclude<ServerMethod, 'trust'>;

/**
 * What the client is asked by. Who has a SCRAM verifier is asked by SCRAM where md5 is wanted, as PostgreSQL does.
 * @param mayAskClear allow_clear_text_frontend_auth, in relay mode
 */
export function questionFor(method: PasswordMethod, stored: StoredPassword, mayAskClear: boolean): PasswordMethod {
  if (stored.kind === 'none' && mayAskClear) return 'password';
  return method === 'md5' && stored.kind === 'verifier' ? 'scram-sha-256' : method;
}

/** What the rule wants of the client's certificate; null for nothing. */
export function certificateWanted({ method, options }: HbaRule): 'verify-ca' | 'verify-full' | null {
  if (method === 'cert') return 'verify-full';
  const wanted = options['clientcert'];
  return wanted === 'verify-ca' || wanted === 'verify-full' ? wanted : null;
}

/** After LDAP or PAM has confirmed the password: what servers are shown. */
export function credentialAfter({ options }: HbaRule, password: string, stored: StoredPassword, user: string, from: string): Credential {
  const known = credentialOf(stored, user, from);
  return options['backend_use_passwd'] === '1' || known.kind === 'none' ? { kind: 'plain', password } : known;
}

/** Whether it is the stored password. */
export async function matchesStored(password: string, user: string, stored: StoredPassword): Promise<boolean> {
  switch (stored.kind) {
    case 'none': return false;
    case 'plain': return isSame(password, stored.password);
    case 'md5': return isSame(md5Hash(password, user), stored.hash);
    case 'verifier': return matchesVerifier(password, stored.verifier);
  }
}

/** In a time that depends on neither. */
function isSame(one: string, other: string): boolean {
  const key = randomBytes(32);
  const digest = (text: string): Buffer => createHmac('sha256', key).update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
