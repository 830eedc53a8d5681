/**
 * A PostgreSQL server that wants to see passwords: the beginning of a role's name says by which method. Over its Unix
 * socket, and for the superuser, it trusts.
 */
import { startCluster, type Cluster } from '../../src/main/demo/cluster.js';
import type { Row } from '../../src/main/demo/sql.js';

/** Methods of pg_hba.conf, as a role's name begins with them. */
export const serverMethods = ['trust', 'password', 'md5', 'scram'] as const;
export type ServerMethod = typeof serverMethods[number];

export interface AuthServerOptions {
  /** Role names, `<method>_<anything>`, and their passwords. */
  readonly passwords: ReadonlyMap<string, string>;
  readonly databases?: readonly string[];
  /** Lines of pg_hba.conf that come before those by role name. */
  readonly rules?: readonly string[];
  /** PEM files that the server's user may read; without them the server has no TLS. */
  readonly tls?: { readonly certificateFile: string; readonly keyFile: string; readonly authorityFile?: string };
  readonly standbys?: number;
}

export interface AuthServer {
  /** The first is the primary. */
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  readonly host: string;
  readonly port: number;
  readonly superuser: string;
  /** Changes passwords; the form in pg_authid is md5 for roles `md5_…`, SCRAM for all others. */
  setPasswords(passwords: ReadonlyMap<string, string>): Promise<void>;
  /** As the superuser, at the primary. */
  query<R extends Row = Row>(sql: string, database?: string): Promise<R[]>;
  /** Resolves when the standbys have all that the primary has. */
  waitForReplay(): Promise<void>;
  stop(): Promise<void>;
}

const superuser = 'postgres';
const hbaMethods: Readonly<Record<ServerMethod, string>> = { trust: 'trust', password: 'password', md5: 'md5', scram: 'scram-sha-256' };

/** Starts it with its roles and databases. */
export async function startAuthServer(options: AuthServerOptions): Promise<AuthServer> {
  const cluster = await startCluster({
    standbys: options.standbys ?? 0, user: superuser,
    settings: { ...tlsSettings(options.tls), md5_password_warnings: 'off' },
    auth: [`host all ${superuser} 127.0.0.1/32 trust`, ...options.rules ?? [], ...methodRules()].join('\n'),
  });
  try {
    const roles = [...options.passwords.keys()].map((role) => `create role ${quoteName(role)} login;`);
    await cluster.query(0, roles.join('\n'));
    await setPasswords(cluster, options.passwords);
    for (const database of options.databases ?? []) await cluster.query(0, `create database ${quoteName(database)}`);
    await cluster.waitForReplay();
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  const [primary] = cluster.nodes;
  if (primary === undefined) throw new Error('the cluster has no server');
  return {
    nodes: cluster.nodes, host: primary.host, port: primary.port, superuser,
    setPasswords: (passwords) => setPasswords(cluster, passwords),
    query: (sql, database) => cluster.query(0, sql, database),
    waitForReplay: () => cluster.waitForReplay(),
    stop: () => cluster.stop(),
  };
}

/** A slash begins a regular expression in pg_hba.conf, since PostgreSQL 16. */
function methodRules(): string[] {
  return serverMethods.map((method) => `host all /^${method}_ 127.0.0.1/32 ${hbaMethods[method]}`);
}

function tlsSettings(tls: AuthServerOptions['tls']): Record<string, string> {
  if (tls === undefined) return {};
  return {
    ssl: 'on', ssl_cert_file: tls.certificateFile, ssl_key_file: tls.keyFile,
    ...tls.authorityFile === undefined ? {} : { ssl_ca_file: tls.authorityFile },
  };
}

/** One batch for each form: the setting holds for the session, and each batch is one. */
async function setPasswords(cluster: Cluster, passwords: ReadonlyMap<string, string>): Promise<void> {
  for (const form of ['md5', 'scram-sha-256'] as const) {
    const statements = [...passwords]
      .filter(([role]) => role.startsWith('md5_') === (form === 'md5'))
      .map(([role, password]) => `alter role ${quoteName(role)} password '${password.replaceAll("'", "''")}';`);
    if (statements.length > 0) await cluster.query(0, `set password_encryption = '${form}';\n${statements.join('\n')}`);
  }
}

function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
