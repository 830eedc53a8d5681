/**
 * The axes of the matrix. The name of the user says by which method the server asks and what the proxy has stored for
 * him; the name of the database says by which method the proxy asks.
 */
import { serverMethods, type ServerMethod } from '../support/auth-server.js';

/** Lines of pool_hba.conf; both relays are enable_pool_hba = off, one with allow_clear_text_frontend_auth = on. */
export const clientMethods = ['relay', 'relay+clear', 'trust', 'reject', 'password', 'md5', 'scram', 'cert'] as const;
export type ClientMethod = typeof clientMethods[number];

/** What pool_passwd has for the user; the last two are pgloom's only, `query` is auth_query. */
export const storedForms = ['none', 'TEXT', 'AES', 'md5', 'verifier', 'query'] as const;
export type StoredForm = typeof storedForms[number];
/** Those that Pgpool-II knows. */
export const commonForms = ['none', 'TEXT', 'AES', 'md5'] as const satisfies readonly StoredForm[];

/** How a proxy has to be set up; each runs on its own. */
export const setUps = ['relay', 'relay+clear', 'rules'] as const;
export type SetUp = typeof setUps[number];

export interface Subject {
  readonly client: ClientMethod;
  readonly server: ServerMethod;
  readonly stored: StoredForm;
  readonly tls: boolean;
}

export function setUpOf(client: ClientMethod): SetUp {
  return client === 'relay' || client === 'relay+clear' ? client : 'rules';
}

export function userOf(server: ServerMethod, stored: StoredForm): string {
  return `${server}_${stored.toLowerCase()}`;
}

export function databaseOf(client: ClientMethod): string {
  return `by_${client.replace('+', '_')}`;
}

/** Everybody is trusted with this one. */
export const homeDatabase = 'home';

export const databases: readonly string[] = [...clientMethods.map(databaseOf), homeDatabase];

/** pool_hba.conf of the set-up `rules`. */
export function poolHba(): string {
  const methods = { trust: 'trust', reject: 'reject', password: 'password', md5: 'md5', scram: 'scram-sha-256' } as const;
  const lines = Object.entries(methods).map(([client, method]) => `host ${databaseOf(client as ClientMethod)} all 127.0.0.1/32 ${method}`);
  return [...lines, `hostssl ${databaseOf('cert')} all 127.0.0.1/32 cert`, `host ${homeDatabase} all 127.0.0.1/32 trust`, ''].join('\n');
}

/** Passwords of all users, told apart by `age`. */
export function passwordsOf(forms: readonly StoredForm[], age: 'first' | 'second'): Map<string, string> {
  return new Map(serverMethods.flatMap((server) => forms.map((stored) => {
    const user = userOf(server, stored);
    return [user, `${age} password of ${user}`] as const;
  })));
}

export function subjectsOf(setUp: SetUp, forms: readonly StoredForm[]): Subject[] {
  const subjects: Subject[] = [];
  for (const client of clientMethods.filter((method) => setUpOf(method) === setUp)) {
    for (const server of serverMethods) for (const stored of forms) for (const tls of [false, true]) subjects.push({ client, server, stored, tls });
  }
  return subjects;
}
