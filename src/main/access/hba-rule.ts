/**
 * One rule of pool_hba.conf. What pgloom cannot do is refused and not passed over: a `reject` line that matches nobody
 * would let in whom it was to keep out.
 */
import type { HbaMethod, HbaName, HbaRule } from '../../shared/auth/hba.js';
import { isMappedNetwork, parseHbaAddress } from './hba-address.js';
import { hbaOptions } from './hba-options.js';
import { expandIncludes, type HbaField, type HbaToken } from './hba-tokens.js';

const types: ReadonlySet<string> = new Set(['local', 'host', 'hostssl', 'hostnossl']);
const methods: ReadonlySet<string> = new Set(['trust', 'reject', 'md5', 'scram-sha-256', 'password', 'cert', 'pam', 'ldap']);
/** Methods of PostgreSQL, of any age, that neither Pgpool-II nor pgloom has. */
const foreignMethods: ReadonlySet<string> = new Set(['gss', 'sspi', 'ident', 'peer', 'radius', 'bsd', 'oauth', 'krb5', 'krb4', 'crypt']);

/**
 * @param lineFields at least one
 * @param warn is given what looks odd, beginning with the field
 * @throws Error that begins with the field
 */
export function parseHbaRule(lineFields: readonly HbaField[], file: string, line: number, warn: (text: string) => void): HbaRule {
  const fields = new HbaFields(lineFields, file);
  const type = connectionType(fields.single('type').text);
  const databases = fields.list('database', warn).map(token => databaseName(token, warn));
  const users = fields.list('user', warn).map(userName);
  const address = type === 'local' ? null : parseHbaAddress(fields);
  if (isMappedNetwork(address)) {
    warn('address field: no client matches IPv4 addresses in IPv6 form (::ffff:…), who comes over IPv4 is compared with IPv4 addresses, as in PostgreSQL: write them in IPv4 form');
  }
  const method = methodOf(fields.single('method').text, type);
  if (method === 'reject' && address?.kind === 'name') {
    warn('address field: who owns an address decides which name it has, so a reject line with a host name keeps out only those who want it: name the addresses');
  }
  const options = hbaOptions(method, type, fields.rest().map(token => token.text));
  return { type, databases, users, address, method, options, file, line };
}

/** Hands out the fields of a line one after the other. */
export class HbaFields {
  private at = 0;

  constructor(private readonly fields: readonly HbaField[], private readonly file: string) {}

  list(what: string, warn: (text: string) => void): HbaToken[] {
    const field = this.next(what);
    try {
      const tokens = expandIncludes(field, this.file);
      if (tokens.length === 0) warn(`${what} field: the files named there hold no names, so the line matches no client`);
      return tokens;
    } catch (error) {
      throw new Error(`${what} field: ${(error as Error).message}`, { cause: error });
    }
  }

  single(what: string): HbaToken {
    const [token, ...more] = this.next(what);
    if (token === undefined || more.length > 0) throw new Error(`${what} field: more than one value where only one is allowed`);
    return token;
  }

  rest(): HbaToken[] {
    return this.fields.slice(this.at).flat();
  }

  private next(what: string): HbaField {
    const field = this.fields[this.at++];
    if (field === undefined) throw new Error(`${what} field: end of line before it`);
    return field;
  }
}

function connectionType(text: string): HbaRule['type'] {
  // Without GSSAPI every connection is one that GSSAPI does not encrypt.
  if (text === 'hostnogssenc') return 'host';
  if (text === 'hostgssenc') throw new Error('type field: hostgssenc can match no connection, pgloom has no GSSAPI encryption (nor has Pgpool-II)');
  if (!types.has(text)) throw new Error(`type field: invalid connection type "${text}"`);
  return text as HbaRule['type'];
}

function methodOf(text: string, type: HbaRule['type']): HbaMethod {
  if (foreignMethods.has(text)) throw new Error(`method field: method "${text}" is not supported by pgloom (nor by Pgpool-II)`);
  if (!methods.has(text)) throw new Error(`method field: invalid authentication method "${text}"`);
  if (text === 'cert' && type !== 'hostssl') throw new Error('method field: cert is only possible on hostssl lines');
  return text as HbaMethod;
}

function databaseName(token: HbaToken, warn: (text: string) => void): HbaName {
  const { text, quoted } = token;
  if (quoted) return { name: text, keyword: false };
  if (text === 'samegroup' || text === 'samerole') {
    throw new Error(`database field: ${text} is not supported, pgloom does not know who is a member of which role (nor does Pgpool-II): name the databases, or use sameuser`);
  }
  refuseExpression('database', text);
  if (text === 'replication') warn('database field: replication matches no client, pgloom takes no replication connections (write "replication" in quotes for a database of that name)');
  return { name: text, keyword: text === 'all' || text === 'sameuser' || text === 'replication' };
}

function userName(token: HbaToken): HbaName {
  const { text, quoted } = token;
  if (quoted) return { name: text, keyword: false };
  if (text.startsWith('+')) {
    throw new Error(`user field: ${text} is not supported, pgloom does not know who is a member of which role (nor does Pgpool-II): `
      + 'name the users, or put their names in a file and write @FILE (in quotes it is the user of that name)');
  }
  refuseExpression('user', text);
  return { name: text, keyword: text === 'all' };
}

function refuseExpression(field: string, text: string): void {
  if (text.startsWith('/')) throw new Error(`${field} field: regular expressions are not supported (nor by Pgpool-II): name the ${field}s (in quotes it is the ${field} of that name)`);
}
