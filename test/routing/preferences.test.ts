/** Which node a session's (or a statement's) reads go to: redirect lists, ratios, statement_level_load_balance. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClientConfig } from 'pg';
import { type Pgloom, withClient } from '../support/pgloom.js';
import { where, withPgloom } from './where.js';

const equalWeights = { backend_weight0: 1, backend_weight1: 1, backend_weight2: 1 } as const;

const readerOf = (pgloom: Pgloom, config: ClientConfig = {}): Promise<number> => withClient(pgloom, (client) => where(client), config);

/** How many of `count` sessions read from each node. */
async function spread(pgloom: Pgloom, count: number, config: ClientConfig = {}): Promise<number[]> {
  const counts = [0, 0, 0];
  for (let left = count; left > 0; left -= 10) {
    const nodes = await Promise.all(Array.from({ length: 10 }, () => readerOf(pgloom, config)));
    for (const node of nodes) counts[node] = (counts[node] ?? 0) + 1;
  }
  return counts;
}

test('the application overrides the database, and the database the user', async () => {
  await withPgloom({
    ...equalWeights,
    user_redirect_preference_list: 'postgres:2',
    database_redirect_preference_list: 'template1:primary, post.*:primary',
    app_name_redirect_preference_list: 'reports[[:digit:]]:1, batch:standby',
  }, async (pgloom) => {
    for (let i = 0; i < 5; i++) {
      assert.equal(await readerOf(pgloom), 2);
      assert.equal(await readerOf(pgloom, { database: 'postgres' }), 0);
      assert.equal(await readerOf(pgloom, { database: 'postgres', application_name: 'Reports7' }), 1);
      assert.equal(await readerOf(pgloom, { application_name: 'my reports7' }), 2, 'the whole name has to match');
      assert.notEqual(await readerOf(pgloom, { application_name: 'batch' }), 0);
    }
  });
});

test('application_name set later does not move the session', async () => {
  await withPgloom({ ...equalWeights, user_redirect_preference_list: '.*:2', app_name_redirect_preference_list: 'moved:1' }, async (pgloom) => {
    await withClient(pgloom, async (client) => {
      await client.query("set application_name = 'moved'");
      assert.equal(await where(client), 2);
    });
  });
});

test('a ratio sends that share to the node, and the rest to the others', async () => {
  await withPgloom({
    ...equalWeights,
    app_name_redirect_preference_list: 'some:1(0.25), never:1(0.0), standby:standby(0.5), main:primary(0.5)',
  }, async (pgloom) => {
    const some = await spread(pgloom, 200, { application_name: 'some' });
    // A quarter of 200 is 50, with a deviation of 6: bounds at five of them.
    assert.ok((some[1] ?? 0) > 20 && (some[1] ?? 0) < 80 && (some[0] ?? 0) > 0 && (some[2] ?? 0) > 0, some.join());
    assert.equal((await spread(pgloom, 50, { application_name: 'never' }))[1], 0);
    const standby = await spread(pgloom, 100, { application_name: 'standby' });
    assert.ok((standby[0] ?? 0) > 20 && (standby[0] ?? 0) < 80, `the rest of a standby entry goes to the primary: ${standby.join()}`);
    const main = await spread(pgloom, 100, { application_name: 'main' });
    assert.ok((main[0] ?? 0) > 20 && (main[1] ?? 0) > 0 && (main[2] ?? 0) > 0, main.join());
  });
});

test('a node of weight 0 is read from when a list names it, and a node that does not exist is passed over', async () => {
  await withPgloom({
    backend_weight0: 1, backend_weight1: 0, backend_weight2: 0, app_name_redirect_preference_list: 'one:1, nine:9',
  }, async (pgloom) => {
    assert.equal(await readerOf(pgloom, { application_name: 'one' }), 1);
    assert.equal(await readerOf(pgloom, { application_name: 'nine' }), 0);
    assert.equal(await readerOf(pgloom), 0);
  });
});

test('writes of a redirected session go to the primary all the same', async () => {
  await withPgloom({ ...equalWeights, user_redirect_preference_list: '.*:2' }, async (pgloom) => {
    await withClient(pgloom, async (client) => {
      await client.query('insert into bumps default values');
      assert.equal(await where(client), 2);
    });
  });
});

test('with statement_level_load_balance each read gets a node of its own, in both protocols', async () => {
  await withPgloom({ ...equalWeights, statement_level_load_balance: true }, async (pgloom) => {
    await withClient(pgloom, async (client) => {
      const simple = new Set<number>();
      const prepared = new Set<number>();
      await client.query("set search_path = 'elsewhere', 'public'");
      for (let i = 0; i < 60; i++) {
        simple.add(await where(client));
        const { rows } = await client.query<{ port: number; path: string }>({ name: 'where', text: "select current_setting('port')::int as port, current_setting('search_path') as path where $1::int = $1", values: [i] });
        prepared.add(rows[0]?.port ?? 0);
        assert.equal(rows[0]?.path, 'elsewhere, public', 'what was SET holds on every node');
      }
      assert.equal(simple.size, 3, [...simple].join());
      assert.equal(prepared.size, 3, [...prepared].join());
    });
  });
});

test('with statement_level_load_balance a transaction keeps the node of its first read', async () => {
  await withPgloom({ ...equalWeights, statement_level_load_balance: true }, async (pgloom) => {
    await withClient(pgloom, async (client) => {
      const chosen = new Set<number>();
      for (let i = 0; i < 30; i++) {
        await client.query('begin');
        const first = await where(client);
        chosen.add(first);
        for (let again = 0; again < 4; again++) assert.equal(await where(client), first);
        await client.query('insert into bumps default values');
        assert.equal(await where(client), 0);
        await client.query(i % 2 === 0 ? 'commit' : 'rollback');
      }
      assert.equal(chosen.size, 3, [...chosen].join());
    });
  });
});

test('with statement_level_load_balance pipelined reads are answered in order from whichever node', async () => {
  await withPgloom({ ...equalWeights, statement_level_load_balance: true }, async (pgloom) => {
    await withClient(pgloom, async (client) => {
      const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => client.query<{ n: number }>('select $1::int as n', [n])));
      assert.deepEqual(answers.map(({ rows }) => rows[0]?.n), Array.from({ length: 100 }, (_, n) => n));
    });
  });
});
