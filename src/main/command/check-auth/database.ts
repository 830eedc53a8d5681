/** Whether the database and the role are there: asked as auth_user, because a login that ends before its proof does not tell. */
import { configuredPassword } from '../../../shared/auth/configured-password.js';
import { credentialOf, storedPassword } from '../../../shared/auth/credential.js';
import type { Backend } from '../../../shared/settings.js';
import type { BackendTls } from '../../../shared/tls/backend-tls.js';
import type { Files } from './files.js';
import { askRows, type Row } from './node-answer.js';
import { sqlName } from './remedies.js';
import type { Finding } from './report.js';

const sql = `SELECT d.datallowconn, r.rolcanlogin, pg_catalog.has_database_privilege(r.oid, d.oid, 'CONNECT')
FROM (SELECT 1) AS one
LEFT JOIN pg_catalog.pg_database AS d ON d.datname = $1
LEFT JOIN pg_catalog.pg_roles AS r ON r.rolname = $2`;

/** @returns null when nobody can be asked: auth_query is off, or the question fails (findStored tells why) */
export async function lookForDatabase({ settings, access }: Files, user: string, database: string, primary: Backend | null, tls: BackendTls): Promise<Finding | null> {
  const { auth_user: authUser, auth_password: written, auth_dbname: authDatabase } = settings;
  if (authUser === '' || primary === null) return null;
  const own = credentialOf(storedPassword(configuredPassword(access, written, authUser), authUser), authUser);
  const rows = await askRows({ backend: primary, tls, user: authUser, database: authDatabase }, own, sql, [database, user]).catch(() => null);
  const row = rows === null || 'sqlstate' in rows ? undefined : rows[0];
  return row === undefined ? null : findingOf(row, user, database, `DB node ${primary.id}`);
}

function findingOf([mayConnect, mayLogIn, hasRight]: Row, user: string, database: string, node: string): Finding {
  const about = 'database';
  const fails = (text: string, remedy: string): Finding => ({ mark: 'fails', about, text: `${node}: ${text}`, remedy });
  if (mayConnect === null) return fails(`database "${database}" does not exist`, `CREATE DATABASE ${sqlName(database)}, or name another database (-d)`);
  if (mayConnect === 'f') return fails(`database "${database}" takes no connections`, `ALTER DATABASE ${sqlName(database)} ALLOW_CONNECTIONS true`);
  if (mayLogIn === null) return fails(`role "${user}" does not exist`, `CREATE ROLE ${sqlName(user)} LOGIN PASSWORD …`);
  if (mayLogIn === 'f') return fails(`role "${user}" may not log in`, `ALTER ROLE ${sqlName(user)} LOGIN`);
  if (hasRight === 'f') return fails(`role "${user}" may not connect to database "${database}"`, `GRANT CONNECT ON DATABASE ${sqlName(database)} TO ${sqlName(user)}`);
  return { mark: 'ok', about, text: `${node} has database "${database}" and role "${user}", which may connect` };
}
