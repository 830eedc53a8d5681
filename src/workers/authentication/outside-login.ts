/** Methods that ask somebody else about the password: LDAP and PAM. */
import type { HbaRule } from '../../shared/auth/hba.js';
import { ldapLogin } from './ldap.js';
import { passwordRefused } from './login-refused.js';
import { pamLogin } from './pam.js';
import { verifiedHostName } from './verified-host-name.js';

/** Who does not answer by then has not confirmed the password. */
const limitMs = 30_000;
const defaultService = 'pgpool';

/** @throws LoginRefused when the password is not confirmed, for whatever reason */
export async function outsideLogin({ method, options }: HbaRule, user: string, password: string, address: string): Promise<void> {
  const result = method === 'ldap'
    ? await ldapLogin(options, user, password, limitMs)
    : await pamLogin(options['pamservice'] ?? defaultService, user, password, await hostOf(address, options), limitMs);
  if (!result.ok) throw passwordRefused(user, `${method}: ${result.reason}`);
}

/** What PAM is told of the client's host: its address, or its name as with PostgreSQL. */
async function hostOf(address: string, options: HbaRule['options']): Promise<string> {
  return options['pam_use_hostname'] === '1' ? (await verifiedHostName(address)) ?? address : address;
}
