/** What to write where, in words that can be pasted. */
import { statSync } from 'node:fs';
import { readKeyFile } from '../../access/key-file.js';
import { isAesPassword } from '../../../shared/auth/aes-password.js';
import type { Backend } from '../../../shared/settings.js';
import type { Files } from './files.js';

/** A word of a command line. */
function shellWord(text: string): string {
  return /^[\w./@:=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** Makes the password itself known to pgloom. */
export function howToStore(files: Files, user: string): string {
  const { settings: { configFile, auth_user: authUser }, passwdFile } = files;
  const query = authUser === '' ? `; or set auth_user in ${configFile} to a role that may read pg_authid` : '';
  if (passwdFile === '') return `set pool_passwd = 'pool_passwd' in ${configFile} (a restart takes it over) and then run: ${encCommand(files, user)}${keyRemark(files)}${query}`;
  return `${howToStorePlain(files, user)}${query}`;
}

/** The password itself is needed, a verifier would be of no use. */
export function howToStorePlain(files: Files, user: string): string {
  const store = `${encCommand(files, user)} (it asks for the password), then pgpool reload`;
  // It may be all right, only not readable here.
  return isAesPassword(files.access.passwords.get(user) ?? '') ? `${nameKeyFile(files)}; or store the password anew: ${store}${lastResort(files)}` : `${store}${keyRemark(files)}`;
}

function encCommand({ settings: { configFile }, keyFile }: Files, user: string): string {
  return `pg_enc -m -p -f ${shellWord(configFile)} -k ${shellWord(keyFile)} -u ${shellWord(user)}`;
}

/** '' where there is a key. The one that pgpool runs with may be another user's: a new one would not open what is stored. */
function keyRemark(files: Files): string {
  return readKeyFile(files.keyFile).key === null ? `; for that ${nameKeyFile(files)}${lastResort(files)}` : '';
}

function nameKeyFile({ keyFile }: Files): string {
  const { key, reason } = readKeyFile(keyFile);
  const why = key === null ? `${keyFile}: ${reason}; it may be readable only to the user who runs pgpool` : `the key in ${keyFile} is another one`;
  return `name the key file that pgpool runs with: -k FILE or PGPOOLKEYFILE (${why})`;
}

/** False also where nobody may look. */
function isAbsent(file: string): boolean {
  try {
    return statSync(file, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
}

/** '' where a file is in the way. */
function lastResort({ keyFile, access: { passwords } }: Files): string {
  if (!isAbsent(keyFile)) return '';
  const isInUse = [...passwords.values()].some(isAesPassword);
  const when = isInUse ? 'only when the key is lost, make another first, and store all AES passwords anew' : 'where there has never been a key, make one first';
  return `; ${when}: (umask 077; openssl rand -hex 32 > ${shellWord(keyFile)})`;
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

/** When TLS with a node fails. @param reason as BackendTlsError tells it */
export function tlsRemedy({ settings: { configFile, backend_sslmode: mode, backend_sslrootcert: root } }: Files, { id }: Backend, reason: string): string {
  const change = (word: string): string => `set backend_sslmode = ${word} in ${configFile} (now ${mode})`;
  if (reason.includes('does not offer TLS')) return `switch TLS on at the server (ssl = on in its postgresql.conf); or, to do without it, ${change('prefer')}`;
  if (/does not match host name|has no name of a host/.test(reason)) return `backend_hostname${id} must be a name in the server's certificate; or, to check its authority only, ${change('verify-ca')}`;
  if (/expired|not yet valid|revoked/.test(reason)) return `give the server a new certificate; or, not to verify it, ${change('require')}`;
  if (reason.includes('alert')) return "see the server's log; backend_sslcert and backend_sslkey name the certificate that it is shown";
  const from = root === '' ? 'backend_sslrootcert (empty now, so that ssl_ca_cert and ssl_ca_cert_dir hold)' : 'backend_sslrootcert (without it, ssl_ca_cert and ssl_ca_cert_dir hold)';
  return `set ${from} to the file with the authority of the server's certificate; or, not to verify it, ${change('require')}`;
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
