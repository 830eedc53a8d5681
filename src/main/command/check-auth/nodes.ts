/** Step 5, first half: what the DB nodes ask of pgpool for this user and database, whatever the client. */
import { credentialOf, credentialOfText, storedPassword } from '../../../shared/auth/credential.js';
import { configuredPassword } from '../../../shared/auth/configured-password.js';
import type { Backend } from '../../../shared/settings.js';
import type { BackendTls } from '../../../shared/tls/backend-tls.js';
import { roleLogin } from '../../cluster/node-question.js';
import type { Files } from './files.js';
import { askNode, askRows, type NodeAnswer, type ServerError, type Target } from './node-answer.js';
import { hbaWord, sqlName } from './remedies.js';
import type { Finding } from './report.js';

export interface SeenNode {
  readonly target: Target;
  readonly answer: NodeAnswer;
  /** The login needs it: it is the primary, or nobody knows which one is. Without another, readers are done. */
  readonly isNeeded: boolean;
  readonly finding: Finding;
}

/** Asks all nodes at once. Never throws. */
export async function askNodes(files: Files, tls: BackendTls, user: string, database: string): Promise<readonly SeenNode[]> {
  const { backends } = files.settings;
  const primary = await findPrimary(files, tls);
  return Promise.all(backends.map(async (backend): Promise<SeenNode> => {
    const target: Target = { backend, tls, user, database };
    const answer = await askNode(target);
    const isNeeded = primary === null || primary === backend.id;
    const role = backends.length === 1 || primary === null ? '' : isNeeded ? ', primary' : ', standby';
    return { target, answer, isNeeded, finding: findingOf(target, answer, isNeeded, role) };
  }));
}

/** The node's number; null when no node says that it is the primary. */
async function findPrimary({ settings, access }: Files, tls: BackendTls): Promise<number | null> {
  const { backends, auth_user: authUser, auth_password: written, auth_dbname: authDatabase } = settings;
  const [only, second] = backends;
  if (only !== undefined && second === undefined) return only.id;
  const always = backends.find(({ alwaysPrimary }) => alwaysPrimary);
  if (always !== undefined) return always.id;
  const isPrimary = async (backend: Backend): Promise<boolean> => {
    const login = roleLogin(backend, settings, access);
    if (login === null && authUser === '') return false;
    const [target, credential] = login === null
      ? [{ user: authUser, database: authDatabase }, credentialOf(storedPassword(configuredPassword(access, written, authUser), authUser), authUser)] as const
      : [login, credentialOfText(login.password, login.user)] as const;
    const rows = await askRows({ backend, tls, user: target.user, database: target.database }, credential, 'SELECT pg_catalog.pg_is_in_recovery()', []).catch(() => []);
    return !('sqlstate' in rows) && rows[0]?.[0] === 'f';
  };
  const found = await Promise.all(backends.map(isPrimary));
  return backends[found.indexOf(true)]?.id ?? null;
}

function findingOf({ backend, user, database }: Target, answer: NodeAnswer, isNeeded: boolean, role: string): Finding {
  const about = `DB node ${backend.id}`;
  const place = `${backend.hostname === '' ? '/tmp' : backend.hostname}:${backend.port}${role}`;
  if (answer.kind === 'silent') {
    return isNeeded
      ? { mark: 'fails', about, text: `${place} cannot be reached: ${answer.reason}`, remedy: `start the server, or mend backend_hostname${backend.id}, backend_port${backend.id} or backend_sslmode` }
      : { mark: 'skipped', about, text: `${place} cannot be reached, and is done without: ${answer.reason}` };
  }
  const tls = answer.protocol === null ? 'without TLS' : `over ${answer.protocol}`;
  if (answer.kind === 'refuses') {
    return { mark: 'fails', about, text: `${place} refuses the login ${tls}: ${answer.error.text}`, remedy: remedyOf(answer.error, answer.protocol, user, database) };
  }
  const { method } = answer.question;
  const asks = method === 'trust' ? 'lets the user in without a question' : `asks for ${method === 'password' ? 'password (clear text)' : method}`;
  return { mark: 'ok', about, text: `${place} ${asks}, ${tls}` };
}

function remedyOf({ sqlstate, text }: ServerError, protocol: string | null, user: string, database: string): string {
  const restAt = "in the server's pg_hba.conf, then SELECT pg_reload_conf()";
  if (sqlstate === '') return `give the line that matches pgpool the method scram-sha-256 ${restAt}`;
  if (sqlstate === '3D000') return `CREATE DATABASE ${sqlName(database)}, or name another database (-d)`;
  if (sqlstate === '28000' && text.includes('pg_hba.conf')) {
    const or = protocol === null ? '; where a hostssl line is there already, let pgpool use TLS (backend_sslmode = require)' : '';
    return `write a line for pgpool's own address: ${protocol === null ? 'host' : 'hostssl'} ${hbaWord(database)} ${hbaWord(user)} <address of this host>/32 scram-sha-256 ${restAt}${or}`;
  }
  if (sqlstate === '28000') return `at the DB server: CREATE ROLE ${sqlName(user)} LOGIN PASSWORD …`;
  return 'mend what the server says';
}
