/** The driver postgres.js over three nodes. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import postgres from 'postgres';
import { type Pgloom, startPgloom } from '../support/pgloom.js';

let pgloom: Pgloom;
before(async () => {
  pgloom = await startPgloom({ settings: { num_init_children: 32 } });
});
after(() => pgloom.stop());

async function session(use: (sql: postgres.Sql) => Promise<void>, options: postgres.Options<Record<string, never>> = {}): Promise<void> {
  const sql = postgres({ host: pgloom.host, port: pgloom.port, user: 'postgres', database: 'test', max: 1, onnotice: () => undefined, ...options });
  try {
    await use(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** Often enough that every node is the reader at least once. */
const sessions = 8;
async function everywhere(use: (sql: postgres.Sql) => Promise<void>): Promise<void> {
  for (let i = 0; i < sessions; i++) await session(use);
}

test('postgres.js: simple queries', () => everywhere(async (sql) => {
  assert.deepEqual([...await sql.unsafe('select 1 as a; select 2 as b')].map((rows) => [...rows as unknown as object[]]), [[{ a: 1 }], [{ b: 2 }]]);
  assert.deepEqual([...await sql`select 1 as a`.simple()], [{ a: 1 }]);
}));

test('postgres.js: parameters, prepared statements, reads and writes', () => everywhere(async (sql) => {
  for (let i = 1; i <= 3; i++) {
    assert.deepEqual([...await sql`select name from items where id = ${i}`], [{ name: `item ${i}` }]);
    assert.equal((await sql`update items set name = name where id = ${i}`).count, 1);
    assert.deepEqual([...await sql`select ${i}::int as n, ${'text'} as t, ${null}::int as nothing`], [{ n: i, t: 'text', nothing: null }]);
  }
}));

test('postgres.js: without prepared statements', async () => {
  for (let i = 0; i < sessions; i++) {
    await session(async (sql) => {
      assert.deepEqual([...await sql`select name from items where id = ${1}`], [{ name: 'item 1' }]);
      assert.equal((await sql`insert into bumps default values`).count, 1);
    }, { prepare: false });
  }
});

test('postgres.js: queries that are given at once are answered in order', () => everywhere(async (sql) => {
  const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => (i % 3 === 0
    ? sql`insert into bumps default values returning ${i}::int as n` : sql`select ${i}::int as n`)));
  assert.deepEqual(answers.map((rows) => (rows[0] as { n: number }).n), Array.from({ length: 40 }, (_, i) => i));
}));

test('postgres.js: transactions, savepoints and their errors', () => everywhere(async (sql) => {
  await assert.rejects(sql.begin(async (tx) => {
    await tx`select count(*) from items`;
    await tx`insert into items values (90001, 'to be rolled back')`;
    assert.equal((await tx`select * from items where id = 90001`).length, 1);
    await tx`select 1 / (id - id) from items`;
  }), { code: '22012' });
  assert.equal((await sql`select * from items where id = 90001`).length, 0);
  await sql.begin(async (tx) => {
    await tx.savepoint(async (inner) => { await inner`insert into items values (1, 'twice')`; }).catch(() => undefined);
    assert.equal((await tx`select * from items where id = 1`).length, 1);
  });
  await sql.begin('read only', async (tx) => {
    assert.equal((await tx`select 1 as one`).length, 1);
    await assert.rejects(tx.savepoint((inner) => inner`insert into bumps default values`), { code: '25006' });
  });
}));

test('postgres.js: COPY in and out', () => everywhere(async (sql) => {
  await sql.begin(async (tx) => {
    await tx`create temp table copied (n int, t text) on commit drop`;
    // Less than 16 kB: when more than that comes in one read, postgres.js 3.4 pauses its socket for good.
    const lines = Array.from({ length: 500 }, (_, i) => `${i}\tline ${i}\n`);
    await pipeline(Readable.from(lines), await tx`copy copied from stdin`.writable());
    assert.deepEqual([...await tx`select count(*)::int as n from copied`], [{ n: 500 }]);
    assert.equal(await text(await tx`copy copied to stdout`.readable()), lines.join(''));
  });
  assert.equal((await text(await sql`copy items to stdout`.readable())).split('\n').length > 100, true);
}));

test('postgres.js: cancel', () => everywhere(async (sql) => {
  const query = sql`select count(*) from generate_series(1, 1e12)`;
  const running = assert.rejects(query, { code: '57014' });
  setTimeout(() => query.cancel(), 200);
  await running;
  assert.deepEqual([...await sql`select 1 as one`], [{ one: 1 }]);
}));

test('postgres.js: LISTEN and NOTIFY', () => session(async (sql) => {
  const heard: string[] = [];
  await new Promise<void>((resolve, reject) => {
    sql.listen('by_postgres_js', (payload) => {
      heard.push(payload);
      if (heard.length === 2) resolve();
    }).then(async () => {
      await sql.notify('by_postgres_js', 'one');
      await sql.notify('by_postgres_js', 'two');
    }).catch(reject);
  });
  assert.deepEqual(heard, ['one', 'two']);
}));

test('postgres.js: cursors', () => everywhere(async (sql) => {
  const seen: number[] = [];
  for await (const rows of sql`select id from items where id <= 100 order by id`.cursor(30)) seen.push(...rows.map((row) => (row as { id: number }).id));
  assert.deepEqual(seen, Array.from({ length: 100 }, (_, i) => i + 1));
  await sql.begin(async (tx) => {
    let rows = 0;
    for await (const part of tx`select id from items where id <= 100`.cursor(30)) rows += part.length;
    assert.equal(rows, 100);
  });
}));

test('postgres.js: large objects', () => everywhere(async (sql) => {
  const content = Buffer.alloc(50_000, 'large object ');
  const [written] = await sql`select lo_from_bytea(0, ${content}) as oid`;
  const [read] = await sql`select lo_get(${written?.['oid'] as number}) as data`;
  assert.deepEqual(read?.['data'], content);
  await sql`select lo_unlink(${written?.['oid'] as number})`;
}));
