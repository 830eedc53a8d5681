/**
 * Whose certificates an LDAP server may show. PostgreSQL and Pgpool-II leave that to OpenLDAP's library, whose settings
 * an administrator has made already, so they are read here: TLS_CACERT and TLS_REQCERT of ldap.conf, LDAPTLS_CACERT and
 * LDAPTLS_REQCERT of the environment. Without them it is the authorities that Node.js knows.
 */
import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContext } from 'node:tls';

export interface LdapTrust {
  readonly context: SecureContext;
  /** False when TLS_REQCERT is never or allow. */
  readonly mustVerify: boolean;
}

/** Debian's place, then Red Hat's. */
const files = ['/etc/ldap/ldap.conf', '/etc/openldap/ldap.conf'];
/** Reading a bundle of authorities takes 10 ms and more. */
const keptMs = 30_000;
let known: { readonly trust: Promise<LdapTrust>; readonly key: string; readonly untilMs: number } | null = null;

/** @throws when the file of authorities cannot be read: to trust others in their place would be worse */
export function ldapTrust(nowMs = performance.now()): Promise<LdapTrust> {
  const { LDAPTLS_CACERT, LDAPTLS_REQCERT, LDAPCONF } = process.env;
  const key = JSON.stringify([LDAPTLS_CACERT, LDAPTLS_REQCERT, LDAPCONF]);
  if (known === null || known.key !== key || nowMs >= known.untilMs) {
    const trust = readTrust();
    known = { trust, key, untilMs: nowMs + keptMs };
    trust.catch(() => {
      known = null;
    });
  }
  return known.trust;
}

async function readTrust(): Promise<LdapTrust> {
  const settings = await readSettings();
  const file = process.env['LDAPTLS_CACERT'] ?? settings.get('tls_cacert');
  const required = (process.env['LDAPTLS_REQCERT'] ?? settings.get('tls_reqcert') ?? 'demand').toLowerCase();
  return {
    context: createSecureContext(file === undefined ? {} : { ca: await readFile(file) }),
    mustVerify: required !== 'never' && required !== 'allow',
  };
}

/** `NAME value` lines; names in small letters. */
async function readSettings(): Promise<Map<string, string>> {
  const settings = new Map<string, string>();
  const own = process.env['LDAPCONF'];
  for (const file of own === undefined ? files : [...files, own]) {
    const text = await readFile(file, 'utf8').catch(() => '');
    for (const line of text.split('\n')) {
      const [, name, value] = /^([A-Za-z_]+)\s+(\S.*?)\s*$/.exec(line) ?? [];
      if (name !== undefined && value !== undefined) settings.set(name.toLowerCase(), value);
    }
  }
  return settings;
}
