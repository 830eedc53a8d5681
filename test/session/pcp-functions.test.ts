/** The functions of pgpool_adm, answered by pgloom where the extension is not installed. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client, DatabaseError, type QueryResult } from 'pg';
import postgres from 'postgres';
import { pcpConfLine } from '../pcp/pcp-client.js';
import { sharedCluster } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { type Pgloom, startPgloom, withClient } from '../support/pgloom.js';

type Row = Record<string, unknown>;

let pgloom: Pgloom;
/** The arguments that say where PCP is and who asks. */
const login = (password = 'secret'): string => `'127.0.0.1', ${pgloom.pcpPort}, 'postgres', '${password}'`;

async function failure(answer: Promise<unknown>): Promise<string> {
  const error: unknown = await answer.then(() => null, (reason: unknown) => reason);
  assert.ok(error instanceof DatabaseError, String(error));
  assert.ok(!`${error.message} ${error.detail} ${error.hint}`.includes('secret'));
  return `${error.code}: ${error.message}`;
}

function extended(client: Client, text: string, values: unknown[] = [], name?: string): Promise<QueryResult<Row>> {
  return client.query<Row>({ text, values, queryMode: 'extended', ...(name !== undefined && { name }) } as never);
}

const countOf = (text: string, part: string): number => text.split(part).length - 1;

for (const [arrangement, settings] of Object.entries({ 'three nodes': {}, 'one node at work': { backend_clustering_mode: 'raw' } })) {
  describe(arrangement, () => {
    before(async () => {
      pgloom = await startPgloom({ pcp: pcpConfLine(), settings: {
        num_init_children: 8, worker_threads: 2, health_check_period: 1, log_statement: true, log_per_node_statement: true, log_client_messages: true,
        notice_per_node_statement: false, log_line_prefix: '', ...settings,
      } });
    });
    after(async () => {
      const log = pgloom.stderr();
      await pgloom.stop();
      assert.ok(!log.includes('secret'), log.split('\n').find((line) => line.includes('secret')));
      assert.ok(log.includes('*****'));
    });

    const protocols = { simple: (client: Client, text: string) => client.query<Row>(text), extended: (client: Client, text: string) => extended(client, text) };
    for (const [protocol, ask] of Object.entries(protocols)) {
      test(`${protocol}: pcp_node_info has the columns and types of pgpool_adm 1.6`, () => withClient(pgloom, async (client) => {
        const { fields, rows } = await ask(client, `SELECT * FROM pcp_node_info(0, ${login()})`);
        assert.deepEqual(fields.map(({ name, dataTypeID }) => [name, dataTypeID]), [['host', 25], ['port', 23], ['status', 25], ['pg_status', 25], ['weight', 700],
          ['role', 25], ['pg_role', 25], ['replication_delay', 20], ['replication_state', 25], ['replication_sync_state', 25], ['last_status_change', 1114]]);
        const [node] = sharedCluster().nodes;
        const row = rows[0] ?? {};
        assert.deepEqual([rows.length, row['host'], row['port'], row['status'], row['replication_delay']], [1, node?.host, node?.port, 'Connection in use', '0']);
        assert.ok(row['last_status_change'] instanceof Date);
        assert.ok(Math.abs(Date.now() - row['last_status_change'].getTime()) < 3_600_000);
      }));

      test(`${protocol}: values, single rows and sets where they may stand`, () => withClient(pgloom, async (client) => {
        assert.deepEqual((await ask(client, `select pcp_node_count(${login()})`)).rows, [{ pcp_node_count: 3 }]);
        assert.deepEqual((await ask(client, `select * from pcp_node_count(${login()}) as n`)).rows, [{ node_count: 3 }]);
        assert.deepEqual((await ask(client, `select 1 + PCP_Node_Count ( /* ) */ ${login()} ) -- (\n as n, 'é' as "ü"`)).rows, [{ n: 4, ü: 'é' }]);
        const { rows: [record] } = await ask(client, `select pcp_node_info(1, ${login()}) as r`);
        assert.match(String(record?.['r']), /^\([^,]+,\d+,"Connection in use",/);
        const { rows: status } = await ask(client, `select item, value from pcp_pool_status(${login()}) where item in ('pcp_port', 'port') order by 1 desc`);
        assert.deepEqual(status, [{ item: 'port', value: String(pgloom.port) }, { item: 'pcp_port', value: String(pgloom.pcpPort) }]);
        const { fields, rows } = await ask(client, `select * from pcp_proc_info(${login()}) where connected = '1'`);
        assert.deepEqual(fields.map(({ name }) => name), ['database', 'username', 'start_time', 'client_connection_count', 'major', 'minor', 'backend_connection_time',
          'client_connection_time', 'client_idle_duration', 'client_disconnection_time', 'pool_counter', 'backend_pid', 'connected', 'pid', 'backend_id', 'status',
          'load_balance_node', 'client_host', 'client_port', 'statement']);
        assert.ok(rows.length > 0 && rows.every((row) => row['database'] === 'test' && !String(row['statement']).includes('secret')), JSON.stringify(rows));
      }));

      test(`${protocol}: pcp_health_check_stats, joined with others and a table`, () => withClient(pgloom, async (client) => {
        await eventually('node 0 was checked', async () => Number((await ask(client, `select total_count from pcp_health_check_stats(0, ${login()})`)).rows[0]?.['total_count']) > 0);
        const { rows } = await ask(client, `select h.node_id, n.port = h.port as same, i.name, h.last_failed_health_check as failed, h.average_retry_count as average
          from pcp_health_check_stats(0, ${login()}) h join pcp_node_info(node_id => 0, host => 'localhost', port => ${pgloom.pcpPort}, username => 'postgres', password => 'secret') as n on true
          join items as i on i.id = h.node_id + 1 where n.status like 'Connection%'`);
        assert.deepEqual(rows, [{ node_id: 0, same: true, name: 'item 1', failed: null, average: 0 }]);
      }));

      test(`${protocol}: a wrong password, another host, a node that does not exist`, () => withClient(pgloom, async (client) => {
        assert.equal(await failure(ask(client, `select pcp_node_count(${login('secret2')})`)), '28P01: PCP authentication failed for user "postgres"');
        assert.match(await failure(ask(client, `select pcp_node_count('example.org', ${pgloom.pcpPort}, 'postgres', 'secret')`)), /^0A000: pgloom answers .* for itself only/);
        assert.match(await failure(ask(client, `select pcp_node_count('127.0.0.1', 1, 'postgres', 'secret')`)), /^0A000/);
        assert.equal(await failure(ask(client, `select * from pcp_node_info(7, ${login()})`)), '22023: NodeID is out of range.');
        assert.equal(await failure(ask(client, `select pcp_detach_node(-1, false, ${login()})`)), '22023: NodeID is out of range.');
        assert.match(await failure(ask(client, `select pcp_detach_node(1, true, ${login()})`)), /^55000: /);
        assert.deepEqual((await ask(client, `select 1 as one`)).rows, [{ one: 1 }]);
      }));

      test(`${protocol}: what cannot be answered is refused, and what is the server's stays there`, () => withClient(pgloom, async (client) => {
        assert.match(await failure(ask(client, `select pcp_node_info(n, ${login()}) from generate_series(0, 2) n`)), /^0A000: pgloom takes only constants/);
        assert.match(await failure(ask(client, `select pcp_pool_status(${login()})`)), /^0A000: .* only in FROM/);
        assert.match(await failure(ask(client, `select (pcp_node_info(0, ${login()})).port`)), /^0A000: .* only in FROM/);
        assert.match(await failure(ask(client, `select * from pcp_pool_status(${login()}) with ordinality`)), /^0A000/);
        for (const order of ['select pcp_attach_node(0, L) where false', 'select pcp_attach_node(0, L) from generate_series(1, 3)', 'explain select pcp_attach_node(0, L)',
          'select pcp_attach_node(0, L), nothing', 'select nothing from pcp_attach_node(0, L)', 'select case when false then pcp_attach_node(0, L) end', 'with a as (select pcp_attach_node(0, L)) select 1', 'insert into bumps select 1, now() from pcp_attach_node(0, L)']) {
          assert.match(await failure(ask(client, order.replace('L', login()))), /^0A000: pgloom carries out pcp_attach_node only as the whole of a SELECT/);
        }
        assert.match(await failure(ask(client, "select pcp_node_count('server')")), /^42883/);
        assert.match(await failure(ask(client, 'select pcp_node_count()')), /^42883/);
        assert.match(await failure(ask(client, 'select public.pcp_node_count()')), /^42883/);
        assert.deepEqual((await ask(client, "select 'pcp_node_count()' as text")).rows, [{ text: 'pcp_node_count()' }]);
        assert.ok(!pgloom.stderr().includes('failback request'));
      }));

      test(`${protocol}: a NULL argument gives NULL, and nothing is done`, () => withClient(pgloom, async (client) => {
        assert.deepEqual((await ask(client, `select pcp_attach_node(null, ${login()}) as a`)).rows, [{ a: null }]);
        assert.deepEqual((await ask(client, `select port, host from pcp_node_info(0, '127.0.0.1', null, 'postgres', 'wrong')`)).rows, [{ port: null, host: null }]);
        assert.deepEqual((await ask(client, `select * from pcp_pool_status(null, 1, 'postgres', 'wrong')`)).rows, []);
      }));

      test(`${protocol}: in a transaction the answer belongs to it, and an error fails it`, () => withClient(pgloom, async (client) => {
        await client.query('begin');
        await client.query('insert into bumps default values');
        assert.deepEqual((await ask(client, `select pcp_node_count(${login()}) as n`)).rows, [{ n: 3 }]);
        assert.match(await failure(ask(client, `select * from pcp_node_info(7, ${login()})`)), /^22023/);
        assert.match(await failure(ask(client, `select pcp_node_count(${login()})`)), /^25P02/);
        assert.match(await failure(ask(client, `select pcp_attach_node(1, ${login()})`)), /^25P02/);
        assert.equal((await client.query('commit')).command, 'ROLLBACK');
        assert.deepEqual((await ask(client, `select pcp_node_count(${login()}) as n`)).rows, [{ n: 3 }]);
      }));
    }

    test('statements with parameters of their own, named and repeated', () => withClient(pgloom, async (client) => {
      const text = `select item, value, $2::int + 1 as more from pcp_pool_status(${login()}) where item = $1`;
      for (let round = 0; round < 3; round++) {
        assert.deepEqual((await extended(client, text, ['pcp_port', round], 'stätus')).rows, [{ item: 'pcp_port', value: String(pgloom.pcpPort), more: round + 1 }]);
      }
      assert.match(await failure(extended(client, `select pcp_node_count($1, 1, 'postgres', 'secret')`, ['127.0.0.1'])), /^0A000/);
    }));

    test('a pipeline of such and other statements is answered in order', async () => {
      const sql = postgres({ host: pgloom.host, port: pgloom.port, user: 'postgres', database: 'test', max: 1, fetch_types: false, onnotice: () => undefined });
      try {
        await sql`select 1`;
        const count = sql.unsafe(`select pcp_node_count(${login()}) as nodes`, [], { prepare: true });
        const bad = sql.unsafe(`select pcp_node_count(${login('secret2')}) as nodes`, [], { prepare: true });
        const answers = await Promise.allSettled([sql`select 1 as one`, count, sql`select 2 as two`, bad, sql`select 3 as three`, sql.unsafe(`select pcp_node_count(${login()}) as nodes`, [], { prepare: true })]);
        assert.deepEqual(answers.map((answer) => (answer.status === 'fulfilled' ? Object.entries(answer.value[0] ?? {})[0] : (answer.reason as { code: string }).code)),
          [['one', 1], ['nodes', 3], ['two', 2], '28P01', ['three', 3], ['nodes', 3]]);
      } finally {
        await sql.end();
      }
    });

    test('another user without a password is the server\'s', () => withClient(pgloom, async (client) => {
      assert.match(await failure(client.query('select pcp_attach_node(n) from generate_series(0, 1) n')), /^42883/);
      assert.match(await failure(client.query('select * from pcp_node_info(0)')), /^42883: function pcp_node_info\(integer\) does not exist/);
    }));

    test('SHOW POOL_POOLS shows no password', () => withClient(pgloom, async (client) => {
      await client.query('begin');
      await client.query(`select pcp_node_count(${login()})`);
      await withClient(pgloom, async (other) => {
        const { rows } = await other.query<{ statement: string }>('show pool_pools');
        assert.ok(rows.some(({ statement }) => statement.includes("'postgres', '*****')")), JSON.stringify(rows.map(({ statement }) => statement)));
      });
    }));
  });
}

describe('orders', () => {
  before(async () => {
    pgloom = await startPgloom({ pcp: pcpConfLine(), settings: { num_init_children: 8, worker_threads: 2, pcp_sql_users: 'postgres,other', log_line_prefix: '' } });
  });
  after(() => pgloom.stop());

  const status = async (client: Client): Promise<unknown> => (await client.query<Row>('select status from pcp_node_info(2)')).rows[0]?.['status'];
  const attached = (): number => countOf(pgloom.stderr(), 'received failback request for node_id: 2');
  const detached = (): number => countOf(pgloom.stderr(), 'received degenerate backend request for node_id: 2');

  test('are carried out once for each execution, in both protocols', () => withClient(pgloom, async (client) => {
    assert.deepEqual((await client.query(`select pcp_detach_node(2, false)`)).rows, [{ pcp_detach_node: true }]);
    await eventually('node 2 is down', async () => await status(client) === 'Disconnected');
    assert.match(await failure(client.query(`select pcp_detach_node(2, false)`)), /^55000/);
    assert.deepEqual((await client.query(`select * from pcp_attach_node(2, ${login()})`)).rows, [{ node_attached: true }]);
    await eventually('node 2 is up', async () => await status(client) === 'Connection in use');
    assert.deepEqual([detached(), attached()], [1, 1]);
    for (let round = 2; round < 5; round++) {
      assert.deepEqual((await extended(client, `select pcp_detach_node(2, false, ${login()}) as done, $1::int as n`, [round], 'detach')).rows, [{ done: true, n: round }]);
      await eventually('node 2 is down', async () => await status(client) === 'Disconnected');
      assert.deepEqual((await extended(client, 'select pcp_attach_node(2)')).rows, [{ pcp_attach_node: true }]);
      await eventually('node 2 is up', async () => await status(client) === 'Connection in use');
      assert.deepEqual([detached(), attached()], [round, round]);
    }
  }));

  test('of many sessions at once add up', async () => {
    const before = attached();
    await Promise.all(Array.from({ length: 6 }, (_, session) => withClient(pgloom, async (client) => {
      for (let round = 0; round < 5; round++) {
        const text = 'select pcp_attach_node(2) as done';
        assert.deepEqual((await (session % 2 === 0 ? client.query<Row>(text) : extended(client, text, [], 'attach'))).rows, [{ done: true }]);
      }
    })));
    assert.equal(attached() - before, 30);
  });

  test('are not carried out by a Describe, nor behind what has failed', async () => {
    const sql = postgres({ host: pgloom.host, port: pgloom.port, user: 'postgres', database: 'test', max: 1, fetch_types: false, onnotice: () => undefined });
    const before = attached();
    try {
      const described = await sql.unsafe('select pcp_attach_node(2) as done', [], { prepare: true }).describe();
      assert.deepEqual(described.columns.map(({ name, type }) => [name, type]), [['done', 16]]);
      await assert.rejects(sql.unsafe('select pcp_attach_node(2) as done, $1::nothing', ['1'], { prepare: true }), { code: '42704' });
      await assert.rejects(sql.begin(async (transaction) => {
        await transaction`select 1 / 0`.catch(() => undefined);
        await transaction.unsafe('select pcp_attach_node(2)', [], { prepare: true });
      }), { code: /^22012|25P02$/ });
      assert.equal(attached(), before);
      assert.deepEqual([...await sql.unsafe('select pcp_attach_node(2) as done', [], { prepare: true })], [{ done: true }]);
      assert.equal(attached(), before + 1);
    } finally {
      await sql.end();
    }
  });

  test('need no password for the users of pcp_sql_users, and one for others', async () => {
    await withClient(pgloom, async (client) => {
      await client.query('drop role if exists stranger');
      await client.query('create role stranger login');
    });
    try {
      await eventually('the role is everywhere', () => withClient(pgloom, () => Promise.resolve(true), { user: 'stranger' }).catch(() => false));
      await withClient(pgloom, async (client) => {
        assert.match(await failure(client.query('select pcp_attach_node(2)')), /^42501: user "stranger" may not administer pgloom/);
        assert.deepEqual((await client.query(`select pcp_node_count(${login()}) as n`)).rows, [{ n: 3 }]);
      }, { user: 'stranger' });
    } finally {
      await withClient(pgloom, (client) => client.query('drop role stranger'));
    }
  });

  test('a database that has the functions answers itself', () => withClient(pgloom, async (client) => {
    assert.deepEqual((await client.query('select pcp_node_count() as n')).rows, [{ n: 3 }]);
    await client.query('create function pcp_node_count() returns int language sql as $$ select 42 $$');
    try {
      assert.deepEqual((await client.query('select pcp_node_count() as n')).rows, [{ n: 42 }]);
      assert.deepEqual((await extended(client, 'select pcp_node_count() as n')).rows, [{ n: 42 }]);
    } finally {
      await client.query('drop function pcp_node_count()');
    }
    assert.deepEqual((await client.query('select pcp_node_count() as n')).rows, [{ n: 3 }]);
  }));
});
