/** The `name=value` options at the end of a pool_hba.conf line. */
import type { HbaMethod, HbaRule } from '../../shared/auth/hba.js';
import { ldapOptions } from '../../shared/auth/ldap-options.js';

const flag = (value: string): string | null => (value === '0' || value === '1' ? null : 'must be 0 or 1');
const text = (value: string): string | null => (value === '' ? 'must not be empty' : null);
const any = (): null => null;
const port = (value: string): string | null =>
  (/^[0-9]{1,5}$/.test(value) && Number(value) >= 1 && Number(value) <= 65_535 ? null : 'must be a port from 1 to 65535');
/** It becomes the name of a file in /etc/pam.d: 255 bytes at the most, and nothing that leads out of there. */
const pamService = (value: string): string | null =>
  (/^[\w.-]{1,255}$/.test(value) && !/^\.+$/.test(value) ? null : 'must be the name of a PAM service: at most 255 letters, digits, ".", "_" and "-"');
const oneOf = (...words: string[]) => (value: string): string | null => (words.includes(value) ? null : `must be ${words.join(' or ')}`);

interface Option {
  /** null: any method, on hostssl lines. */
  readonly method: HbaMethod | null;
  /** What is wrong with a value; null: nothing. */
  readonly problem: (value: string) => string | null;
}

const options: Readonly<Record<string, Option>> = {
  pamservice: { method: 'pam', problem: pamService },
  pam_use_hostname: { method: 'pam', problem: flag },
  ldapserver: { method: 'ldap', problem: text },
  ldapport: { method: 'ldap', problem: port },
  ldapscheme: { method: 'ldap', problem: oneOf('ldap', 'ldaps') },
  ldaptls: { method: 'ldap', problem: flag },
  ldapprefix: { method: 'ldap', problem: any },
  ldapsuffix: { method: 'ldap', problem: any },
  ldapbasedn: { method: 'ldap', problem: any },
  ldapbinddn: { method: 'ldap', problem: any },
  ldapbindpasswd: { method: 'ldap', problem: any },
  ldapsearchattribute: { method: 'ldap', problem: text },
  ldapsearchfilter: { method: 'ldap', problem: text },
  ldapurl: { method: 'ldap', problem: text },
  backend_use_passwd: { method: 'ldap', problem: flag },
  clientcert: { method: null, problem: oneOf('verify-ca', 'verify-full') },
  clientname: { method: null, problem: oneOf('CN', 'DN') },
};

/**
 * @param words `name=value` each; of two with the same name the last holds, as in PostgreSQL
 * @throws Error saying what is wrong; values are not repeated, one of them is a password
 */
export function hbaOptions(method: HbaMethod, type: HbaRule['type'], words: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const word of words) {
    const equals = word.indexOf('=');
    if (equals < 1) throw new Error('option field: an option must be written name=value');
    const name = word.slice(0, equals);
    checkOption(name, word.slice(equals + 1), method, type);
    // Taken away first, so that the order is that of the last mention: ldapurl and the options it stands for meet there.
    delete found[name];
    found[name] = word.slice(equals + 1);
  }
  checkTogether(method, found);
  return found;
}

function checkOption(name: string, value: string, method: HbaMethod, type: HbaRule['type']): void {
  if (name === 'map') throw new Error('option field: "map" is not supported, pgloom has no user name maps (nor has Pgpool-II)');
  const option = Object.hasOwn(options, name) ? options[name] : undefined;
  if (option === undefined) throw new Error(`option field: unrecognized authentication option "${name}"`);
  if (option.method === null && type !== 'hostssl') throw new Error(`option field: option "${name}" is only possible on hostssl lines`);
  if (option.method !== null && option.method !== method) {
    throw new Error(`option field: option "${name}" belongs to method "${option.method}", not "${method}"`);
  }
  const problem = option.problem(value);
  if (problem !== null) throw new Error(`option field: value of "${name}" ${problem}`);
}

function checkTogether(method: HbaMethod, found: Readonly<Record<string, string>>): void {
  if (method === 'cert' && found['clientcert'] === 'verify-ca') {
    throw new Error('option field: value of "clientcert" must be verify-full with method "cert", which compares the name in the certificate in any case');
  }
  if (found['clientname'] !== undefined && method !== 'cert' && found['clientcert'] !== 'verify-full') {
    throw new Error('option field: option "clientname" needs method "cert" or clientcert=verify-full, nothing else looks at the name in the certificate');
  }
  if (method !== 'ldap') return;
  try {
    ldapOptions(found);
  } catch (error) {
    throw new Error(`option field: ${(error as Error).message}`, { cause: error });
  }
}
