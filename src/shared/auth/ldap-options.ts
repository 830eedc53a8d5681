/**
 * The ldap… options of a pool_hba.conf line, put together as PostgreSQL does. The primary thread checks them with this
 * when it reads the file, a worker reads them with it when a client logs in.
 */
import { defaultLdapPort, parseLdapServer, parseLdapUrl, type LdapScope } from './ldap-url.js';

export interface LdapOptions {
  readonly scheme: 'ldap' | 'ldaps';
  /** Tried in this order. */
  readonly servers: readonly { readonly host: string; readonly port: number }[];
  /** StartTLS (RFC 4511) on an `ldap` connection. */
  readonly startTls: boolean;
  readonly mode: LdapSimpleBind | LdapSearch;
}

/** The client's password is tried at prefix + user + suffix. */
export interface LdapSimpleBind {
  readonly kind: 'simple';
  readonly prefix: string;
  readonly suffix: string;
}

/** The user's entry is looked for first, then the client's password is tried at it. */
export interface LdapSearch {
  readonly kind: 'search';
  readonly baseDn: string;
  /** Who searches; both empty: anybody (an anonymous bind). */
  readonly bindDn: string;
  readonly bindPassword: string;
  readonly scope: LdapScope;
  /** The attribute that must be equal to the user's name, or a filter in which `$username` stands for it. */
  readonly by: { readonly attribute: string } | { readonly filter: string };
}

const searchOptions = ['ldapbasedn', 'ldapbinddn', 'ldapbindpasswd', 'ldapsearchattribute', 'ldapsearchfilter'];

/** @throws Error saying what does not fit together; values are not repeated */
export function ldapOptions(options: Readonly<Record<string, string>>): LdapOptions {
  const { plain, scope } = withoutUrl(options);
  const scheme = plain['ldapscheme'] === 'ldaps' ? 'ldaps' : 'ldap';
  const startTls = plain['ldaptls'] === '1';
  if (startTls && scheme === 'ldaps') throw new Error('ldaptls=1 and scheme ldaps exclude each other: the connection is encrypted from its start');
  const port = plain['ldapport'] === undefined ? defaultLdapPort[scheme] : Number(plain['ldapport']);
  const servers = (plain['ldapserver'] ?? '').split(/\s+/).filter(word => word !== '').map(word => {
    const server = parseLdapServer(word);
    return { host: server.host, port: server.port ?? port };
  });
  if (servers.length === 0) throw new Error('method "ldap" needs ldapserver, or ldapurl with a host');
  return { scheme, servers, startTls, mode: modeOf(plain, scope) };
}

/** ldapurl stands for other options; what is written behind it takes the place of what it says. */
function withoutUrl(options: Readonly<Record<string, string>>): { plain: Record<string, string>; scope: LdapScope } {
  const plain: Record<string, string> = {};
  let scope: LdapScope = 'sub';
  for (const [name, value] of Object.entries(options)) {
    if (name !== 'ldapurl') {
      plain[name] = value;
      continue;
    }
    const url = parseLdapUrl(value);
    scope = url.scope;
    plain['ldapscheme'] = url.scheme;
    if (url.host !== '') plain['ldapserver'] = url.host.includes(':') ? `[${url.host}]` : url.host;
    plain['ldapport'] = String(url.port);
    if (url.baseDn !== null) plain['ldapbasedn'] = url.baseDn;
    if (url.attribute !== null) plain['ldapsearchattribute'] = url.attribute;
    if (url.filter !== null) plain['ldapsearchfilter'] = url.filter;
  }
  return { plain, scope };
}

function modeOf(plain: Readonly<Record<string, string>>, scope: LdapScope): LdapOptions['mode'] {
  const prefix = plain['ldapprefix'];
  const suffix = plain['ldapsuffix'];
  if (prefix !== undefined || suffix !== undefined) {
    if (searchOptions.some(name => plain[name] !== undefined)) {
      throw new Error(`ldapprefix and ldapsuffix (simple bind) cannot be mixed with ${searchOptions.join(', ')} and ldapurl (search+bind)`);
    }
    return { kind: 'simple', prefix: prefix ?? '', suffix: suffix ?? '' };
  }
  const baseDn = plain['ldapbasedn'];
  if (baseDn === undefined) throw new Error('method "ldap" needs ldapbasedn, ldapprefix, ldapsuffix or ldapurl');
  const filter = plain['ldapsearchfilter'];
  const attribute = plain['ldapsearchattribute'];
  if (filter !== undefined && attribute !== undefined) throw new Error('ldapsearchattribute and ldapsearchfilter cannot be used together');
  if (attribute !== undefined && !/^[A-Za-z0-9][A-Za-z0-9.;-]*$/.test(attribute)) throw new Error('ldapsearchattribute is not the name of an attribute');
  const by = filter === undefined ? { attribute: attribute ?? 'uid' } : { filter };
  return { kind: 'search', baseDn, bindDn: plain['ldapbinddn'] ?? '', bindPassword: plain['ldapbindpasswd'] ?? '', scope, by };
}
