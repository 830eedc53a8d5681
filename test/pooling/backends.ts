/** The server processes behind a session, as the tests of pooling compare them. */
import { Client, type ClientConfig } from 'pg';
import { sharedCluster } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { type Pgloom, withClient } from '../support/pgloom.js';

/** One node that everything goes to: every session needs one link, and the same one. */
export const oneNode = { backend_weight0: 1, load_balance_mode: false, worker_threads: 1 } as const;

/** Process id of the server process that serves the session's writes. */
export async function backendPid(client: Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  return rows[0]?.pid ?? 0;
}

/** The same for a session of its own. */
export function pidOfSession(pgloom: Pgloom, config: ClientConfig = {}): Promise<number> {
  return withClient(pgloom, backendPid, config);
}

/** Whether the server process still exists, asked at the primary itself. */
export async function isAlive(pid: number): Promise<boolean> {
  const primary = sharedCluster().nodes[0];
  if (primary === undefined) throw new Error('the cluster has no primary');
  return withClient(primary, async (client) => {
    const { rowCount } = await client.query('select 1 from pg_stat_activity where pid = $1', [pid]);
    return rowCount === 1;
  });
}

/** Resolves when the server process is gone. */
export async function waitForEnd(pid: number): Promise<void> {
  await eventually(`server process ${pid} ends`, async () => !await isAlive(pid));
}

/** After a session has ended its link is reset before it lies in the pool; until then a new session opens another. */
export async function untilPooled(pgloom: Pgloom, links: number): Promise<void> {
  await eventually(`${links} links lie in the pool`, async () => {
    const { rows } = await withClient(pgloom, (client) => client.query<{ pool_connected: string; pool_backendpid: string }>('show pool_pools'), { database: 'postgres' });
    return rows.filter((row) => row.pool_connected === '0' && row.pool_backendpid !== '0').length >= links;
  });
}
