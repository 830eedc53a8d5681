/** ldapurl of pool_hba.conf: an RFC 4516 URL, of which PostgreSQL takes what stands for other options. */
import { isIP } from 'node:net';

export interface LdapUrl {
  readonly scheme: 'ldap' | 'ldaps';
  /** An IPv6 address without brackets; '' when the URL names no host. */
  readonly host: string;
  /** That of the scheme when the URL has none. */
  readonly port: number;
  /** null when there is no slash behind the host: then the URL only names the server. */
  readonly baseDn: string | null;
  /** The first of the attributes; null when there is none. */
  readonly attribute: string | null;
  readonly scope: LdapScope;
  readonly filter: string | null;
}

export type LdapScope = 'base' | 'one' | 'sub' | 'children';

export const defaultLdapPort = { ldap: 389, ldaps: 636 } as const;

/** OpenLDAP's words. */
const scopes: Readonly<Record<string, LdapScope>> = {
  '': 'base', base: 'base', one: 'one', onelevel: 'one', sub: 'sub', subtree: 'sub', children: 'children', subordinate: 'children',
};

/**
 * `ldap[s]://host[:port]/basedn[?[attribute][?[scope][?[filter]]]]`; without a scope it is `base`, as the RFC says.
 * @throws Error saying what is wrong
 */
export function parseLdapUrl(url: string): LdapUrl {
  const parts = /^(\w+):\/\/([^/?#]*)(?:\/([^#]*))?$/.exec(url);
  if (parts === null) throw new Error('ldapurl must be written ldap://host[:port]/basedn?attribute?scope?filter');
  const [, scheme = '', authority = '', rest] = parts;
  const schemeWord = scheme.toLowerCase();
  if (schemeWord !== 'ldap' && schemeWord !== 'ldaps') throw new Error(`scheme "${scheme}" of ldapurl is not supported, it must be ldap or ldaps`);
  const [baseDn = '', attributes = '', scopeWord = '', filter = '', extensions = ''] = (rest ?? '').split('?').map(decoded);
  const scope = Object.hasOwn(scopes, scopeWord.toLowerCase()) ? scopes[scopeWord.toLowerCase()] : undefined;
  if (scope === undefined) throw new Error('scope of ldapurl must be base, one or sub');
  if (extensions.split(',').some(extension => extension.startsWith('!'))) throw new Error('ldapurl asks for an extension, and none is supported');
  const server = authority === '' ? { host: '', port: null } : parseLdapServer(authority);
  const attribute = attributes.split(',')[0] ?? '';
  const port = server.port ?? defaultLdapPort[schemeWord];
  return { scheme: schemeWord, host: server.host, port, baseDn: rest === undefined ? null : baseDn, attribute: attribute === '' ? null : attribute, scope, filter: filter === '' ? null : filter };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    throw new Error('ldapurl holds a % that does not begin the code of a character', { cause: error });
  }
}

/**
 * `host`, `host:port`, an IP address, or an IPv6 address in brackets with or without a port.
 * @throws Error saying what is wrong
 */
export function parseLdapServer(text: string): { host: string; port: number | null } {
  if (isIP(text) !== 0) return { host: text, port: null };
  const [, inBrackets, name = '', portText] = /^(?:\[([^\]]*)\]|([\w.-]+))(?::([0-9]{1,5}))?$/.exec(text) ?? [];
  const host = inBrackets ?? name;
  if (host === '' || (inBrackets !== undefined && isIP(inBrackets) !== 6)) throw new Error('the LDAP server must be a host name or an address, with or without a port');
  const port = portText === undefined ? null : Number(portText);
  if (port !== null && (port < 1 || port > 65_535)) throw new Error('the port of the LDAP server must be from 1 to 65535');
  return { host, port };
}
