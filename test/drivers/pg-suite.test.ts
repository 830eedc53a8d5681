/** A longer scenario for the driver `pg`, through pgloom and beside it. pg.test.ts has the shorter ones. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Client, type ClientConfig, Pool } from 'pg';
import { type Target, targetNames, waitForReplay, withTarget } from './targets.js';

type Use = (db: Client, more: { readonly target: Target; readonly session: (use: (db: Client) => Promise<void>, config?: ClientConfig) => Promise<void> }) => Promise<void>;

async function session(target: Target, use: (db: Client) => Promise<void>, config: ClientConfig = {}): Promise<void> {
  const db = new Client({ connectionString: target.uri, options: `-c search_path=${target.schema},public`, ...config });
  await db.connect();
  try {
    await use(db);
  } finally {
    await db.end();
  }
}

async function value(db: Pick<Client, 'query'>, text: string, values: unknown[] = [], name?: string): Promise<unknown> {
  const { rows } = await db.query<unknown[]>({ text, values, rowMode: 'array', ...(name === undefined ? {} : { name }) });
  return rows[0]?.[0];
}

for (const name of targetNames) {
  test(`pg, the longer scenario: ${name}`, (context) => withTarget(name, (target) => scenario(context, target)));
}

async function scenario(context: TestContext, target: Target): Promise<void> {
  await session(target, async (db) => {
    await db.query('create table people (id serial primary key, name text not null, age int)');
  });
  await waitForReplay();
  for (const [title, use] of Object.entries(checks)) {
    await context.test(title, () => session(target, (db) => use(db, { target, session: (inner, config) => session(target, inner, config) })));
  }
}

function expectReader(target: Target, port: unknown): void {
  if (target.reads !== 'any') assert.equal(Number(port) === target.primaryPort, target.reads === 'primary');
}

const portSql = "select current_setting('port') where $1";
const tokyoSql = "select '2024-01-01 00:00+00'::timestamptz::text";

const checks: Readonly<Record<string, Use>> = {
  'reads run where they should, by name and without, in and out of a transaction': async (db, { target }) => {
    for (const begin of ['select 1', 'begin']) {
      await db.query(begin);
      for (let n = 0; n < 3; n++) {
        expectReader(target, await value(db, portSql, [true]));
        expectReader(target, await value(db, portSql, [true], 'port'));
      }
    }
    await db.query('commit');
  },

  'values of every kind': async (db) => {
    const moment = new Date('2024-02-29T23:59:59.123Z');
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, n) => n));
    const values = [null, true, 42, '1099511627776', 1.5, '12345678901234567890.123456789', "täxt €\n\\'\"", bytes, moment, [1, null, 3], ['a', 'b"c', '{d}'], { a: [1, null] }];
    const types = ['int', 'bool', 'int', 'int8', 'float8', 'numeric', 'text', 'bytea', 'timestamptz', 'int[]', 'text[]', 'jsonb'];
    const sql = `select ${types.map((type, n) => `$${n + 1}::${type}`).join(', ')}`;
    for (const name of [undefined, 'kinds', 'kinds']) {
      const { rows } = await db.query<unknown[]>({ text: sql, values, rowMode: 'array', ...(name === undefined ? {} : { name }) });
      assert.deepEqual(rows, [values]);
    }
    const binary = await db.query({ text: 'select $1::int as i, $2::int8 as l, $3::text as t', values: [7, 8, 'x'], binary: true } as { text: string });
    assert.deepEqual(binary.rows, [{ i: 7, l: '8', t: 'x' }]);
  },

  'several statements in one string, and an error among them': async (db) => {
    const results = await db.query("select 1 as n; insert into people (name) values ('several'); select 3 as n") as unknown as { rows: unknown[]; rowCount: number }[];
    assert.deepEqual(results.map(({ rows, rowCount }) => [rows, rowCount]), [[[{ n: 1 }], 1], [[], 1], [[{ n: 3 }], 1]]);
    await assert.rejects(db.query("insert into people (name) values ('taken back'); select 1/0"), { code: '22012' });
    assert.equal(await value(db, "select count(*) from people where name = 'taken back'"), '0');
  },

  'what is asked at once fails alone and is answered in order': async (db) => {
    const answers = await Promise.allSettled(Array.from({ length: 60 }, (_, n) => {
      if (n % 6 === 5) return db.query('select 1 / $1::int', [0]);
      if (n % 3 === 1) return db.query({ name: 'add', text: "insert into people (name, age) values ('at once', $1) returning age as n", values: [n] });
      return db.query({ name: `echo ${n % 2}`, text: `select $1::int as n, ${n % 2}`, values: [n] });
    }));
    assert.deepEqual(answers.map((answer) => (answer.status === 'fulfilled' ? (answer.value.rows[0] as { n: number }).n : (answer.reason as { code: string }).code)),
      Array.from({ length: 60 }, (_, n) => (n % 6 === 5 ? '22012' : n)));
  },

  'transactions, own writes, savepoints and recovery': async (db, { session }) => {
    await db.query('begin');
    assert.equal(await value(db, 'select count(*) from items where id <= $1', [3]), '3');
    await db.query("insert into people (name) values ('own')");
    assert.equal(await value(db, "select count(*) from people where name = 'own'", [], 'own'), '1');
    await session(async (other) => { assert.equal(await value(other, "select count(*) from people where name = 'own'"), '0'); });
    await db.query('savepoint a');
    await assert.rejects(db.query('insert into items values ($1, $2)', [1, 'twice']), { code: '23505', constraint: 'items_pkey' });
    await assert.rejects(db.query('select 1'), { code: '25P02' });
    await db.query('rollback to a');
    assert.equal(await value(db, "select count(*) from people where name = 'own'", [], 'own'), '1');
    await db.query('rollback');
    assert.equal(await value(db, "select count(*) from people where name = 'own'", [], 'own'), '0');
  },

  'a transaction that fails on a read is rolled back by a named statement': async (db) => {
    for (let n = 0; n < 4; n++) {
      await db.query({ name: 'b', text: 'begin' });
      if (n % 2 === 0) await db.query("insert into people (name) values ('lost')");
      await assert.rejects(db.query('select 1 / $1::int', [0]), { code: '22012' });
      await assert.rejects(db.query({ name: 'one', text: 'select 1' }), { code: '25P02' });
      await db.query({ name: 'r', text: 'rollback' });
      assert.equal(await value(db, "select count(*) from people where name = 'lost'"), '0');
    }
  },

  'a statement that was prepared beside a write, in a transaction that fails on a read': async (db) => {
    await db.query('begin');
    await db.query("insert into people (name) values ('beside')");
    assert.equal(await value(db, "select count(*) from people where name = 'beside'", [], 'beside'), '1');
    await db.query('rollback');
    await db.query('begin');
    await assert.rejects(db.query('select 1 / $1::int', [0]), { code: '22012' });
    await assert.rejects(value(db, "select count(*) from people where name = 'beside'", [], 'beside'), { code: '25P02' });
    await db.query('rollback');
    assert.equal(await value(db, "select count(*) from people where name = 'beside'", [], 'beside'), '0');
  },

  'isolation levels and read-only transactions': async (db) => {
    for (const level of ['read committed', 'repeatable read', 'serializable']) {
      await db.query(`begin isolation level ${level}`);
      assert.equal(await value(db, "select current_setting('transaction_isolation')"), level);
      assert.equal(await value(db, 'select count(*) from items where id <= 3'), '3');
      await db.query('commit');
    }
    await db.query('begin read only');
    assert.equal(await value(db, 'select count(*) from items where id <= 3'), '3');
    await assert.rejects(db.query("insert into people (name) values ('not')"), { code: '25006' });
    await db.query('rollback');
  },

  'cursors by SQL, with and without hold': async (db) => {
    await db.query('begin; declare c scroll cursor for select id from items where id <= 100 order by id');
    assert.deepEqual((await db.query('fetch 2 from c')).rows, [{ id: 1 }, { id: 2 }]);
    assert.equal(await value(db, 'fetch absolute 91 from c'), 91);
    await db.query('declare held cursor with hold for select id from items where id <= 50 order by id; commit');
    assert.deepEqual((await db.query('fetch 2 from held')).rows, [{ id: 1 }, { id: 2 }]);
    assert.equal(await value(db, 'select count(*) from items where id <= 50'), '50');
    assert.equal(await value(db, 'fetch 1 from held'), 3);
    await assert.rejects(db.query('fetch 1 from c'), { code: '34000' });
  },

  'results in portions of an Execute': async (db) => {
    await db.query('begin');
    const { rows } = await db.query({ text: 'select id from items where id <= 100 order by id', rows: 30 } as { text: string });
    assert.equal(rows.length, 100);
    await db.query('commit');
  },

  'SET holds for the reads that follow': async (db) => {
    await db.query("set timezone to 'Asia/Tokyo'");
    assert.equal(await value(db, tokyoSql), '2024-01-01 09:00:00+09');
    await db.query("select set_config('timezone', $1, false)", ['UTC']);
    assert.equal(await value(db, tokyoSql, [], 'tokyo'), '2024-01-01 00:00:00+00');
    await db.query("begin; set local timezone to 'Asia/Tokyo'");
    assert.equal(await value(db, tokyoSql, [], 'tokyo'), '2024-01-01 09:00:00+09');
    await db.query('rollback');
    assert.equal(await value(db, tokyoSql, [], 'tokyo'), '2024-01-01 00:00:00+00');
    await db.query('set search_path to public');
    await assert.rejects(db.query('select count(*) from people'), { code: '42P01' });
  },

  'temporary tables and DISCARD ALL': async (db, { target }) => {
    await db.query('create temp table scratch as select n from generate_series(1, 5) n');
    for (let n = 0; n < 2; n++) assert.equal(await value(db, 'select sum(n) from scratch'), '15');
    await db.query('discard all');
    await assert.rejects(db.query('select * from scratch'), { code: '42P01' });
    expectReader(target, await value(db, "select current_setting('port')"));
  },

  'a table is altered under a named statement': async (db, { session }) => {
    await db.query('create table altered (a int); insert into altered values (1)');
    await waitForReplay();
    for (let n = 0; n < 2; n++) assert.deepEqual((await db.query({ name: 'all', text: 'select * from altered' })).rows, [{ a: 1 }]);
    await session(async (other) => { await other.query('alter table altered add column b int'); });
    await waitForReplay();
    await assert.rejects(db.query({ name: 'all', text: 'select * from altered' }), { code: '0A000' });
    assert.deepEqual((await db.query('select * from altered')).rows, [{ a: 1, b: null }]);
  },

  'a table is dropped under a named statement and made again': async (db, { session }) => {
    const count = { name: 'count', text: 'select count(*)::int as n from passing' };
    await db.query('create table passing (a int)');
    await waitForReplay();
    assert.deepEqual((await db.query(count)).rows, [{ n: 0 }]);
    await session(async (other) => { await other.query('drop table passing'); });
    await waitForReplay();
    await assert.rejects(db.query(count), { code: '42P01' });
    await session(async (other) => { await other.query('create table passing (a int)'); });
    await waitForReplay();
    assert.deepEqual((await db.query(count)).rows, [{ n: 0 }]);
    await db.query('begin');
    await db.query('insert into passing values (1)');
    assert.deepEqual((await db.query(count)).rows, [{ n: 1 }]);
    await db.query('rollback');
  },

  'notices and statement_timeout': async (db, { session }) => {
    const heard: unknown[] = [];
    db.on('notice', ({ message }) => heard.push(message));
    await db.query("do $$ begin raise notice 'first'; raise warning 'second'; end $$");
    assert.deepEqual(heard, ['first', 'second']);
    await session(async (other) => {
      await assert.rejects(other.query('select count(*) from generate_series(1, 1e12)'), { code: '57014' });
      assert.equal(await value(other, 'select 1'), 1);
    }, { statement_timeout: 100 });
  },

  'a pool: transactions, errors and many clients': async (_db, { target }) => {
    const pool = new Pool({ connectionString: target.uri, max: 5 });
    const counts = await Promise.all(Array.from({ length: 40 }, async (_, n) => {
      const db = await pool.connect();
      try {
        await db.query('begin');
        await db.query(`insert into ${target.schema}.people (name, age) values ($1, $2)`, [`pool ${n}`, n]);
        const seen = await value(db, `select count(*) from ${target.schema}.people where name = $1`, [`pool ${n}`]);
        await db.query(n % 2 === 0 ? 'commit' : 'rollback');
        return seen;
      } finally {
        db.release();
      }
    }));
    assert.deepEqual(new Set(counts), new Set(['1']));
    await waitForReplay();
    assert.equal(await value(pool as unknown as Client, `select count(*) from ${target.schema}.people where name like 'pool %'`), '20');
    await pool.end();
  },

  'long texts, many columns, many parameters': async (db) => {
    const text = 'ä€'.repeat(200_000);
    assert.equal(await value(db, 'select $1::text', [text]), text);
    const numbers = Array.from({ length: 20_000 }, (_, n) => n + 1);
    const { rows } = await db.query<number[]>({ text: `select ${numbers.slice(0, 1600).join(', ')}`, rowMode: 'array' });
    assert.deepEqual(rows[0], numbers.slice(0, 1600));
    assert.equal(await value(db, `select count(*) from items where id in (${numbers.map((n) => `$${n}`).join(',')}) and id <= 100`, numbers), '100');
  },
};
