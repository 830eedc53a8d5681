/** The functions of pgpool_adm, from a real PostgreSQL 15, against pgloom's PCP port. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { queryServer, type Row } from '../../src/main/demo/sql.js';
import { sharedCluster } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { startPgloom, type Pgloom } from '../support/pgloom.js';
import { pcpConfLine } from './pcp-client.js';
import { noPgpoolAdm, startPostgres15, type Postgres15 } from './postgres15.js';

const skip = noPgpoolAdm;
let pgloom: Pgloom;
let server: Postgres15;

before(async () => {
  if (skip !== false) return;
  pgloom = await startPgloom({ settings: { health_check_period: 1, num_init_children: 4 }, pcp: pcpConfLine() });
  server = await startPostgres15();
  await ask('create extension pgpool_adm');
  // The other form of each function takes the name of a foreign server.
  await ask(`create foreign data wrapper pgpool_fdw; create server pcp foreign data wrapper pgpool_fdw options (host '127.0.0.1', port '${pgloom.pcpPort}');
    create user mapping for public server pcp options (user 'postgres', password 'secret')`);
});

after(async () => {
  if (skip !== false) return;
  await pgloom?.stop();
  server?.stop();
});

function ask(sql: string): Promise<Row[]> {
  return queryServer({ host: '127.0.0.1', port: server.port, user: 'postgres', database: 'postgres' }, sql);
}

/** The arguments that say where PCP is and who asks. */
const login = (): string => `'127.0.0.1', ${pgloom.pcpPort}, 'postgres', 'secret'`;

test('pcp_node_count', { skip }, async () => {
  assert.deepEqual(await ask(`select pcp_node_count(${login()}) as n`), [{ n: 3 }]);
  assert.deepEqual(await ask("select pcp_node_count('pcp') as n"), [{ n: 3 }]);
});

test('pcp_node_info has every column right', { skip }, async () => {
  const nodes = sharedCluster().nodes;
  await eventually('the standby is seen to stream', async () => (await ask(`select replication_state as state from pcp_node_info(1, ${login()})`))[0]?.['state'] === 'streaming');
  for (const { id, host, port } of nodes) {
    const [row] = await ask(`select *, age(localtimestamp, last_status_change) < '1 hour' as changed_lately from pcp_node_info(${id}, ${login()})`);
    const [role, shown] = id === 0 ? ['primary', 'Primary'] : ['standby', 'Standby'];
    const { last_status_change: changed, weight, replication_delay: delay, ...rest } = row ?? {};
    assert.deepEqual(rest, {
      host, port, status: 'Connection in use', pg_status: 'up', role: shown, pg_role: role,
      replication_state: id === 0 ? '' : 'streaming', replication_sync_state: id === 0 ? '' : 'async', changed_lately: true,
    });
    assert.ok(changed instanceof Date);
    assert.ok(Math.abs(Number(weight) - 1 / 3) < 1e-6);
    assert.ok(Number(delay) >= 0);
  }
  await assert.rejects(ask(`select * from pcp_node_info(7, ${login()})`), /failed to get node information/);
});

test('pcp_health_check_stats', { skip }, async () => {
  const of = async (node: number): Promise<Row | undefined> => (await ask(`select * from pcp_health_check_stats(${node}, ${login()})`))[0];
  await eventually('node 2 was checked', async () => Number((await of(2))?.['total_count']) > 0);
  const row = await of(2);
  assert.deepEqual([row?.['node_id'], row?.['port'], row?.['status'], row?.['role'], row?.['fail_count']], [2, sharedCluster().nodes[2]?.port, 'up', 'standby', '0']);
  assert.equal(row?.['success_count'], row?.['total_count']);
  assert.ok(row?.['last_successful_health_check'] instanceof Date);
});

test('pcp_pool_status', { skip }, async () => {
  // Debian's declares the function as one that returns a single row, which PostgreSQL does not let it do: whatever it is
  // connected to it fails. So the function of the library is declared anew.
  await assert.rejects(ask(`select * from pcp_pool_status(${login()})`), /value-per-call mode was not followed/);
  await ask(`create function pool_status(host text, port int, username text, password text, out item text, out value text, out description text)
    returns setof record as '$libdir/pgpool_adm', '_pcp_pool_status' language c volatile strict`);
  const rows = await ask(`select item, value, description from pool_status(${login()})`);
  assert.ok(rows.length > 150);
  assert.deepEqual(rows.find(({ item }) => item === 'pcp_port')?.['value'], String(pgloom.pcpPort));
  assert.ok(rows.every(({ description }) => typeof description === 'string' && description !== ''));
});

test('pcp_detach_node and pcp_attach_node, gracefully too', { skip }, async () => {
  const status = async (): Promise<unknown> => (await ask(`select status from pcp_node_info(1, ${login()})`))[0]?.['status'];
  for (const gracefully of [false, true]) {
    assert.deepEqual(await ask(`select pcp_detach_node(1, ${gracefully}, ${login()}) as done`), [{ done: true }]);
    await eventually('the node is down', async () => await status() === 'Disconnected');
    assert.deepEqual(await ask(`select pcp_attach_node(1, ${login()}) as done`), [{ done: true }]);
    await eventually('the node is up', async () => await status() === 'Connection in use');
  }
  assert.deepEqual(await ask("select pcp_detach_node(1, false, 'pcp') as done"), [{ done: true }]);
  assert.deepEqual(await ask("select pcp_attach_node(1, 'pcp') as done"), [{ done: true }]);
});

test('a wrong password is told to the session', { skip }, async () => {
  await assert.rejects(ask(`select pcp_node_count('127.0.0.1', ${pgloom.pcpPort}, 'postgres', 'wrong')`), (error: Error & { readonly detail?: string }) => {
    assert.match(`${error.message} ${error.detail}`, /connection to PCP server failed\. FATAL: {2}authentication failed for user "postgres"/);
    return true;
  });
});
