/** The driver `pg` over three nodes. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client, Pool } from 'pg';
import { type Pgloom, startPgloom, withClient } from '../support/pgloom.js';
import { untilRunning } from '../support/running.js';
import { rowsOf } from '../support/wire-fields.js';
import { WireClient } from '../support/wire.js';

let pgloom: Pgloom;
before(async () => {
  pgloom = await startPgloom({ settings: { num_init_children: 32 } });
});
after(() => pgloom.stop());

/** Often enough that every node is the reader at least once. */
const sessions = 8;
async function everywhere(use: (client: Client) => Promise<void>): Promise<void> {
  for (let i = 0; i < sessions; i++) await withClient(pgloom, use);
}

test('pg: simple queries, several statements in one, and an empty one', () => everywhere(async (client) => {
  assert.deepEqual((await client.query('select 1 as a, null as b')).rows, [{ a: 1, b: null }]);
  const results = await client.query('select 1 as a; select 2 as b') as unknown as { rows: unknown[] }[];
  assert.deepEqual(results.map(({ rows }) => rows), [[{ a: 1 }], [{ b: 2 }]]);
  assert.equal((await client.query('')).rowCount, null);
}));

test('pg: parameters and named statements, reads and writes', () => everywhere(async (client) => {
  const id = 100_000 + Math.floor(Math.random() * 1e8);
  assert.equal((await client.query('insert into notes values ($1, $2)', [id, 'by pg'])).rowCount, 1);
  for (let i = 1; i <= 3; i++) {
    const { rows } = await client.query({ name: 'item', text: 'select name from items where id = $1', values: [i] });
    assert.deepEqual(rows, [{ name: `item ${i}` }]);
    assert.equal((await client.query({ name: 'rename', text: 'update notes set name = $2 where id = $1', values: [id, `round ${i}`] })).rowCount, 1);
  }
  assert.equal((await client.query('delete from notes where id = $1', [id])).rowCount, 1);
}));

test('pg: queries that are given at once are answered in order', () => everywhere(async (client) => {
  const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => (i % 3 === 0
    ? client.query('insert into bumps default values returning $1::int as n', [i]) : client.query('select $1::int as n', [i]))));
  assert.deepEqual(answers.map(({ rows }) => (rows[0] as { n: number }).n), Array.from({ length: 40 }, (_, i) => i));
}));

test('pg: a pool of clients', async () => {
  const pool = new Pool({ host: pgloom.host, port: pgloom.port, user: 'postgres', database: 'test', max: 5 });
  const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => pool.query('select $1::int as n', [i])));
  assert.deepEqual(answers.map(({ rows }) => (rows[0] as { n: number }).n), Array.from({ length: 100 }, (_, i) => i));
  await pool.end();
});

test('pg: errors in transactions', () => everywhere(async (client) => {
  await client.query('begin');
  await client.query('select count(*) from items');
  await assert.rejects(client.query('select 1 / $1::int', [0]), { code: '22012' });
  await assert.rejects(client.query('select 1'), { code: '25P02' });
  await client.query('rollback');
  await client.query('begin');
  await client.query('savepoint s');
  await assert.rejects(client.query('insert into items values (1, $1)', ['twice']), { code: '23505' });
  await client.query('rollback to s');
  assert.equal((await client.query('select * from items where id = 1')).rowCount, 1);
  await client.query('commit');
}));

test('pg: LISTEN and NOTIFY between sessions', async () => {
  await withClient(pgloom, async (listener) => {
    const heard: string[] = [];
    const all = new Promise<void>((resolve) => {
      listener.on('notification', ({ payload }) => { heard.push(payload ?? ''); if (heard.length === 2) resolve(); });
    });
    await listener.query('listen by_pg');
    await withClient(pgloom, async (client) => {
      await client.query("notify by_pg, 'one'");
      await client.query('select pg_notify($1, $2)', ['by_pg', 'two']);
    });
    await all;
    assert.deepEqual(heard, ['one', 'two']);
  });
});

test('pg: cancel of a read and of a write', async () => {
  // The driver has no call for it: a CancelRequest with the key that the session was given.
  for (const sql of ['select pg_sleep(60) as by_pg', 'select count(*) as by_pg from generate_series(1, 1e12)']) {
    const client = new Client({ host: pgloom.host, port: pgloom.port, user: 'postgres', database: 'test' });
    await client.connect();
    const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
    const running = assert.rejects(client.query(sql), { code: '57014' });
    await untilRunning(sql);
    const canceller = await WireClient.connect(pgloom.port);
    const key = Buffer.alloc(4);
    key.writeInt32BE(secretKey);
    canceller.cancelRequest(processID, key);
    await running;
    await canceller.expectClose();
    assert.equal((await client.query('select 1')).rowCount, 1);
    await client.end();
  }
});

test('pg: large objects', () => everywhere(async (client) => {
  const content = Buffer.alloc(100_000, 'large object ');
  await client.query('begin');
  const { rows } = await client.query<{ oid: number }>('select lo_from_bytea(0, $1) as oid', [content]);
  const oid = rows[0]?.oid;
  const fd = (await client.query<{ fd: number }>('select lo_open($1, 393216) as fd', [oid])).rows[0]?.fd;
  assert.deepEqual((await client.query<{ data: Buffer }>('select loread($1, 200000) as data', [fd])).rows[0]?.data, content);
  await client.query('commit');
  assert.deepEqual((await client.query<{ data: Buffer }>('select lo_get($1) as data', [oid])).rows[0]?.data, content);
  await client.query('select lo_unlink($1)', [oid]);
}));

test('COPY in and out, on the wire as libpq and others speak it', async () => {
  const client = await WireClient.login(pgloom.port);
  client.query('create temp table copied (n int, t text)');
  await client.readUntil('Z');
  client.query('copy copied from stdin');
  await client.readUntil('G');
  for (let i = 0; i < 5000; i++) client.copyData(`${i}\ttext ${i}\n`);
  client.copyDone();
  await client.readUntil('Z');
  client.query('copy copied to stdout');
  const lines = (await client.readUntil('Z')).filter(({ type }) => type === 'd');
  assert.equal(lines.length, 5000);
  client.query('select count(*) from copied');
  assert.deepEqual(rowsOf(await client.readUntil('Z')), [['5000']]);
  client.end();
});

test('pg: values of a megabyte come through whole', () => everywhere(async (client) => {
  const text = 'ä€'.repeat(250_000);
  assert.equal((await client.query<{ t: string }>('select $1::text as t', [text])).rows[0]?.t, text);
  assert.equal((await client.query<{ t: string }>("select repeat('x', 5000000) as t")).rows[0]?.t.length, 5_000_000);
}));
