/** What to write where, in words that can be pasted. */
import { readKeyFile } from '../../access/key-file.js';
import type { Files } from './files.js';

/** A word of a command line. */
function shellWord(text: string): string {
  return /^[\w./@:=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** Makes the password itself known to pgloom. */
export function howToStore({ settings: { configFile, auth_user: authUser }, passwdFile, keyFile }: Files, user: string): string {
  const query = authUser === '' ? `, or set auth_user in ${configFile} to a role that may read pg_authid` : '';
  if (passwdFile === '') return `set pool_passwd = 'pool_passwd' in ${configFile} (a restart takes it over) and then run: ${encCommand(configFile, keyFile, user)}${query}`;
  return `${encCommand(configFile, keyFile, user)} (it asks for the password), then pgpool reload${query}`;
}

/** The password itself is needed, a verifier would be of no use. */
export function howToStorePlain({ settings: { configFile }, keyFile }: Files, user: string): string {
  return `${encCommand(configFile, keyFile, user)} (it asks for the password), then pgpool reload`;
}

function encCommand(configFile: string, keyFile: string, user: string): string {
  const makeKey = readKeyFile(keyFile).key === null ? `(umask 077; openssl rand -hex 32 > ${shellWord(keyFile)}) for a key, and then ` : '';
  return `${makeKey}pg_enc -m -p -f ${shellWord(configFile)} -k ${shellWord(keyFile)} -u ${shellWord(user)}`;
}

export function md5Command({ settings: { configFile } }: Files, user: string): string {
  return `pg_md5 -m -p -f ${shellWord(configFile)} -u ${shellWord(user)}`;
}

/** For auth_user, in auth_dbname. */
export function mayReadPasswords({ settings: { auth_user: role, auth_dbname: database, configFile } }: Files): string {
  const sql = [
    'CREATE FUNCTION pgloom_get_auth(text) RETURNS TABLE (rolname name, rolpassword text) LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog '
      + 'AS $$SELECT rolname, CASE WHEN rolvaliduntil < now() THEN NULL ELSE rolpassword END FROM pg_authid WHERE rolname = $1 AND rolcanlogin$$',
    'REVOKE ALL ON FUNCTION pgloom_get_auth(text) FROM PUBLIC',
    `GRANT EXECUTE ON FUNCTION pgloom_get_auth(text) TO ${sqlName(role)}`,
  ];
  return `as a superuser in database ${sqlName(database)}: ${sql.join('; ')}; and in ${configFile}: auth_query = 'SELECT * FROM pgloom_get_auth($1)'; or ALTER ROLE ${sqlName(role)} SUPERUSER`;
}

/** A quoted identifier. */
export function sqlName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A database or a user in pg_hba.conf and pool_hba.conf: what means more than itself, or would not be one word, is quoted. */
export function hbaWord(name: string): string {
  return /^[a-z_][\w-]*$/i.test(name) && !['all', 'sameuser', 'samerole', 'samegroup', 'replication'].includes(name) ? name : sqlName(name);
}

/** A password in the form that scram-sha-256 needs. */
export function newServerPassword(user: string): string {
  return `at the DB server: SET password_encryption = 'scram-sha-256'; ALTER ROLE ${sqlName(user)} PASSWORD … (psql: \\password ${user})`;
}
