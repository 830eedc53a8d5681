/** The `name=value` options at the end of a pool_hba.conf line. */
import type { HbaMethod } from '../../shared/auth/hba.js';

const flag = (value: string): string | null => (value === '0' || value === '1' ? null : 'must be 0 or 1');
const text = (value: string): string | null => (value === '' ? 'must not be empty' : null);
const any = (): null => null;
const port = (value: string): string | null =>
  (/^[0-9]{1,5}$/.test(value) && Number(value) >= 1 && Number(value) <= 65_535 ? null : 'must be a port from 1 to 65535');
const scheme = (value: string): string | null => (value === 'ldap' || value === 'ldaps' ? null : 'must be ldap or ldaps');

/** For each option: the method it belongs to, and what is wrong with a value (null: nothing). */
const options: Readonly<Record<string, { readonly method: HbaMethod; readonly problem: (value: string) => string | null }>> = {
  pamservice: { method: 'pam', problem: text },
  pam_use_hostname: { method: 'pam', problem: flag },
  ldapserver: { method: 'ldap', problem: text },
  ldapport: { method: 'ldap', problem: port },
  ldapscheme: { method: 'ldap', problem: scheme },
  ldaptls: { method: 'ldap', problem: flag },
  ldapprefix: { method: 'ldap', problem: any },
  ldapsuffix: { method: 'ldap', problem: any },
  ldapbasedn: { method: 'ldap', problem: any },
  ldapbinddn: { method: 'ldap', problem: any },
  ldapbindpasswd: { method: 'ldap', problem: any },
  ldapsearchattribute: { method: 'ldap', problem: any },
  ldapsearchfilter: { method: 'ldap', problem: any },
  ldapurl: { method: 'ldap', problem: text },
  backend_use_passwd: { method: 'ldap', problem: flag },
};

/**
 * @param words `name=value` each
 * @throws Error saying what is wrong; values are not repeated, one of them is a password
 */
export function hbaOptions(method: HbaMethod, words: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const word of words) {
    const equals = word.indexOf('=');
    if (equals < 1) throw new Error('option field: an option must be written name=value');
    const name = word.slice(0, equals);
    const value = word.slice(equals + 1);
    const option = Object.hasOwn(options, name) ? options[name] : undefined;
    if (option === undefined) throw new Error(`option field: unrecognized authentication option "${name}"`);
    if (option.method !== method) throw new Error(`option field: option "${name}" belongs to method "${option.method}", not "${method}"`);
    const problem = option.problem(value);
    if (problem !== null) throw new Error(`option field: value of "${name}" ${problem}`);
    found[name] = value;
  }
  if (method === 'ldap' && found['ldapserver'] === undefined && found['ldapurl'] === undefined) {
    throw new Error('option field: method "ldap" needs ldapserver or ldapurl');
  }
  return found;
}
