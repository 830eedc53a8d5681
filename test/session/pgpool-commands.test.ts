/** PGPOOL SHOW, SET and RESET in the simple protocol, held against Debian's Pgpool-II where it is installed. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client, DatabaseError } from 'pg';
import { startLoggingPgpool2 } from '../routing/table/pgpool2.js';
import { untilMatch } from '../support/eventually.js';
import { type Pgloom, startPgloom, withClient } from '../support/pgloom.js';
import { noPgpool2, type Pgpool2 } from '../support/pgpool2.js';

const settings = { num_init_children: 4, max_pool: 2, client_idle_limit: 0 };

async function rowsOf(client: Client, sql: string): Promise<string[][]> {
  const { rows } = await client.query<string[]>({ text: sql, rowMode: 'array' });
  return rows;
}

async function failure(client: Client, sql: string): Promise<string> {
  const error: unknown = await client.query(sql).then(() => null, (reason: unknown) => reason);
  assert.ok(error instanceof DatabaseError, `${sql} should fail`);
  return error.message;
}

describe('in a session', () => {
  let pgloom: Pgloom;
  before(async () => {
    pgloom = await startPgloom({ settings: { ...settings, health_check_period: 30, health_check_password: 'not to be seen' } });
  });
  after(() => pgloom.stop());

  test('PGPOOL SHOW shows one parameter under the name that was typed', () => withClient(pgloom, async (client) => {
    const { fields, rows } = await client.query<string[]>({ text: 'PGPOOL SHOW num_init_children', rowMode: 'array' });
    assert.deepEqual([fields.map(({ name }) => name), rows], [['num_init_children'], [['4']]]);
    assert.deepEqual(await rowsOf(client, 'pgpool show max_pool;'), [['2']]);
    assert.deepEqual(await rowsOf(client, '/* said before */ PGPOOL SHOW authentication_timeout'), [['1min']]);
    assert.deepEqual(await rowsOf(client, 'PGPOOL SHOW load_balance_mode'), [['on']]);
    assert.deepEqual(await rowsOf(client, 'PGPOOL SHOW backend_clustering_mode'), [['streaming_replication']]);
    assert.deepEqual((await rowsOf(client, 'PGPOOL SHOW health_check_password')).map(([, value]) => value), ['*****', '*****', '*****', '*****']);
  }));

  test('a group, and an indexed name without its index, show a row for each node', () => withClient(pgloom, async (client) => {
    const { fields, rows } = await client.query<string[]>({ text: 'PGPOOL SHOW backend', rowMode: 'array' });
    assert.deepEqual(fields.map(({ name }) => name), ['item', 'value', 'description']);
    assert.equal(rows.length, 18);
    assert.deepEqual((await rowsOf(client, 'PGPOOL SHOW backend_port')).map(([item]) => item), ['backend_port0', 'backend_port1', 'backend_port2']);
    assert.equal((await rowsOf(client, 'PGPOOL SHOW backend_application_name1'))[0]?.[0], 'server1');
  }));

  test('PGPOOL SHOW ALL shows everything, and no password', () => withClient(pgloom, async (client) => {
    const rows = await rowsOf(client, 'PGPOOL SHOW ALL');
    assert.ok(rows.length > 150);
    assert.ok(!JSON.stringify(rows).includes('not to be seen'));
  }));

  test('what nobody knows is an error, and the session goes on', () => withClient(pgloom, async (client) => {
    assert.equal(await failure(client, 'PGPOOL SHOW nothing'), 'config variable "nothing" not found');
    assert.equal(await failure(client, 'PGPOOL SET nothing TO 1'), 'unrecognized configuration parameter "nothing"');
    assert.match(await failure(client, 'PGPOOL SET port TO 1'), /cannot be changed/);
    assert.match(await failure(client, "PGPOOL SET client_idle_limit TO 'soon'"), /client_idle_limit/);
    assert.match(await failure(client, 'PGPOOL'), /syntax error at end of input/);
    assert.match(await failure(client, 'PGPOOL DANCE'), /syntax error at or near "DANCE"/);
    assert.match(await failure(client, 'PGPOOL SHOW max_pool max_pool'), /syntax error/);
    await client.query('select 1');
  }));

  test('PGPOOL SET holds in its session until it is reset', () => withClient(pgloom, async (client) => {
    const limit = async (other: Client = client): Promise<string | undefined> => (await rowsOf(other, 'PGPOOL SHOW client_idle_limit'))[0]?.[0];
    assert.equal((await client.query('PGPOOL SET client_idle_limit TO 300')).command, 'SET');
    assert.equal(await limit(), '5min');
    await withClient(pgloom, async (other) => assert.equal(await limit(other), '0'));
    await client.query("PGPOOL SET client_idle_limit = '10s'");
    assert.equal(await limit(), '10s');
    assert.equal((await client.query('PGPOOL RESET client_idle_limit')).command, 'SET');
    assert.equal(await limit(), '0');
    await client.query('PGPOOL SET client_idle_limit TO 300');
    await client.query('PGPOOL SET client_idle_limit TO DEFAULT');
    assert.equal(await limit(), '0');
    await client.query('PGPOOL SET client_idle_limit TO 300');
    assert.equal((await client.query('PGPOOL RESET ALL')).command, 'RESET');
    assert.equal(await limit(), '0');
  }));

  test('client_idle_limit ends the session that has set it', async () => {
    await withClient(pgloom, async (other) => {
      const client = new Client({ host: pgloom.host, port: pgloom.port, user: 'postgres', database: 'test' });
      await client.connect();
      const ended = new Promise<Error>((resolve) => { client.on('error', resolve); });
      await client.query('PGPOOL SET client_idle_limit TO 1');
      assert.match(String(await ended), /idle|terminat/i);
      await other.query('select 1');
    });
  });

  test('statements are logged, and told by notices, from the moment that a session wants it', () => withClient(pgloom, async (client) => {
    const notices: string[] = [];
    client.on('notice', ({ message }) => { notices.push(message ?? ''); });
    await client.query("select 'not logged'");
    await client.query('PGPOOL SET log_min_messages TO log');
    await client.query('PGPOOL SET log_statement TO on');
    await client.query('PGPOOL SET notice_per_node_statement TO on');
    await client.query("select 'logged'");
    await client.query('PGPOOL RESET log_statement');
    await client.query('PGPOOL SET notice_per_node_statement TO off');
    await client.query("select 'not logged either'");
    await untilMatch(pgloom.stderr, /statement: select 'logged'/);
    assert.doesNotMatch(pgloom.stderr(), /not logged/);
    assert.deepEqual(notices.filter((text) => text.includes('statement: select')).length, 1);
  }));

  test('the cache has nothing to delete yet', () => withClient(pgloom, async (client) => {
    const notices: string[] = [];
    client.on('notice', ({ message }) => { notices.push(message ?? ''); });
    assert.equal((await client.query("PGPOOL SET CACHE DELETE 'select 1'")).command, 'SET');
    assert.deepEqual(notices, ['query cache does not exist for query: "select 1"']);
  }));

  test('in a transaction, and in one that failed, they change nothing', () => withClient(pgloom, async (client) => {
    await client.query('begin');
    assert.equal((await rowsOf(client, 'PGPOOL SHOW max_pool')).length, 1);
    await assert.rejects(client.query('select 1/0'));
    assert.equal((await rowsOf(client, 'PGPOOL SHOW max_pool')).length, 1);
    await assert.rejects(client.query('select 1'), { code: '25P02' });
    await client.query('rollback');
  }));
});

/** Shown the same by both; the settings of the two differ in files and ports only. */
const asked = [
  'PGPOOL SHOW num_init_children', 'PGPOOL SHOW max_pool', 'PGPOOL SHOW authentication_timeout', 'PGPOOL SHOW connect_timeout',
  'PGPOOL SHOW health_check_period', 'PGPOOL SHOW health_check_password', 'PGPOOL SHOW sr_check_password', 'PGPOOL SHOW delay_threshold',
  'PGPOOL SHOW log_min_messages', 'PGPOOL SHOW log_rotation_age', 'PGPOOL SHOW log_rotation_size', 'PGPOOL SHOW load_balance_mode',
  'PGPOOL SHOW backend_clustering_mode', 'PGPOOL SHOW backend_weight0', 'PGPOOL SHOW backend_flag1', 'PGPOOL SHOW backend_hostname2',
  'PGPOOL SHOW memqcache_total_size', 'PGPOOL SHOW memqcache_maxcache', 'PGPOOL SHOW disable_load_balance_on_write', 'PGPOOL SHOW reset_query_list',
  'PGPOOL SHOW relcache_expire', 'PGPOOL SHOW recovery_timeout', 'PGPOOL SHOW search_primary_node_timeout', 'PGPOOL SHOW wd_priority',
  'PGPOOL SHOW write_function_list', 'PGPOOL SHOW backend_application_name',
  'PGPOOL SHOW backend_weight', 'PGPOOL SHOW backend_flag', 'PGPOOL SHOW nothing', 'PGPOOL SET nothing TO 1', 'PGPOOL SET max_pool TO 1',
  'PGPOOL SET client_idle_limit TO 300', 'PGPOOL SHOW client_idle_limit', 'PGPOOL RESET client_idle_limit', 'PGPOOL RESET ALL',
  'SHOW POOL_CACHE', 'SHOW POOL_HEALTH_CHECK_STATS',
] as const;

interface Told { readonly columns: string[]; readonly rows: string[][]; readonly tag: string; readonly error: string }

async function tell(client: Client, sql: string): Promise<Told> {
  try {
    const { fields, rows, command } = await client.query<string[]>({ text: sql, rowMode: 'array' });
    return { columns: fields.map(({ name }) => name), rows, tag: command, error: '' };
  } catch (error) {
    return { columns: [], rows: [], tag: '', error: (error as Error).message };
  }
}

/** Without times, process ids and descriptions, which are our own. */
function comparable(told: Told | undefined): unknown {
  const skipped = new Set(['description', 'pool_pid']);
  const rows = told?.rows.map((row) => row.filter((_, at) => !skipped.has(told.columns[at] ?? '')).map((value) => value.replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, 'TIME')));
  return { ...told, rows };
}

describe("side by side with Debian's Pgpool-II", { skip: noPgpool2 }, () => {
  let pgloom: Pgloom;
  let pgpool2: Pgpool2;
  before(async () => {
    const same = { ...settings, backend_weight0: 0, backend_weight1: 1, backend_weight2: 0, ...Object.fromEntries([0, 1, 2].map((node) => [`backend_application_name${node}`, `server${node}`])) };
    [pgloom, pgpool2] = await Promise.all([startPgloom({ settings: same }), startLoggingPgpool2(same)]);
  });
  after(() => Promise.all([pgloom.stop(), pgpool2.stop()]));

  for (const sql of asked) {
    test(sql, async () => {
      const [theirs, ours] = await Promise.all([pgpool2.port, pgloom.port].map((port) => withClient({ host: '127.0.0.1', port }, (client) => tell(client, sql))));
      assert.deepEqual(comparable(ours), comparable(theirs));
    });
  }
});
