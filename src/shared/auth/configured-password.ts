/** Passwords of the users that pgloom itself logs in as, at servers: named in pgpool.conf, or in pool_passwd. */
import type { AccessFiles } from '../messages.js';

/**
 * @param written the value of the parameter, such as sr_check_password; when it is empty, pool_passwd has the password
 * @returns the password as pool_passwd would store it; undefined when there is none
 */
export function configuredPassword(access: Pick<AccessFiles, 'passwords' | 'decrypted'>, written: string, user: string): string | undefined {
  return written === '' ? access.passwords.get(user) : access.decrypted.get(written) ?? written;
}
