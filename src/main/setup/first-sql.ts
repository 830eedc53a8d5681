/** What is asked of the servers and of pgpool when they run for the first time. */
import { setTimeout as sleep } from 'node:timers/promises';
import { NodeClient, type Row } from '../cluster/node-client.js';
import { SetupError } from './directory.js';
import { type Layout, nodeNumbers, replicationSlotOf, serverPortOf } from './layout.js';

export const testDatabase = 'test';
const connectMs = 5000;
const loginMs = 20_000;
const statementMs = 60_000;
const standbyLimitMs = 60_000;
const lookMs = 200;

async function ask(layout: Layout, port: number, database: string, statements: readonly string[]): Promise<Row[]> {
  const client = await NodeClient.open({ hostname: layout.socketDirectory, port }, { user: layout.user, database, password: undefined }, connectMs, loginMs);
  let rows: Row[] = [];
  try {
    for (const statement of statements) rows = await client.query(statement, statementMs);
  } finally {
    client.close();
  }
  return rows;
}

/** The function pgpool_recovery, where the extension is installed (Debian: postgresql-NN-pgpool2). */
async function makeRecoveryExtension(layout: Layout, node: number): Promise<void> {
  const port = serverPortOf(layout, node);
  const [found] = await ask(layout, port, 'postgres', ["select 1 from pg_available_extensions where name = 'pgpool_recovery'"]);
  if (found !== undefined) await ask(layout, port, 'postgres', ['create extension if not exists pgpool_recovery']);
}

/** Makes the database, the slots and whatever the mode needs. */
export async function prepareServers(layout: Layout): Promise<void> {
  const { mode, slots } = layout.options;
  const nodes = nodeNumbers(layout);
  const writable = mode === 's' ? nodes.slice(0, 1) : nodes;
  for (const node of writable) {
    await makeRecoveryExtension(layout, node);
    await ask(layout, serverPortOf(layout, node), 'postgres', [`create database ${testDatabase}`]);
  }
  if (mode === 's' && slots) {
    for (const node of nodes.slice(1)) await ask(layout, serverPortOf(layout, 0), 'postgres', [`select pg_create_physical_replication_slot('${replicationSlotOf(node)}')`]);
  }
  if (mode === 's') await waitForStandbys(layout, nodes.length - 1);
  if (mode === 'l') await connectPublication(layout, nodes);
}

/** Until all standbys stream and have replayed what the primary has written. @throws SetupError after a minute */
async function waitForStandbys(layout: Layout, count: number): Promise<void> {
  const state = 'select count(*) from pg_stat_replication where replay_lsn >= pg_current_wal_flush_lsn()';
  for (const deadlineMs = performance.now() + standbyLimitMs; ; await sleep(lookMs)) {
    const [row] = await ask(layout, serverPortOf(layout, 0), 'postgres', [state]);
    if (Number(row?.[0]) >= count) return;
    if (performance.now() > deadlineMs) throw new SetupError('the standbys do not follow the primary; see log/');
  }
}

/** Node 0 publishes all tables, the others subscribe. */
async function connectPublication(layout: Layout, nodes: readonly number[]): Promise<void> {
  await ask(layout, serverPortOf(layout, 0), testDatabase, ['create publication pgpool_setup for all tables']);
  const conninfo = `host=${layout.socketDirectory} port=${serverPortOf(layout, 0)} user=${layout.user} dbname=${testDatabase}`.replaceAll("'", "''");
  for (const node of nodes.slice(1)) {
    await ask(layout, serverPortOf(layout, node), testDatabase, [`create subscription server${node} connection '${conninfo}' publication pgpool_setup`]);
  }
}

/** The first columns of SHOW POOL_NODES, as lines. @throws NodeError when pgpool does not answer */
export async function showNodes(layout: Layout): Promise<string[]> {
  const rows = await ask(layout, layout.options.basePort, layout.programs === null ? 'postgres' : testDatabase, ['show pool_nodes']);
  const [nodeId, host, port, status, role] = [0, 1, 2, 3, 6];
  return rows.map((row) => `node ${row[nodeId]}  ${row[host]}:${row[port]}  ${row[status]}  ${row[role]}`);
}
