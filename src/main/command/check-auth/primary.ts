/** Which node is the primary, asked as pgpool asks it: as sr_check_user, or health_check_user in its place. */
import { configuredPassword } from '../../../shared/auth/configured-password.js';
import { credentialOf, credentialOfText, storedPassword } from '../../../shared/auth/credential.js';
import { LoginError } from '../../../shared/auth/server-login.js';
import type { Backend } from '../../../shared/settings.js';
import type { BackendTls } from '../../../shared/tls/backend-tls.js';
import { roleLogin } from '../../cluster/node-question.js';
import type { Files } from './files.js';
import { askRows, LoginRefused } from './node-answer.js';
import { howToStorePlain } from './remedies.js';
import type { Finding } from './report.js';

export interface Primary {
  /** Null when no node says that it is the primary. */
  readonly id: number | null;
  readonly finding: Finding | null;
}

interface Role {
  readonly backend: Backend;
  readonly isPrimary: boolean;
  /** Why the question could not be asked though the node is there; null: it could, or the node is not there. */
  readonly trouble: Error | null;
}

const about = 'primary';

/** Never throws. */
export async function findPrimary(files: Files, tls: BackendTls): Promise<Primary> {
  const { backends } = files.settings;
  const roles = await Promise.all(backends.map((backend) => askRole(files, backend, tls)));
  const troubled = roles.find(({ trouble }) => trouble !== null);
  const known = primaryOf(backends, roles);
  if (troubled !== undefined) return { id: known, finding: troubleFinding(files, troubled) };
  if (backends.length === 1) return { id: known, finding: null };
  if (known !== null) return { id: known, finding: { mark: 'ok', about, text: `it is DB node ${known}` } };
  const text = isAsked(files) ? 'no DB node says that it is the primary' : 'pgpool cannot find out which DB node it is, because sr_check_user and health_check_user are empty';
  const remedy = isAsked(files) ? {} : { remedy: `set sr_check_user and sr_check_password in ${files.settings.configFile}` };
  return { id: null, finding: { mark: 'skipped', about, text, ...remedy } };
}

function isAsked({ settings, access }: Files): boolean {
  return settings.backends.some((backend) => roleLogin(backend, settings, access) !== null);
}

function primaryOf(backends: readonly Backend[], roles: readonly Role[]): number | null {
  const [only, second] = backends;
  if (only !== undefined && second === undefined) return only.id;
  return (backends.find(({ alwaysPrimary }) => alwaysPrimary) ?? roles.find(({ isPrimary }) => isPrimary)?.backend)?.id ?? null;
}

/** Where no user is set that pgpool asks with, this check asks as auth_user. */
async function askRole({ settings, access }: Files, backend: Backend, tls: BackendTls): Promise<Role> {
  const { auth_user: authUser, auth_password: written, auth_dbname: authDatabase } = settings;
  const login = roleLogin(backend, settings, access);
  if (login === null && authUser === '') return { backend, isPrimary: false, trouble: null };
  const [target, credential] = login === null
    ? [{ user: authUser, database: authDatabase }, credentialOf(storedPassword(configuredPassword(access, written, authUser), authUser), authUser)] as const
    : [login, credentialOfText(login.password, login.user)] as const;
  try {
    const rows = await askRows({ backend, tls, user: target.user, database: target.database }, credential, 'SELECT pg_catalog.pg_is_in_recovery()', []);
    return { backend, isPrimary: !('sqlstate' in rows) && rows[0]?.[0] === 'f', trouble: null };
  } catch (error) {
    const isTrouble = login !== null && (error instanceof LoginError || error instanceof LoginRefused);
    return { backend, isPrimary: false, trouble: isTrouble ? error : null };
  }
}

/** A warning: clients may log in all the same. */
function troubleFinding(files: Files, { backend, trouble }: Role): Finding {
  const { settings } = files;
  const isRole = settings.sr_check_user !== '';
  const prefix = isRole ? 'sr_check' : 'health_check';
  const { user, password } = isRole ? { user: settings.sr_check_user, password: settings.sr_check_password } : backend.health_check;
  const asks = `warning: pgpool asks the DB nodes as user "${user}" (${prefix}_user), and`;
  if (trouble instanceof LoginRefused) {
    const { refusal: { sqlstate, text } } = trouble;
    const from = password === '' ? 'pool_passwd' : `${prefix}_password`;
    const mend = sqlstate === '28P01' ? `write the password that the server has into ${from}, or create the role there` : `mend what the server says, or ${prefix}_user and ${prefix}_database in ${settings.configFile}`;
    return { mark: 'skipped', about, text: `${asks} DB node ${backend.id} refuses the login: ${text}`, remedy: mend };
  }
  const lacks = password === '' ? `${prefix}_password is empty, and pool_passwd has no password that serves` : `the one in ${prefix}_password does not serve`;
  return {
    mark: 'skipped', about, text: `${asks} DB node ${backend.id} asks for a password: ${lacks} (${trouble?.message ?? ''})`,
    remedy: `set ${prefix}_password in ${settings.configFile}, then pgpool reload; or ${howToStorePlain(files, user)}`,
  };
}
