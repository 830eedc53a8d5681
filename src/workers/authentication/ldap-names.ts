/** The client's user name inside DNs and search filters: it must stay a value there, whatever characters it has. */
import type { Filter } from 'ldapts';
import type { LdapOptions, LdapSearch, LdapSimpleBind } from '../../shared/auth/ldap-options.js';

/** A login that is refused; the message is one line for the log. */
export class LdapRefusal extends Error {
  override readonly name = 'LdapRefusal';
}

/**
 * Is the value of an attribute written behind the prefix (`uid=`)? Otherwise it is no DN: Active Directory takes
 * `DOMAIN\user` and `user@domain`, too.
 */
function isDn(mode: LdapSimpleBind): boolean {
  return /=\s*$/.test(mode.prefix);
}

/** @returns why this name is not asked for, or null. The characters are those that PostgreSQL refuses, and more. */
export function userProblem(user: string, mode: LdapOptions['mode']): string | null {
  const refused = 'invalid character in user name for LDAP authentication';
  // eslint-disable-next-line no-control-regex
  if (user === '' || /[\u0000-\u001f\u007f]/.test(user)) return refused;
  if (mode.kind === 'search') return /[*()\\/]/.test(user) ? refused : null;
  return !isDn(mode) && /[,+"\\<>;=#@]/.test(user) ? refused : null;
}

/** What the client's password is tried at; the user's name is escaped by RFC 4514 where it stands in a DN. */
export function dnOfUser(mode: LdapSimpleBind, user: string): string {
  return mode.prefix + (isDn(mode) ? escapedForDn(user) : user) + mode.suffix;
}

/** RFC 4514, 2.4. Of the characters that it lets stand, `=` is escaped, too, which it allows. */
function escapedForDn(value: string): string {
  return value.replaceAll(/[,+"\\<>;=]|^[ #]|(?<=.) $/g, character => `\\${character}`);
}

/**
 * @returns the filter that finds the user's entry
 * @throws when ldapsearchfilter is no filter
 */
export async function filterOfUser({ by }: LdapSearch, user: string): Promise<Filter> {
  const { EqualityFilter, FilterParser } = await import('ldapts');
  if ('attribute' in by) return new EqualityFilter({ attribute: by.attribute, value: user });
  // RFC 4515, section 3.
  const escaped = user.replaceAll(/[*()\\\0]/g, character => `\\${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
  try {
    return FilterParser.parseString(by.filter.replaceAll('$username', () => escaped));
  } catch (error) {
    throw new LdapRefusal('ldapsearchfilter is no LDAP filter', { cause: error });
  }
}
