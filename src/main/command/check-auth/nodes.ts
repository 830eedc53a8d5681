/** Step 5, first half: what the DB nodes ask of pgpool for this user and database, whatever the client. */
import type { BackendTls } from '../../../shared/tls/backend-tls.js';
import type { Files } from './files.js';
import { askNode, type NodeAnswer, type ServerError, type Target } from './node-answer.js';
import { findPrimary } from './primary.js';
import { hbaWord, sqlName, tlsRemedy } from './remedies.js';
import type { Finding } from './report.js';

export interface SeenNode {
  readonly target: Target;
  readonly answer: NodeAnswer;
  /** The login needs it: it is the primary, or nobody knows which one is. Without another, readers are done. */
  readonly isNeeded: boolean;
  readonly finding: Finding;
}

export interface SeenNodes {
  readonly nodes: readonly SeenNode[];
  /** About the search for the primary; null when there is nothing to say. */
  readonly primary: Finding | null;
}

/** Asks all nodes at once. Never throws. */
export async function askNodes(files: Files, tls: BackendTls, user: string, database: string): Promise<SeenNodes> {
  const { backends } = files.settings;
  const targets = backends.map((backend): Target => ({ backend, tls, user, database }));
  const [{ id: primary, finding }, answers] = await Promise.all([findPrimary(files, tls), Promise.all(targets.map(async (target) => ({ target, answer: await askNode(target) })))]);
  const nodes = answers.map(({ target, answer }): SeenNode => {
    const isNeeded = primary === null || primary === target.backend.id;
    const role = backends.length === 1 || primary === null ? '' : isNeeded ? ', primary' : ', standby';
    return { target, answer, isNeeded, finding: findingOf(files, target, answer, isNeeded, role) };
  });
  return { nodes, primary: finding };
}

function findingOf(files: Files, { backend, user, database }: Target, answer: NodeAnswer, isNeeded: boolean, role: string): Finding {
  const about = `DB node ${backend.id}`;
  const place = `${backend.hostname === '' ? '/tmp' : backend.hostname}:${backend.port}${role}`;
  if (answer.kind === 'silent' && answer.isTls) {
    const text = `${place} is there, and TLS with it fails${isNeeded ? '' : ', so that it is done without'}: ${answer.reason}`;
    return { mark: isNeeded ? 'fails' : 'skipped', about, text, remedy: tlsRemedy(files, backend, answer.reason) };
  }
  if (answer.kind === 'silent') {
    return isNeeded
      ? { mark: 'fails', about, text: `${place} cannot be reached: ${answer.reason}`, remedy: `start the server, or mend backend_hostname${backend.id} or backend_port${backend.id}` }
      : { mark: 'skipped', about, text: `${place} cannot be reached, and is done without: ${answer.reason}` };
  }
  const tls = answer.protocol === null ? 'without TLS' : `over ${answer.protocol}`;
  if (answer.kind === 'refuses') {
    return { mark: 'fails', about, text: `${place} refuses the login ${tls}: ${answer.error.text}`, remedy: refusalRemedy(answer.error, answer.protocol, user, database) };
  }
  const { method } = answer.question;
  const asks = method === 'trust' ? 'lets the user in without a question' : `asks for ${method === 'password' ? 'password (clear text)' : method}`;
  return { mark: 'ok', about, text: `${place} ${asks}, ${tls}` };
}

/** @param protocol of TLS; null without */
export function refusalRemedy({ sqlstate, text }: ServerError, protocol: string | null, user: string, database: string): string {
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
