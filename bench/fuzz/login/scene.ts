/** pgloom with all the accounts of the login fuzzer, TLS on, in front of a server that trusts it, or asks for passwords itself. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { makeCertificates } from '../../../test/support/certificates.js';
import { type Pgloom, startPgloom } from '../../../test/support/pgloom.js';
import { startLdapServer } from '../../../test/auth/ldap-server.js';
import { dropRolesSql, people, poolHba, poolPasswd, rolesSql } from './accounts.js';

export interface SceneOptions {
  /** Trusts postgres; has the database `test`. */
  readonly node: { readonly host: string; readonly port: number };
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  readonly children?: number;
  readonly mode?: Mode;
}

/**
 * What judges the clients: pool_hba.conf and pool_passwd; pool_hba.conf and what auth_query finds at the server; pool_hba.conf and, for
 * those of method password and for names that stand nowhere, a slapd of the scene's own; the server (pgHba in accounts.ts).
 */
export type Mode = (typeof modes)[number];
export const modes = ['pool_hba', 'auth_query', 'ldap', 'relay'] as const;

const authQuery = { auth_user: 'postgres', auth_dbname: 'test', auth_query: 'select rolname, rolpassword from pg_authid where rolname = $1' };

/** With max_pool = 1 as many links to the server as there are children may stay in the pool. */
export const mostChildren = 150;

/** Starts one, gives it to `use`, and leaves nothing behind whatever happens. */
export async function withScene({ node, settings, children = mostChildren, mode = 'pool_hba' }: SceneOptions, use: (pgloom: Pgloom) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(path.join(tmpdir(), 'pgloom-fuzz-'));
  await runSql(node, rolesSql);
  try {
    const { server, authority, crl } = await makeCertificates(directory, 'fuzz_cert');
    const ldap = mode === 'ldap' ? await startLdapServer(server, people) : null;
    try {
      const pgloom = await startPgloom({
        nodes: [node],
        settings: {
          num_init_children: children, max_pool: 1, worker_threads: 2, ssl: true, ssl_cert: server.cert, ssl_key: server.key, ssl_ca_cert: authority.cert, ssl_crl_file: crl,
          backend_sslmode: 'disable', auth_failure_delay: 0, ...(mode === 'auth_query' && authQuery), ...settings,
        },
        ...(mode !== 'relay' && { hba: poolHba(ldap === null ? undefined : `ldap ldapserver=127.0.0.1 ldapport=${ldap.port} ldapprefix="uid=" ldapsuffix=",ou=people,dc=example,dc=org"`) }),
        ...(mode !== 'auth_query' && { poolPasswd }),
      });
      try {
        await use(pgloom);
      } finally {
        await pgloom.stop();
      }
    } finally {
      await ldap?.stop();
    }
  } finally {
    await runSql(node, dropRolesSql);
    await rm(directory, { recursive: true, force: true });
  }
}

async function runSql({ host, port }: SceneOptions['node'], sql: string): Promise<void> {
  const client = new Client({ host, port, user: 'postgres', database: 'test' });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
