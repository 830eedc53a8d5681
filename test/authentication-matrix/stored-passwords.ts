/** pool_passwd for the matrix. */
import { createCipheriv, createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { md5Hash } from '../../src/shared/auth/md5.js';
import { serverMethods, type AuthServer } from '../support/auth-server.js';
import { userOf, type StoredForm } from './axes.js';

/** The key of `.pgpoolkey`. */
export const poolKey = 'the key of the matrix';

/**
 * @param verifiers of the users with a stored SCRAM verifier, as pg_authid has them
 * @returns the text of pool_passwd
 */
export function poolPasswd(forms: readonly StoredForm[], passwords: ReadonlyMap<string, string>, verifiers: ReadonlyMap<string, string> = new Map()): string {
  const lines: string[] = [];
  for (const server of serverMethods) {
    for (const stored of forms) {
      const user = userOf(server, stored);
      const entry = entryOf(stored, user, passwords.get(user) ?? '', verifiers.get(user));
      if (entry !== undefined) lines.push(`${user}:${entry}\n`);
    }
  }
  return lines.join('');
}

function entryOf(stored: StoredForm, user: string, password: string, verifier: string | undefined): string | undefined {
  switch (stored) {
    case 'none': case 'query': return undefined;
    case 'TEXT': return `TEXT${password}`;
    case 'AES': return `AES${encrypted(password)}`;
    case 'md5': return md5Hash(password, user);
    case 'verifier': return verifier;
  }
}

/** As pg_enc writes it: AES-256-CBC, key and IV by OpenSSL's EVP_BytesToKey with SHA-1, one round, no salt. */
function encrypted(password: string): string {
  let material = Buffer.alloc(0);
  for (let block = Buffer.alloc(0); material.length < 48;) {
    block = createHash('sha1').update(block).update(poolKey).digest();
    material = Buffer.concat([material, block]);
  }
  const cipher = createCipheriv('aes-256-cbc', material.subarray(0, 32), material.subarray(32, 48));
  return Buffer.concat([cipher.update(password, 'utf8'), cipher.final()]).toString('base64');
}

/**
 * SCRAM verifiers of the users who have one stored: the server's own, or the keys that a client shows would be of no use
 * there. A server that has an md5 hash gets none that fits.
 */
export async function verifiersOf(server: AuthServer, passwords: ReadonlyMap<string, string>): Promise<Map<string, string>> {
  const rows = await server.query<{ rolname: string; rolpassword: string }>('select rolname, rolpassword from pg_authid where rolpassword is not null');
  return new Map(rows.map(({ rolname, rolpassword }) => [rolname, rolpassword.startsWith('SCRAM') ? rolpassword : verifier(passwords.get(rolname) ?? '')]));
}

/** RFC 5802, section 3. */
function verifier(password: string): string {
  const [iterations, salt] = [4096, randomBytes(16)];
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const hmac = (text: string): Buffer => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(hmac('Client Key')).digest();
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey.toString('base64')}:${hmac('Server Key').toString('base64')}`;
}
