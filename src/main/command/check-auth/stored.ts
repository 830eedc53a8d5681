/** Step 3: what is stored for the user, in pool_passwd or, when that has no line, at the server (auth_query). */
import { readKeyFile } from '../../access/key-file.js';
import { isAesPassword } from '../../../shared/auth/aes-password.js';
import { configuredPassword } from '../../../shared/auth/configured-password.js';
import { credentialOf, type StoredPassword, storedPassword } from '../../../shared/auth/credential.js';
import type { Backend } from '../../../shared/settings.js';
import type { BackendTls } from '../../../shared/tls/backend-tls.js';
import type { Files } from './files.js';
import { askRows, type Row, type ServerError } from './node-answer.js';
import { howToStore, mayReadPasswords, sqlName } from './remedies.js';
import type { Finding } from './report.js';
import { formName, writtenPassword } from './written-form.js';

export interface Stored {
  readonly stored: StoredPassword;
  readonly from: 'pool_passwd' | 'auth_query';
  /** auth_query could not be asked: nobody without a line in pool_passwd gets in. */
  readonly isBroken: boolean;
  readonly findings: readonly Finding[];
}

/** @param primary whom auth_query is asked at; null when no node can be reached */
export async function findStored(files: Files, user: string, primary: Backend | null, tls: BackendTls): Promise<Stored> {
  const { access, settings, passwdFile } = files;
  const text = access.passwords.get(user);
  const isOn = settings.auth_user !== '';
  if (text === undefined && isOn) {
    const missing: Finding = { mark: 'skipped', about: 'pool_passwd', text: `has no line of user "${user}": auth_query is asked` };
    const { finding, ...looked } = await askVerifier(files, user, primary, tls);
    return { ...looked, from: 'auth_query', findings: [missing, finding] };
  }
  const stored = withoutKey(files, user, text) ?? storedPassword(text, user);
  const notOn: Finding[] = isOn ? [{ mark: 'skipped', about: 'auth_query', text: 'not asked, because pool_passwd has a line' }] : [];
  if (text === undefined) {
    const finding: Finding = { mark: 'skipped', about: 'stored password', text: `there is none: ${passwdFile === '' ? "pool_passwd = ''" : `${passwdFile} has no line of user "${user}"`}, and auth_user is not set` };
    return { stored, from: 'pool_passwd', isBroken: false, findings: [finding] };
  }
  return { stored, from: 'pool_passwd', isBroken: false, findings: [writtenFinding(files, user, stored), ...notOn] };
}

function writtenFinding(files: Files, user: string, stored: StoredPassword): Finding {
  const { passwdFile, keyFile } = files;
  const written = writtenPassword(passwdFile, user);
  const place = `${passwdFile}:${written?.line ?? '?'}`;
  const about = 'stored password';
  if (stored.kind === 'none') return { mark: 'fails', about, text: `${place}: ${stored.why}`, remedy: howToStore(files, user) };
  const how = stored.kind !== 'plain' ? '' : written?.isAes === true ? ` (AES, decrypted with the key in ${keyFile})` : ' (TEXT)';
  return { mark: 'ok', about, text: `${place} has ${formName(stored)}${how}` };
}

/** The server's words are the same for a key that does not fit, which is another thing to mend. */
function withoutKey({ keyFile }: Files, user: string, text: string | undefined): StoredPassword | null {
  if (text === undefined || !isAesPassword(text)) return null;
  const { key, reason } = readKeyFile(keyFile);
  return key === null ? { kind: 'none', why: `the password of user "${user}" in pool_passwd is encrypted with AES, and there is no key to decrypt it: ${keyFile}: ${reason}` } : null;
}

type Looked = Pick<Stored, 'stored' | 'isBroken'> & { readonly finding: Finding };

async function askVerifier(files: Files, user: string, primary: Backend | null, tls: BackendTls): Promise<Looked> {
  const { access, settings: { auth_user: authUser, auth_password: written, auth_dbname: database, auth_query: sql } } = files;
  const from = written === '' ? 'pool_passwd' : 'auth_password';
  const broken = (text: string, remedy: string): Looked => ({ stored: { kind: 'none', why: `auth_query could not be asked: ${text}` }, isBroken: true, finding: { mark: 'fails', about: 'auth_query', text, remedy } });
  if (primary === null) return broken('no DB node can be reached', 'see the DB nodes');
  const own = credentialOf(storedPassword(configuredPassword(access, written, authUser), authUser, from), authUser, from);
  let rows: readonly Row[] | ServerError;
  try {
    rows = await askRows({ backend: primary, tls, user: authUser, database }, own, sql, [user]);
  } catch (error) {
    const mend = `auth_user, auth_password (or a line of "${authUser}" in pool_passwd) and auth_dbname in ${files.settings.configFile}, and DB node ${primary.id}'s pg_hba.conf`;
    return broken(`as user "${authUser}" at DB node ${primary.id}, database "${database}": ${(error as Error).message}`, `look at ${mend}`);
  }
  if ('sqlstate' in rows) {
    const mayNot = rows.sqlstate === '42501';
    return broken(`DB node ${primary.id} answers "${rows.text}"${mayNot ? `: role "${authUser}" has not the right to read the passwords` : ''}`,
      mayNot ? mayReadPasswords(files) : `mend auth_query in ${files.settings.configFile}`);
  }
  const stored = storedPassword(rows[0]?.[1], user, 'auth_query');
  return { stored, isBroken: false, finding: rowFinding(rows[0], stored, user, primary.id) };
}

function rowFinding(row: Row | undefined, stored: StoredPassword, user: string, node: number): Finding {
  const about = 'auth_query';
  if (row === undefined) {
    return { mark: 'fails', about, text: `DB node ${node} knows no role "${user}" that may log in`, remedy: `create it there (CREATE ROLE ${sqlName(user)} LOGIN PASSWORD …), or ALTER ROLE ${sqlName(user)} LOGIN` };
  }
  if (stored.kind === 'none') {
    const why = row[1] === null || row[1] === undefined ? 'has no password, or one that has expired (VALID UNTIL)' : 'has a password in a form that is of no use';
    return { mark: 'skipped', about, text: `role "${user}" ${why}`, remedy: `at the DB server: ALTER ROLE ${sqlName(user)} PASSWORD … (psql: \\password ${user})` };
  }
  return { mark: 'ok', about, text: `DB node ${node} has ${formName(stored)}` };
}
