/** What a driver's scenario runs against: the server itself as a control, and pgloom in two shapes. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { sharedCluster } from '../support/cluster.js';
import { startPgloom } from '../support/pgloom.js';

export interface Target {
  readonly host: string;
  readonly port: number;
  readonly uri: string;
  /** A schema of its own, on all servers; it holds the table `mark (n bigint)` and is dropped afterwards. */
  readonly schema: string;
  /** Where a plain read of a fresh session runs: on the primary, on a standby for certain, or on any of them. */
  readonly reads: 'primary' | 'standby' | 'any';
  readonly primaryPort: number;
}

/** A scenario that fails on the first one is wrong itself; one that fails on the others only has found a fault of pgloom. */
export const targetNames = ['the server itself', 'pgloom, reads on a standby', 'pgloom, reads everywhere'] as const;
export type TargetName = (typeof targetNames)[number];

/** Runs `use` against the target and cleans up after it. */
export async function withTarget<T>(name: TargetName, use: (target: Target) => Promise<T>): Promise<T> {
  if (name === 'the server itself') {
    const [primary] = sharedCluster().nodes;
    if (primary === undefined) throw new Error('the cluster has no primary');
    return withSchema(primary.host, primary.port, 'primary', use);
  }
  const onStandby = name === 'pgloom, reads on a standby';
  const pgloom = await startPgloom({ settings: { num_init_children: 32, ...(onStandby ? { backend_weight0: 0 } : {}) } });
  try {
    return await withSchema(pgloom.host, pgloom.port, onStandby ? 'standby' : 'any', use);
  } finally {
    await pgloom.stop();
  }
}

async function withSchema<T>(host: string, port: number, reads: Target['reads'], use: (target: Target) => Promise<T>): Promise<T> {
  const { nodes: [primary], user, database } = sharedCluster();
  const schema = `driver_${randomBytes(6).toString('hex')}`;
  await onServer(0, (client) => client.query(`create schema ${schema} create table mark (n bigint)`));
  try {
    await waitForReplay();
    return await use({ host, port, uri: `postgresql://${user}@${host}:${port}/${database}`, schema, reads, primaryPort: primary?.port ?? 0 });
  } finally {
    await onServer(0, (client) => client.query(`drop schema ${schema} cascade`));
  }
}

async function onServer<T>(node: number, use: (client: Client) => Promise<T>): Promise<T> {
  const { nodes, user, database } = sharedCluster();
  const client = new Client({ host: nodes[node]?.host, port: nodes[node]?.port, user, database });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

/** Waits until the standbys have all that the primary has now. */
export async function waitForReplay(): Promise<void> {
  const lsn = await onServer(0, async (client) => (await client.query<{ lsn: string }>('select pg_current_wal_lsn() as lsn')).rows[0]?.lsn);
  for (let node = 1; node < sharedCluster().nodes.length; node++) {
    await onServer(node, async (client) => {
      const reached = async (): Promise<boolean> => (await client.query<{ ok: boolean }>('select pg_last_wal_replay_lsn() >= $1 as ok', [lsn])).rows[0]?.ok === true;
      while (!await reached()) await sleep(20);
    });
  }
}
