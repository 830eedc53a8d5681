/** A longer scenario for the driver postgres.js, through pgloom and beside it. postgres-js.test.ts has the shorter ones. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import postgres from 'postgres';
import { type Target, targetNames, waitForReplay, withTarget } from './targets.js';

type Sql = postgres.Sql;
type Use = (sql: Sql, target: Target) => Promise<void>;

async function session(target: Target, use: (sql: Sql) => Promise<void>, options: postgres.Options<Record<string, never>> = {}): Promise<void> {
  const sql = postgres(target.uri, { max: 1, onnotice: () => undefined, connection: { search_path: `${target.schema},public` }, ...options });
  try {
    await use(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

for (const name of targetNames) {
  test(`postgres.js, the longer scenario: ${name}`, (context) => withTarget(name, (target) => scenario(context, target)));
}

async function scenario(context: TestContext, target: Target): Promise<void> {
  await session(target, async (sql) => { await sql`create table people (id serial primary key, name text not null, age int)`; });
  await waitForReplay();
  for (const [title, use] of Object.entries(checks)) {
    for (const prepare of [true, false]) {
      await context.test(`${title}${prepare ? '' : ', unprepared'}`, () => session(target, (sql) => use(sql, target), { prepare }));
    }
  }
}

function expectReader(target: Target, rows: readonly postgres.Row[]): void {
  if (target.reads !== 'any') assert.equal(Number(rows[0]?.['port']) === target.primaryPort, target.reads === 'primary');
}

const checks: Readonly<Record<string, Use>> = {
  'reads run where they should': async (sql, target) => {
    for (let n = 0; n < 3; n++) expectReader(target, await sql`select current_setting('port') as port where ${true}`);
    await sql.begin(async (tx) => {
      for (let n = 0; n < 3; n++) expectReader(target, await tx`select current_setting('port') as port where ${true}`);
    });
  },

  'values of every kind': async (sql) => {
    const moment = new Date('2024-02-29T23:59:59.123Z');
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, n) => n));
    const [row] = await sql`select ${null}::int as nothing, ${true}::bool as yes, ${42}::int as n, ${'1099511627776'}::int8 as big, ${1.5}::float8 as f,
      ${"täxt €\n\\'\""}::text as t, ${bytes}::bytea as b, ${moment}::timestamptz as z, string_to_array(${'1,2,3'}, ${','})::int[] as list, ${sql.json({ a: [1, null] })}::jsonb as j`;
    assert.deepEqual({ ...row }, { nothing: null, yes: true, n: 42, big: '1099511627776', f: 1.5, t: "täxt €\n\\'\"", b: bytes, z: moment, list: [1, 2, 3], j: { a: [1, null] } });
  },

  'inserts of many rows, RETURNING, dynamic lists': async (sql) => {
    const people = Array.from({ length: 200 }, (_, n) => ({ name: `many ${n}`, age: n }));
    await sql.begin(async (tx) => {
      assert.equal((await tx`insert into people ${tx(people)} returning id`).length, 200);
      assert.equal((await tx`update people set age = age + 1 where name in ${tx(['many 1', 'many 2'])}`).count, 2);
      assert.deepEqual([...await tx`select sum(age)::int as n from people where name like 'many %'`], [{ n: 19_902 }]);
      await tx`delete from people where name like 'many %'`;
    });
  },

  'own writes, savepoints and recovery': async (sql) => {
    await assert.rejects(sql.begin(async (tx) => {
      await tx`select count(*) from items where id <= ${3}`;
      await tx`insert into people (name) values ('own')`;
      assert.deepEqual([...await tx`select count(*)::int as n from people where name = 'own'`], [{ n: 1 }]);
      await assert.rejects(tx.savepoint((inner) => inner`select * from no_such_table`), { code: '42P01' });
      assert.deepEqual([...await tx`select count(*)::int as n from people where name = 'own'`], [{ n: 1 }]);
      await tx`select 1 / ${0}::int`;
    }), { code: '22012' });
    assert.deepEqual([...await sql`select count(*)::int as n from people where name = 'own'`], [{ n: 0 }]);
  },

  'a transaction given at once': async (sql) => {
    const answers = await sql.begin((tx) => [
      tx`select 1 as n`, tx`insert into people (name) values ('at once') returning 2 as n`, tx`select count(*)::int + 2 as n from people where name = 'at once'`,
      tx`delete from people where name = 'at once' returning 4 as n`,
    ]);
    assert.deepEqual(answers.map((rows) => (rows as unknown as { n: number }[])[0]?.n), [1, 2, 3, 4]);
  },

  'errors among queries given at once': async (sql) => {
    const answers = await Promise.allSettled(Array.from({ length: 60 }, (_, n) => {
      if (n % 6 === 5) return sql`select 1 / ${0}::int as n`;
      return n % 3 === 1 ? sql`insert into people (name, age) values ('several', ${n}) returning age as n` : sql`select ${n}::int as n`;
    }));
    assert.deepEqual(answers.map((answer) => (answer.status === 'fulfilled' ? (answer.value[0] as { n: number }).n : (answer.reason as { code: string }).code)),
      Array.from({ length: 60 }, (_, n) => (n % 6 === 5 ? '22012' : n)));
  },

  'isolation levels and read-only transactions': async (sql) => {
    for (const level of ['read committed', 'repeatable read', 'serializable']) {
      await sql.begin(`isolation level ${level}`, async (tx) => {
        assert.deepEqual([...await tx`select current_setting('transaction_isolation') as level, count(*)::int as n from items where id <= 3`], [{ level, n: 3 }]);
      });
    }
    await assert.rejects(sql.begin('read only', async (tx) => {
      await tx`select count(*) from items`;
      await tx`insert into people (name) values ('not')`;
    }), { code: '25006' });
  },

  'a reserved connection: SET, temporary tables, DISCARD ALL': async (sql, target) => {
    const own = await sql.reserve();
    try {
      await own`set timezone to 'Asia/Tokyo'`;
      assert.deepEqual([...await own`select '2024-01-01 00:00+00'::timestamptz::text as t`], [{ t: '2024-01-01 09:00:00+09' }]);
      await own`create temp table scratch as select n from generate_series(1, 5) n`;
      for (let n = 0; n < 2; n++) assert.deepEqual([...await own`select sum(n)::int as n from scratch`], [{ n: 15 }]);
      await own.unsafe('discard temp');
      await assert.rejects(own`select * from scratch where n = ${1}`.execute(), { code: '42P01' });
      await own.unsafe('discard all');
      expectReader(target, await own.unsafe("select current_setting('port') as port"));
    } finally {
      own.release();
    }
  },

  'a table is altered under a statement: the driver prepares again': async (sql, target) => {
    await sql`create table altered (a int)`;
    await sql`insert into altered values (1)`;
    await waitForReplay();
    for (let n = 0; n < 2; n++) assert.deepEqual([...await sql`select * from altered`], [{ a: 1 }]);
    await session(target, async (other) => { await other`alter table altered add column b int`; });
    await waitForReplay();
    assert.deepEqual([...await sql`select * from altered`], [{ a: 1, b: null }]);
    await session(target, async (other) => { await other`drop table altered`; });
    await waitForReplay();
  },

  'cancel, statement_timeout and notices': async (sql, target) => {
    const running = sql`select count(*) from generate_series(1, 1e12)`.execute();
    setTimeout(() => running.cancel(), 200);
    await assert.rejects(running, { code: '57014' });
    const heard: unknown[] = [];
    await session(target, async (other) => {
      await assert.rejects(other`select count(*) from generate_series(1, 1e12)`.execute(), { code: '57014' });
      await other`do $$ begin raise notice 'heard'; end $$`;
    }, { connection: { statement_timeout: 100 }, onnotice: ({ message }) => heard.push(message) });
    assert.deepEqual(heard, ['heard']);
  },

  'described statements, raw values and rows by callback': async (sql) => {
    const { columns, types } = await sql`select id, name from items where id = ${1}`.describe();
    assert.deepEqual([columns.map(({ name, type }) => [name, type]), [...types]], [[['id', 23], ['name', 25]], [23]]);
    assert.deepEqual([...await sql`select id, name from items where id = ${1}`.values()], [[1, 'item 1']]);
    let seen = 0;
    await sql`select n from generate_series(1, 1000) n`.forEach(() => { seen++; });
    assert.equal(seen, 1000);
  },

  'many connections of one pool': async (_sql, target) => {
    await session(target, async (pool) => {
      const counts = await Promise.all(Array.from({ length: 40 }, (_, n) => pool.begin(async (tx) => {
        await tx`insert into people (name, age) values (${`pool ${n}`}, ${n})`;
        const [row] = await tx`select count(*)::int as n from people where name = ${`pool ${n}`}`;
        await tx`delete from people where name = ${`pool ${n}`}`;
        return row?.['n'] as number;
      })));
      assert.deepEqual(new Set(counts), new Set([1]));
    }, { max: 6 });
  },

  'long texts': async (sql) => {
    const text = 'ä€'.repeat(200_000);
    assert.equal((await sql`select ${text}::text as t`)[0]?.['t'], text);
  },
};
