/** SHOW POOL_… and PGPOOL … in the extended protocol. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client, DatabaseError } from 'pg';
import postgres from 'postgres';
import { type Pgloom, startPgloom, withClient } from '../support/pgloom.js';

type Rows = Record<string, string>[];

async function extended(client: Client, text: string, name?: string): Promise<{ columns: string[]; rows: Rows; command: string }> {
  const { fields, rows, command } = await client.query<Record<string, string>>({ text, values: [], queryMode: 'extended', ...(name !== undefined && { name }) } as never);
  return { columns: fields.map((field) => field.name), rows, command };
}

const reports = ['pool_nodes', 'pool_processes', 'pool_pools', 'pool_status', 'pool_version', 'pool_cache', 'pool_health_check_stats', 'pool_backend_stats'];

for (const [arrangement, settings] of Object.entries({ 'three nodes': {}, 'one node': { backend_clustering_mode: 'raw' } })) {
  describe(arrangement, () => {
    let pgloom: Pgloom;
    before(async () => {
      pgloom = await startPgloom({ settings: { num_init_children: 6, worker_threads: 2, ...settings } });
    });
    after(() => pgloom.stop());

    for (const report of reports) {
      test(`SHOW ${report} has the same columns and as many rows as in the simple protocol`, () => withClient(pgloom, async (client) => {
        const simple = await client.query(`SHOW ${report}`);
        const { columns, rows } = await extended(client, `SHOW ${report}`);
        assert.deepEqual([columns, rows.length], [simple.fields.map(({ name }) => name), simple.rows.length]);
        assert.ok(rows.every((row) => Object.values(row).every((value) => typeof value === 'string')));
      }));
    }

    test('PGPOOL SHOW, SET and RESET work', () => withClient(pgloom, async (client) => {
      const shown = async (): Promise<string | undefined> => (await extended(client, 'PGPOOL SHOW client_idle_limit')).rows[0]?.['client_idle_limit'];
      assert.equal(await shown(), '0');
      assert.equal((await extended(client, 'PGPOOL SET client_idle_limit TO 300')).command, 'SET');
      assert.equal(await shown(), '5min');
      assert.equal((await extended(client, 'PGPOOL RESET client_idle_limit')).command, 'SET');
      assert.equal(await shown(), '0');
      await extended(client, 'PGPOOL SET client_idle_limit TO 300');
      assert.equal((await extended(client, 'PGPOOL RESET ALL')).command, 'RESET');
      assert.equal(await shown(), '0');
    }));

    test('what is wrong is told, and the session goes on', () => withClient(pgloom, async (client) => {
      const failure = async (sql: string): Promise<string> => {
        const error: unknown = await extended(client, sql).then(() => null, (reason: unknown) => reason);
        assert.ok(error instanceof DatabaseError, sql);
        return `${error.code}: ${error.message}`;
      };
      assert.equal(await failure('PGPOOL SHOW nothing'), '42704: config variable "nothing" not found');
      assert.equal(await failure('PGPOOL SET nothing TO 1'), '42704: unrecognized configuration parameter "nothing"');
      assert.match(await failure('PGPOOL DANCE'), /^42601: syntax error/);
      assert.equal((await extended(client, 'select 1 as one')).rows.length, 1);
    }));

    test('a pipeline of own and other statements is answered in order', async () => {
      const sql = postgres({ host: pgloom.host, port: pgloom.port, user: 'postgres', database: 'test', max: 1, fetch_types: false, onnotice: () => undefined });
      try {
        await sql`select 1`;
        const answers = await Promise.all([sql`select 1 as one`, sql`show pool_version`, sql`select 2 as two`, sql`pgpool show max_pool`, sql`select 3 as three`]);
        assert.deepEqual(answers.map((rows) => Object.keys(rows[0] ?? {})[0]), ['one', 'pool_version', 'two', 'max_pool', 'three']);
      } finally {
        await sql.end();
      }
    });

    test('it is not counted, and works in a transaction', () => withClient(pgloom, async (client) => {
      await client.query('begin');
      assert.equal((await extended(client, 'show pool_nodes')).rows.length > 0, true);
      await client.query('commit');
      const selects = async (): Promise<number> => (await client.query<{ select_cnt: string }>('show pool_nodes')).rows.reduce((sum, row) => sum + Number(row.select_cnt), 0);
      const before = await selects();
      await extended(client, 'show pool_nodes');
      assert.equal(await selects(), before);
    }));
  });
}

test('a statement that was prepared long ago shows what is true now', async () => {
  const pgloom = await startPgloom({});
  try {
    await withClient(pgloom, async (client) => {
      const selects = async (): Promise<number> => (await extended(client, 'show pool_nodes', 'nodes')).rows.reduce((sum, row) => sum + Number(row['select_cnt']), 0);
      const before = await selects();
      for (let i = 0; i < 5; i++) await client.query('select 1');
      assert.equal(await selects(), before + 5);
      await client.query('insert into bumps default values');
      await client.query('select 1');
      assert.equal(await selects(), before + 6);
    });
  } finally {
    await pgloom.stop();
  }
});
