/** Which server answers: what the tests of routing ask, and how they start pgloom so that the answer is certain. */
import type { Client } from 'pg';
import { sharedCluster } from '../support/cluster.js';
import { type Pgloom, type PgloomOptions, startPgloom } from '../support/pgloom.js';

/** A read that says where it ran: nothing in it keeps it on the primary. */
export const whereSql = "select current_setting('port')::int as port";

/** Node id of the server that runs this port; of the shared cluster, unless others are given. */
export function nodeOfPort(port: number, nodes: readonly { readonly port: number }[] = sharedCluster().nodes): number {
  return nodes.findIndex((node) => node.port === port);
}

/** Node id that the session's next read goes to. */
export async function where(client: Client, nodes?: readonly { readonly port: number }[]): Promise<number> {
  const { rows } = await client.query<{ port: number }>(whereSql);
  return nodeOfPort(rows[0]?.port ?? 0, nodes);
}

/** Runs the SQL with notice_per_node_statement on, and returns the ids of the nodes that its statements went to. */
export async function nodesOf(client: Client, sql: string, values?: readonly unknown[]): Promise<number[]> {
  const nodes: number[] = [];
  const listen = (notice: { message?: string | undefined }): void => {
    const found = /^DB node id: (\d+) backend pid: \d+ statement: /.exec(notice.message ?? '');
    if (found !== null) nodes.push(Number(found[1]));
  };
  client.on('notice', listen);
  try {
    if (values === undefined) await client.query(sql);
    else await client.query(sql, [...values]);
  } finally {
    client.off('notice', listen);
  }
  return nodes;
}

type Settings = NonNullable<PgloomOptions['settings']>;

/** Every session's reads go to node 1, as far as they may leave the primary, and notices tell about each statement. */
export const readerIsNode1: Settings = {
  backend_weight0: 0, backend_weight1: 1, backend_weight2: 0, notice_per_node_statement: true, client_min_messages: 'notice',
};

export async function withPgloom<T>(settings: Settings, use: (pgloom: Pgloom) => Promise<T>, options: Omit<PgloomOptions, 'settings'> = {}): Promise<T> {
  const pgloom = await startPgloom({ ...options, settings: { num_init_children: 32, ...settings } });
  try {
    return await use(pgloom);
  } finally {
    await pgloom.stop();
  }
}
