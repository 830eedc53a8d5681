/** SHOW POOL_BACKEND_STATS: what is counted, and that it adds up under load and across threads. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from 'pg';
import { startLoggingPgpool2 } from '../routing/table/pgpool2.js';
import { type Pgloom, startPgloom, withClient } from '../support/pgloom.js';
import { noPgpool2 } from '../support/pgpool2.js';

const counters = ['select_cnt', 'insert_cnt', 'update_cnt', 'delete_cnt', 'ddl_cnt', 'other_cnt', 'panic_cnt', 'fatal_cnt', 'error_cnt'] as const;
type Counts = Record<(typeof counters)[number], number>;

type Combine = (ofNodes: readonly number[]) => number;
const sum: Combine = (ofNodes) => ofNodes.reduce((total, count) => total + count, 0);
/** Pgpool-II sends SET to two nodes and counts it for both; pgloom counts what the client has sent. */
const most: Combine = (ofNodes) => Math.max(...ofNodes);

async function perNode(client: Client): Promise<Counts[]> {
  const { rows } = await client.query<Record<string, string>>('SHOW POOL_BACKEND_STATS');
  return rows.map((row) => Object.fromEntries(counters.map((name) => [name, Number(row[name])])) as Counts);
}

/** What came to the nodes between the two. */
function added(before: readonly Counts[], after: readonly Counts[], combine: Combine = sum): Counts {
  return Object.fromEntries(counters.map((name) => [name, combine(after.map((counts, node) => counts[name] - (before[node]?.[name] ?? 0)))])) as Counts;
}

const none: Counts = { select_cnt: 0, insert_cnt: 0, update_cnt: 0, delete_cnt: 0, ddl_cnt: 0, other_cnt: 0, panic_cnt: 0, fatal_cnt: 0, error_cnt: 0 };

/** What each statement counts as; every one succeeds by itself, outside of a transaction. */
const statements: readonly (readonly [sql: string, counts: Partial<Counts>])[] = [
  ['select 1', { select_cnt: 1 }],
  ['values (1), (2)', { select_cnt: 1 }],
  ['table items', { select_cnt: 1 }],
  ['(select 1) union (select 2)', { select_cnt: 1 }],
  ['/* said before */ select 1', { select_cnt: 1 }],
  ['with a as (select 1) select * from a', { select_cnt: 1 }],
  ['with a as (select 1) delete from counted', { delete_cnt: 1 }],
  ['insert into counted values (1)', { insert_cnt: 1 }],
  ['update counted set id = 2', { update_cnt: 1 }],
  ['delete from counted', { delete_cnt: 1 }],
  ['truncate counted', { ddl_cnt: 1 }],
  ['create table counted_too (id int)', { ddl_cnt: 1 }],
  ['alter table counted_too add name text', { ddl_cnt: 1 }],
  ['comment on table counted_too is $$x$$', { ddl_cnt: 1 }],
  ['drop table counted_too', { ddl_cnt: 1 }],
  ['do $$ begin null; end $$', { ddl_cnt: 1 }],
  ['set application_name to counting', { other_cnt: 1 }],
  ['reset application_name', { other_cnt: 1 }],
  ['show work_mem', { other_cnt: 1 }],
  ['explain select 1', { other_cnt: 1 }],
  ['prepare p as select 1', { other_cnt: 1 }],
  ['execute p', { other_cnt: 1 }],
  ['deallocate p', { other_cnt: 1 }],
  ['listen here', { other_cnt: 1 }],
  ['notify here', { other_cnt: 1 }],
  ['unlisten here', { other_cnt: 1 }],
  ['vacuum counted', { other_cnt: 1 }],
  ['analyze counted', { other_cnt: 1 }],
  ['checkpoint', { other_cnt: 1 }],
];

async function makeTable(port: number): Promise<void> {
  const client = new Client({ host: '127.0.0.1', port, user: 'postgres', database: 'test' });
  await client.connect();
  await client.query('create table if not exists counted (id int)');
  await client.end();
}

/** Runs each statement and compares what it added. */
async function compareEach(port: number, extended: boolean, combine: Combine = sum): Promise<string[]> {
  const client = new Client({ host: '127.0.0.1', port, user: 'postgres', database: 'test' });
  await client.connect();
  const wrong: string[] = [];
  try {
    for (const [sql, expected] of statements) {
      const before = await perNode(client);
      await client.query(extended ? { text: sql, values: [], queryMode: 'extended' } as never : sql);
      const counted = added(before, await perNode(client), combine);
      if (JSON.stringify(counted) !== JSON.stringify({ ...none, ...expected })) wrong.push(`${sql}: ${JSON.stringify(counted)}`);
    }
    const before = await perNode(client);
    await client.query('select 1/0').catch(() => undefined);
    const { select_cnt: selects, error_cnt: failures } = added(before, await perNode(client), combine);
    if (selects !== 1 || failures !== 1) wrong.push(`an error: ${selects} selects, ${failures} errors`);
  } finally {
    await client.end();
  }
  return wrong;
}

const arrangements = {
  'three nodes': {},
  'reads everywhere': { statement_level_load_balance: true },
} as const;

for (const [name, settings] of Object.entries(arrangements)) {
  test(`each statement counts once, as what it is: ${name}`, async () => {
    const pgloom = await startPgloom({ settings });
    try {
      await makeTable(pgloom.port);
      assert.deepEqual(await compareEach(pgloom.port, false), []);
      assert.deepEqual(await compareEach(pgloom.port, true), []);
    } finally {
      await pgloom.stop();
    }
  });
}

test('each statement counts once, as what it is: one node', async () => {
  const pgloom = await startPgloom({ settings: { backend_clustering_mode: 'raw' } });
  try {
    await makeTable(pgloom.port);
    assert.deepEqual(await compareEach(pgloom.port, false), []);
    assert.deepEqual(await compareEach(pgloom.port, true), []);
  } finally {
    await pgloom.stop();
  }
});

test('Pgpool-II counts the same way', { skip: noPgpool2 }, async () => {
  const pgpool2 = await startLoggingPgpool2();
  try {
    await makeTable(pgpool2.port);
    assert.deepEqual(await compareEach(pgpool2.port, false, most), []);
  } finally {
    await pgpool2.stop();
  }
});

/** Each client runs so many of each kind, in both protocols. */
async function load(pgloom: Pgloom, rounds: number): Promise<void> {
  await withClient(pgloom, async (client) => {
    for (let round = 0; round < rounds; round++) {
      await client.query('select count(*) from counted');
      await client.query('select $1::int', [round]);
      await client.query('begin');
      await client.query('insert into counted values ($1)', [round]);
      await client.query({ name: 'change', text: 'update counted set id = id where id = $1', values: [-1] });
      await client.query('commit');
    }
  });
}

test('the counters of all threads and nodes add up to what was sent', async () => {
  const pgloom = await startPgloom({ settings: { worker_threads: 3, num_init_children: 30, statement_level_load_balance: true } });
  try {
    await makeTable(pgloom.port);
    await withClient(pgloom, async (watcher) => {
      const before = await perNode(watcher);
      const clients = 24;
      const rounds = 40;
      await Promise.all(Array.from({ length: clients }, () => load(pgloom, rounds)));
      const times = clients * rounds;
      assert.deepEqual(added(before, await perNode(watcher)), { ...none, select_cnt: 2 * times, insert_cnt: times, update_cnt: times, other_cnt: 2 * times });
    });
  } finally {
    await pgloom.stop();
  }
});
