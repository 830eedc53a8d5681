/**
 * The method ldap of pool_hba.conf: the client's password is tried at an LDAP server, by a simple bind or by looking
 * the user's entry up first (search+bind), with the meaning that PostgreSQL gives to the options.
 */
import type { Client } from 'ldapts';
import type { Socket } from 'node:net';
import { ldapOptions, type LdapOptions, type LdapSearch } from '../../shared/auth/ldap-options.js';
import { connectToLdap } from './ldap-connection.js';
import { dnOfUser, filterOfUser, LdapRefusal, userProblem } from './ldap-names.js';

const maxReasonLength = 300;

export type LdapResult =
  | { readonly ok: true }
  /** For the log only: it tells what a client must not learn. */
  | { readonly ok: false; readonly reason: string };

/**
 * Never rejects. An empty password is refused without asking: a server takes a bind without one for one by nobody
 * (RFC 4513, 5.1.2) and says yes.
 * @param options of the pool_hba.conf line, see LdapOptions
 * @param limitMs for everything together
 */
export async function ldapLogin(options: Readonly<Record<string, string>>, user: string, password: string, limitMs: number): Promise<LdapResult> {
  if (password === '') return { ok: false, reason: 'empty password' };
  const limit = AbortSignal.timeout(Math.max(1, Math.ceil(limitMs)));
  try {
    const ldap = ldapOptions(options);
    const problem = userProblem(user, ldap.mode);
    if (problem !== null) return { ok: false, reason: problem };
    const socket = await connectToLdap(ldap, limit, Math.max(1, Math.ceil(limitMs)));
    try {
      await within(limit, tryPassword(ldap, socket, user, password));
      return { ok: true };
    } finally {
      socket.destroy();
    }
  } catch (error) {
    return { ok: false, reason: limit.aborted ? `LDAP: no answer within ${limitMs} ms` : oneLine(reasonOf(error)) };
  }
}

/** @throws when the password is wrong, the entry is not found, or the server fails */
async function tryPassword(ldap: LdapOptions, socket: Socket, user: string, password: string): Promise<void> {
  // Loaded when the first client needs it: most never do.
  const { Client, SASL_MECHANISMS } = await import('ldapts');
  // Encrypted or not, the socket is ready.
  const client = new Client({ url: 'ldap://server', createConnection: onlyOver(socket) });
  const dn = ldap.mode.kind === 'simple' ? dnOfUser(ldap.mode, user) : await entryOf(client, ldap.mode, user);
  // The library would take these words for a SASL mechanism: EXTERNAL asks for no password.
  if ((SASL_MECHANISMS as readonly string[]).includes(dn)) throw new LdapRefusal(`"${dn}" is no name that can be bound`);
  await client.bind(dn, password);
}

/**
 * The library opens another connection when it finds its own closed. It would be one without TLS, and not bound: this
 * is the only one that it gets, ready for use.
 */
function onlyOver(socket: Socket): () => Socket {
  let isTaken = false;
  return () => {
    if (isTaken) throw new LdapRefusal('the LDAP server closed the connection');
    isTaken = true;
    return socket;
  };
}

/** @returns the DN of the one entry that is the user's */
async function entryOf(client: Client, search: LdapSearch, user: string): Promise<string> {
  await client.bind(search.bindDn, search.bindPassword).catch((error: unknown) => {
    throw new LdapRefusal(`initial bind for the search: ${reasonOf(error)}`);
  });
  const filter = await filterOfUser(search, user);
  // '1.1': no attributes (RFC 4511, 4.5.1.8). No size limit: with one, the library would keep to itself that a server
  // has stopped at its own, and the only entry that came need not be the only one.
  const { searchEntries } = await client.search(search.baseDn, { scope: search.scope, filter, attributes: ['1.1'] }).catch((error: unknown) => {
    throw new LdapRefusal(`search for the LDAP user: ${reasonOf(error)}`);
  });
  const [entry] = searchEntries;
  if (entry === undefined) throw new LdapRefusal('the LDAP user does not exist');
  if (searchEntries.length > 1) throw new LdapRefusal('the LDAP user is not unique');
  // A bind without a name would be one by nobody.
  if (entry.dn === '') throw new LdapRefusal('the entry of the LDAP user has no name');
  return entry.dn;
}

function within(limit: AbortSignal, work: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(new LdapRefusal('too late'));
    if (limit.aborted) stop();
    limit.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => limit.removeEventListener('abort', stop)).catch(() => undefined);
  });
}

function reasonOf(error: unknown): string {
  if (error instanceof LdapRefusal) return error.message;
  const { name = '', message = '', code } = error as Partial<NodeJS.ErrnoException & { code: unknown }>;
  const kind = name === 'Error' || name === '' ? '' : `${name} `;
  return `LDAP: ${kind}${typeof code === 'number' || typeof code === 'string' ? `(${String(code)}) ` : ''}${message}`;
}

/** One short line, whatever the server wrote or has in its certificate: no characters that control a terminal or hide others. */
function oneLine(text: string): string {
  return text.slice(0, maxReasonLength).replaceAll(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ').trim();
}
