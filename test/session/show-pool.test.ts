/** SHOW POOL_…: columns and contents as reference/commands.md has them. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Client } from 'pg';
import { sharedCluster } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { type Pgloom, startPgloom, withClient } from '../support/pgloom.js';

let pgloom: Pgloom;
before(async () => {
  pgloom = await startPgloom({ settings: { num_init_children: 6, worker_threads: 2, max_pool: 2, backend_weight0: 2, backend_weight1: 1, backend_weight2: 1 } });
});
after(() => pgloom.stop());

async function show(client: Client, what: string): Promise<{ columns: string[]; rows: Record<string, string>[] }> {
  const { fields, rows } = await client.query<Record<string, string>>(`show ${what}`);
  return { columns: fields.map(({ name }) => name), rows };
}

const time = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/;

test('SHOW POOL_NODES has a row for each node', () => withClient(pgloom, async (client) => {
  await client.query('select 1');
  const { columns, rows } = await show(client, 'POOL_NODES');
  assert.deepEqual(columns, ['node_id', 'hostname', 'port', 'status', 'pg_status', 'lb_weight', 'role', 'pg_role', 'select_cnt', 'load_balance_node',
    'replication_delay', 'replication_state', 'replication_sync_state', 'last_status_change']);
  assert.deepEqual(rows.map((row) => [row['node_id'], row['hostname'], Number(row['port']), row['status'], row['lb_weight'], row['role']]),
    sharedCluster().nodes.map(({ id, host, port }) => [String(id), host, port, 'up', ['0.500000', '0.250000', '0.250000'][id], id === 0 ? 'primary' : 'standby']));
  assert.equal(rows.filter((row) => row['load_balance_node'] === 'true').length, 1);
  assert.equal(rows[0]?.['replication_delay'], '0');
  for (const row of rows) assert.match(row['last_status_change'] ?? '', time);
}));

test('SHOW POOL_PROCESSES has a row for each child', () => withClient(pgloom, async (client) => {
  const { columns, rows } = await show(client, 'pool_processes');
  assert.deepEqual(columns, ['pool_pid', 'start_time', 'client_connection_count', 'database', 'username', 'backend_connection_time', 'pool_counter', 'status']);
  assert.equal(rows.length, 6);
  const own = rows.filter((row) => row['database'] === 'test');
  assert.equal(own.length, 1);
  assert.equal(own[0]?.['username'], 'postgres');
  assert.match(own[0]?.['pool_counter'] ?? '', /^[1-9]\d*$/);
  assert.match(own[0]?.['backend_connection_time'] ?? '', time);
  for (const row of rows) assert.ok(['Wait for connection', 'Execute command', 'Idle', 'Idle in transaction', 'Connecting'].includes(row['status'] ?? ''), row['status']);
}));

test('SHOW POOL_PROCESSES tells sessions that are idle, in a transaction and at work apart', () => withClient(pgloom, async (watcher) => {
  await withClient(pgloom, async (client) => {
    const status = async (): Promise<(string | undefined)[]> => (await show(watcher, 'pool_processes')).rows.filter((row) => row['username'] === 'postgres' && row['database'] === 'template1').map((row) => row['status']);
    assert.deepEqual(await status(), ['Idle']);
    await client.query('begin');
    assert.deepEqual(await status(), ['Idle in transaction']);
    const sleeping = client.query('select pg_sleep(3)');
    await eventually('the session is at work', async () => (await status()).join() === 'Execute command');
    await sleeping;
    await client.query('rollback');
  }, { database: 'template1' });
}));

test('SHOW POOL_POOLS shows the links of all workers', () => withClient(pgloom, async (client) => {
  await client.query('insert into bumps default values');
  const { rows: pids } = await client.query<{ pid: number }>('/* at the primary */ select pg_backend_pid() as pid');
  await withClient(pgloom, async (other) => {
    await other.query('insert into bumps default values');
    const { columns, rows } = await show(other, 'pool_pools');
    assert.deepEqual(columns, ['pool_pid', 'start_time', 'client_connection_count', 'pool_id', 'backend_id', 'database', 'username', 'backend_connection_time',
      'client_connection_time', 'client_disconnection_time', 'client_idle_duration', 'majorversion', 'minorversion', 'pool_counter',
      'pool_backendpid', 'pool_connected', 'status', 'load_balance_node', 'client_host', 'client_port', 'statement']);
    assert.equal(rows.length, 6 * 2 * 3);
    const link = rows.find((row) => row['pool_backendpid'] === String(pids[0]?.pid));
    assert.ok(link !== undefined, JSON.stringify(rows));
    assert.deepEqual([link['database'], link['username'], link['backend_id'], link['pool_connected'], link['majorversion'], link['minorversion'], link['status']],
      ['test', 'postgres', '0', '1', '3', '0', 'Idle']);
    // A client that has just come has not been idle since 1970.
    for (const row of rows) assert.ok(Number(row['client_idle_duration']) < 100_000, row['client_idle_duration']);
  });
}));

test('SHOW POOL_STATUS lists the settings, and no password', () => withClient(pgloom, async (client) => {
  const { columns, rows } = await show(client, 'pool_status');
  assert.deepEqual(columns, ['item', 'value', 'description']);
  const values = new Map(rows.map((row) => [row['item'], row['value']]));
  assert.equal(values.get('num_init_children'), '6');
  assert.equal(values.get('backend_port1'), String(sharedCluster().nodes[1]?.port));
  assert.equal(values.get('backend_weight0'), '0.500000');
  for (const name of ['sr_check_password', 'health_check_password']) assert.ok(['', '*****'].includes(values.get(name) ?? ''), name);
}));

test('SHOW POOL_VERSION has one row', () => withClient(pgloom, async (client) => {
  const { columns, rows } = await show(client, 'pool_version');
  assert.deepEqual([columns, rows.length], [['pool_version'], 1]);
}));

test('in a transaction, also a failed one, SHOW POOL_NODES changes nothing', () => withClient(pgloom, async (client) => {
  await client.query('begin');
  assert.equal((await show(client, 'pool_nodes')).rows.length, 3);
  await assert.rejects(client.query('insert into items values (1, null)'));
  await client.query('show pool_nodes').catch(() => undefined);
  await assert.rejects(client.query('select 1'), { code: '25P02' });
  await client.query('rollback');
  await client.query('select 1');
}));
