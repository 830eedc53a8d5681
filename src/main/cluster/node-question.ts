/** What the primary thread asks a node: are you there, and are you the primary? */
import { configuredPassword } from '../../shared/auth/configured-password.js';
import { PgRole } from '../../shared/memory/node-table.js';
import type { AccessFiles } from '../../shared/messages.js';
import type { Backend, Settings } from '../../shared/settings.js';
import { knock, NodeClient, NodeError, type NodeLogin, type Row } from './node-client.js';

export type NodeAnswer =
  /** `remark`: it runs, but the question itself was refused (wrong password, too many clients, no such database). */
  | { readonly alive: true; readonly role: PgRole; readonly remark: string | null }
  | { readonly alive: false; readonly reason: string };

/** Limit where the settings say "no limit": a check that never ends would be none. */
const endlessMs = 60_000;

/** health_check_timeout of the node in ms. */
export function limitOf(backend: Backend): number {
  return backend.health_check.timeout === 0 ? endlessMs : backend.health_check.timeout * 1000;
}

/** connect_timeout of the node in ms. */
export function connectLimitOf(backend: Backend): number {
  return backend.health_check.connect_timeout === 0 ? endlessMs : backend.health_check.connect_timeout;
}

function loginOf(user: string, database: string, password: string, access: AccessFiles): NodeLogin | null {
  if (user === '') return null;
  return { user, database: database === '' ? 'postgres' : database, password: configuredPassword(access, password, user), tls: access.tls.backend };
}

/** sr_check_user, or health_check_user in its place; null when neither is set. */
export function roleLogin(backend: Backend, settings: Settings, access: AccessFiles): NodeLogin | null {
  return loginOf(settings.sr_check_user, settings.sr_check_database, settings.sr_check_password, access) ?? healthLogin(backend, access);
}

/** health_check_user; null when it is not set: then only an answer without a login is asked for. */
export function healthLogin(backend: Backend, access: AccessFiles): NodeLogin | null {
  const { user, database, password } = backend.health_check;
  return loginOf(user, database, password, access);
}

/**
 * A server that refuses a login runs all the same; not so one that says 57P01 … 57P03, for it starts, stops or
 * recovers and serves nobody.
 */
function isServing(error: NodeError): boolean {
  return error.answered && !error.sqlState.startsWith('57P');
}

function answerOf(error: unknown): NodeAnswer {
  if (!(error instanceof NodeError)) throw error;
  return isServing(error) ? { alive: true, role: PgRole.unknown, remark: error.message } : { alive: false, reason: error.message };
}

/** Opens a connection, asks, closes. @throws NodeError */
export async function askRows(backend: Backend, login: NodeLogin, sql: string, limitMs: number): Promise<Row[]> {
  const client = await NodeClient.open(backend, login, Math.min(limitMs, connectLimitOf(backend)), limitMs);
  try {
    return await client.query(sql, limitMs);
  } finally {
    client.close();
  }
}

/** Is it there, and (with a login) is it the primary? Never throws. */
export async function askRole(backend: Backend, login: NodeLogin | null, limitMs: number): Promise<NodeAnswer> {
  try {
    if (login === null) {
      await knock(backend, Math.min(limitMs, connectLimitOf(backend)));
      return { alive: true, role: PgRole.unknown, remark: null };
    }
    const [row] = await askRows(backend, login, 'SELECT pg_catalog.pg_is_in_recovery()', limitMs);
    return { alive: true, role: row?.[0] === 'f' ? PgRole.primary : PgRole.standby, remark: null };
  } catch (error) {
    return answerOf(error);
  }
}

/** Is it there? Logs in as health_check_user when there is one. Never throws. */
export async function askAlive(backend: Backend, access: AccessFiles, limitMs: number = limitOf(backend)): Promise<NodeAnswer> {
  const login = healthLogin(backend, access);
  try {
    if (login === null) await knock(backend, Math.min(limitMs, connectLimitOf(backend)));
    else (await NodeClient.open(backend, login, Math.min(limitMs, connectLimitOf(backend)), limitMs)).close();
    return { alive: true, role: PgRole.unknown, remark: null };
  } catch (error) {
    return answerOf(error);
  }
}
