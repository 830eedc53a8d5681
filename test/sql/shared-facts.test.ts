/** The relation cache under several real threads, and the facts in it, learnt from a real server. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { Client } from 'pg';
import { createRelationCache, longestText, RelationCache, type RelationCacheData } from '../../src/shared/memory/relation-cache.js';
import { WorkerTable } from '../../src/shared/memory/worker-table.js';
import { classify } from '../../src/workers/sql/classify.js';
import type { NameFacts } from '../../src/workers/sql/facts-query.js';
import { loadParser } from '../../src/workers/sql/parse.js';
import { RelationFacts, type Ask, type FactsSettings } from '../../src/workers/sql/relation-facts.js';
import { SharedFacts } from '../../src/workers/sql/shared-facts.js';
import { sharedCluster } from '../support/cluster.js';
import { nameOf, textOf, type Orders, type Seen } from './relation-cache-thread.js';

const threadFile = new URL('./relation-cache-thread.js', import.meta.url);
/** Threads of a test; main's own uses take numbers that no thread has. */
const table = new WorkerTable(64);
const isAlive = (thread: number): boolean => table.rowOf(thread) >= 0;
const threads = new Set<Worker>();

after(async () => {
  for (const thread of threads) await thread.terminate();
});

function use(data: RelationCacheData, thread = 1_000_000): RelationCache {
  return new RelationCache(structuredClone(data), thread, isAlive);
}

function start(cache: RelationCacheData, task: Orders['task'], count = 0): Worker {
  const orders: Orders = { cache, workers: { size: table.size, buffer: table.buffer }, task, count };
  const thread = new Worker(threadFile, { workerData: orders });
  threads.add(thread);
  thread.once('exit', () => {
    threads.delete(thread);
    // As the worker pool does when a thread has gone.
    table.releaseGone(new Set([...threads].map(({ threadId }) => threadId)));
  });
  return thread;
}

async function finish(thread: Worker): Promise<Seen> {
  // From the beginning: the last message and the exit can come in one breath.
  const exited = once(thread, 'exit');
  const seen = await report(thread);
  await exited;
  return seen;
}

async function report(thread: Worker): Promise<Seen> {
  const [seen] = await once(thread, 'message') as [Seen];
  return seen;
}

test('what one thread puts another one finds, in the same generation and under the same name only', async () => {
  const data = createRelationCache(100);
  assert.deepEqual(await finish(start(data, 'write', 80)), { found: 0, wrong: 0, shared: 80 });
  assert.deepEqual(await finish(start(data, 'read', 100)), { found: 80, wrong: 0, shared: 0 });
  const cache = use(data);
  assert.equal(cache.get(0, nameOf(3)), textOf(0, 3));
  assert.equal(cache.get(1, nameOf(3)), undefined);
  assert.equal(cache.get(0, ['other', ...nameOf(3).slice(1)]), undefined);
  // The parts of a name cannot run into each other.
  assert.ok(cache.put(0, ['a', 'b'], 'x'));
  assert.equal(cache.get(0, ['ab', '']), undefined);
  assert.equal(cache.get(0, ['a","b']), undefined);
});

test('texts of the greatest length leave their neighbours alone in a cache that is full to the brim', () => {
  const data = createRelationCache(0);
  const cache = use(data);
  const text = (i: number): string => String.fromCharCode(32 + (i % 95)).repeat(longestText);
  for (let i = 0; i < data.entries; i++) assert.ok(cache.put(0, nameOf(i), text(i)));
  assert.equal(cache.length, data.entries);
  for (let i = 0; i < data.entries; i++) assert.equal(cache.get(0, nameOf(i)), text(i));
});

test('a text that is too long, or not of printable ASCII, is not shared, and what was there stays', () => {
  const cache = use(createRelationCache(0));
  assert.ok(cache.put(0, nameOf(1), 'old'));
  for (const text of ['x'.repeat(longestText + 1), 'näme', 'a\0b', 'a\nb', '\u{1f600}']) assert.equal(cache.put(0, nameOf(1), text), false);
  assert.equal(cache.get(0, nameOf(1)), 'old');
});

test('a cache that overflows begins anew, again and again', () => {
  const data = createRelationCache(100);
  const cache = use(data);
  for (let i = 0; i < 10 * data.entries; i++) {
    assert.ok(cache.put(0, nameOf(i), textOf(0, i)));
    assert.ok(cache.length <= data.entries);
    assert.equal(cache.get(0, nameOf(i)), textOf(0, i));
  }
});

test('no relcache_size makes the cache larger than 64 MB', () => {
  const data = createRelationCache(2 ** 32);
  const bytes = (data.map as { storage: SharedArrayBuffer }).storage.byteLength;
  assert.ok(bytes > 60 * 2 ** 20 && bytes <= 64 * 2 ** 20, `${bytes} bytes`);
});

test('a text replaces the one of the same name, a newer generation all older ones, and an older one none', () => {
  const cache = use(createRelationCache(0));
  assert.ok(cache.put(4, nameOf(1), 'one, for a long time'));
  assert.ok(cache.put(4, nameOf(1), 'two'));
  assert.equal(cache.get(4, nameOf(1)), 'two');
  assert.equal(cache.length, 1);
  assert.ok(cache.put(5, nameOf(2), 'three'));
  assert.equal(cache.length, 1);
  assert.equal(cache.put(4, nameOf(3), 'late'), false);
  assert.equal(cache.get(5, nameOf(2)), 'three');
  // The generation is an int32 that wraps.
  assert.ok(cache.put(2 ** 31 - 1, nameOf(1), 'last'));
  assert.ok(cache.put(-(2 ** 31), nameOf(1), 'first again'));
});

test('threads that write and read at once never find a text that is not whole', async () => {
  const data = createRelationCache(64);
  const churning = [1, 2, 3].map(() => start(data, 'churn', 90));
  const sums = await Promise.all(churning.map(async (thread) => {
    let seen = await report(thread);
    for (let i = 0; i < 60; i++) seen = await report(thread);
    await thread.terminate();
    return seen;
  }));
  for (const { found, wrong, shared } of sums) {
    assert.equal(wrong, 0);
    assert.ok(found > 0 && shared > 0, JSON.stringify({ found, shared }));
  }
});

test('threads that are terminated while they use the cache take nobody with them', async () => {
  const data = createRelationCache(64);
  const staying = start(data, 'churn', 90);
  for (let i = 0; i < 15; i++) {
    const dying = start(data, 'churn', 90);
    await report(dying);
    await dying.terminate();
    assert.equal((await report(staying)).wrong, 0);
  }
  await staying.terminate();
  const generation = new Int32Array(data.words)[1]!;
  const cache = use(data);
  assert.ok(cache.put(generation, nameOf(1), 'works'));
  assert.equal(cache.get(generation, nameOf(1)), 'works');
});

for (const locked of [false, true]) {
  test(`a thread that dies as the writer${locked ? ', with the lock of the map held,' : ''} is waited for by nobody and succeeded by the next writer`, async () => {
    const data = createRelationCache(0);
    const cache = use(data);
    assert.ok(cache.put(0, nameOf(1), 'old'));
    if (!locked) {
      // While it lives (for all that is known) it is in the way of writers, not of readers.
      const row = table.claim(77_777);
      Atomics.store(new Int32Array(data.words), 0, 77_777);
      assert.equal(cache.put(0, nameOf(2), 'new'), false);
      assert.equal(cache.get(0, nameOf(1)), 'old');
      assert.equal(table.threadOf(row), 77_777);
      table.releaseGone(new Set());
    } else {
      await finish(start(data, 'clear'));
      assert.notEqual(new Int32Array(data.words)[0], 0);
    }
    assert.ok(cache.put(0, nameOf(2), 'new'));
    assert.equal(cache.get(0, nameOf(2)), 'new');
    assert.equal(cache.get(0, nameOf(1)), undefined, 'what may be half written is forgotten');
    assert.equal(cache.length, 1);
    assert.ok(cache.put(1, nameOf(1), 'the next generation'));
  });
}

/* ---- facts ---- */

const factsOfTable: NameFacts = { catalog: false, temporary: 'none', unlogged: true, volatile: false, opaque: false, definitions: [] };

test('facts about names of any characters and any length come back as they were', () => {
  const shared = new SharedFacts(use(createRelationCache(0)), 'data "bäse"');
  const names = ['plain', 'näme', '\u{1f600} \ud800', "x'); drop table y; --", 'a\0b', 'x'.repeat(1_000_000), ''];
  names.forEach((name, i) => {
    const facts = { ...factsOfTable, unlogged: i % 2 === 0, definitions: i % 3 === 0 ? null : [`SELECT "${name.slice(0, 9)}" AS ü`, ''] };
    shared.put(0, 'relation', { schema: 's', name }, facts);
    assert.deepEqual(shared.get(0, 'relation', { schema: 's', name })?.facts, facts);
    assert.equal(shared.get(0, 'function', { schema: 's', name }), undefined);
    assert.equal(shared.get(0, 'relation', { schema: '', name }), undefined);
  });
  shared.put(0, 'function', { schema: '', name: 'f' }, { ...factsOfTable, unlogged: false, volatile: true, opaque: true });
  assert.deepEqual(shared.get(0, 'function', { schema: '', name: 'f' })?.facts, { ...factsOfTable, unlogged: false, volatile: true, opaque: true });
});

test('facts with temporary relations, and definitions that are too long, are not shared', () => {
  const shared = new SharedFacts(use(createRelationCache(0)), 'db');
  const name = { schema: '', name: 'n' };
  for (const facts of [
    { ...factsOfTable, temporary: 'some' as const }, { ...factsOfTable, temporary: 'all' as const },
    { ...factsOfTable, definitions: ['x'.repeat(longestText)] }, { ...factsOfTable, definitions: ['ü'.repeat(longestText / 5)] },
  ]) {
    shared.put(0, 'relation', name, facts);
    assert.equal(shared.get(0, 'relation', name), undefined);
  }
});

const settings: FactsSettings = {
  check_temp_table: 'catalog', check_unlogged_table: true, read_only_function_list: [], write_function_list: [], relcache_size: 256, relcache_expire: 0,
};
const database = `shared_facts_${process.pid}`;
let admin: Client;
let client: Client;
let asked = 0;

const ask: Ask = async (sql) => {
  asked++;
  const { rows } = await client.query<(string | null)[]>({ text: sql, rowMode: 'array' });
  return rows;
};

before(async () => {
  await loadParser();
  const { host, port } = sharedCluster().nodes[0]!;
  const connect = async (name: string): Promise<Client> => {
    const connection = new Client({ host, port, user: 'postgres', database: name });
    await connection.connect();
    return connection;
  };
  admin = await connect('postgres');
  await admin.query(`create database ${database}`);
  client = await connect(database);
  await client.query(`
    create table plain (id int);
    create unlogged table "flüchtig" (id int);
    create view v_plain as select * from plain;
    create view v_deep as select *, 'ä' as x from v_plain;
    create view v_long as select ${Array.from({ length: 200 }, (_, i) => `id as column_${i}`).join(', ')} from plain;
    create function f_stable() returns int language sql stable as 'select 1';
    create temp table passing (id int);
    create temp table twin (id int);
    create table public.twin (id int);
  `);
});

after(async () => {
  await client?.end();
  await admin?.query(`drop database if exists ${database} with (force)`);
  await admin?.end();
});

/** How many questions a second worker asks after a first one has been asked for the verdict. */
async function questions(sql: string, inForce: FactsSettings = settings): Promise<[first: number, second: number]> {
  const data = createRelationCache(0);
  const counts: number[] = [];
  const verdicts: unknown[] = [];
  for (const worker of [1, 2]) {
    asked = 0;
    const facts = new RelationFacts(() => inForce, new SharedFacts(use(data, worker), database));
    verdicts.push(await facts.verdict(classify(sql), 7, ask));
    counts.push(asked);
  }
  assert.equal(verdicts[0], verdicts[1], sql);
  return [counts[0]!, counts[1]!];
}

test('what one worker has asked a server no other worker asks', async () => {
  assert.deepEqual(await questions('select f_stable(), lower($1) from plain, "flüchtig"'), [1, 0]);
  assert.deepEqual(await questions('select * from v_deep'), [3, 0]);
});

test('every worker asks for itself about what is missing, temporary, or too long to be shared', async () => {
  for (const sql of ['select * from no_such_table', 'select no_such_function()', 'select * from passing', 'select * from twin']) {
    assert.deepEqual(await questions(sql), [1, 1], sql);
  }
  assert.deepEqual(await questions('select * from v_long'), [2, 1]);
});

test('a shared fact lives no longer than relcache_expire, however often it is passed on', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: 1_000_000 });
  const inForce = { ...settings, relcache_expire: 10 };
  const data = createRelationCache(0);
  const worker = (id: number): RelationFacts => new RelationFacts(() => inForce, new SharedFacts(use(data, id), database));
  const plan = classify('select * from plain');
  const [first, second, third] = [worker(1), worker(2), worker(3)];
  assert.equal(await first.verdict(plan, 1, ask), 'balance');
  t.mock.timers.tick(9_000);
  asked = 0;
  assert.equal(await second.verdict(plan, 1, ask), 'balance');
  assert.equal(asked, 0);
  assert.equal(second.quickVerdict(plan, 1), 'balance');
  t.mock.timers.tick(1_500);
  assert.equal(second.quickVerdict(plan, 1), undefined, 'ten seconds after the server said so');
  assert.equal(await third.verdict(plan, 1, ask), 'balance');
  assert.equal(asked, 1);
  assert.equal(await second.verdict(plan, 1, ask), 'balance');
  assert.equal(asked, 1, 'the fact has been renewed');
});

test('a change of the data definition makes shared facts unknown', async () => {
  const data = createRelationCache(0);
  const worker = (id: number): RelationFacts => new RelationFacts(() => settings, new SharedFacts(use(data, id), database));
  const plan = classify('select * from plain');
  await worker(1).verdict(plan, 1, ask);
  asked = 0;
  await worker(2).verdict(plan, 2, ask);
  assert.equal(asked, 1);
});

test('trace and none do not care about temporary relations of a name that a permanent one has', async () => {
  const verdict = async (sql: string, check_temp_table: FactsSettings['check_temp_table']): Promise<unknown> => {
    const inForce = { ...settings, check_temp_table };
    return new RelationFacts(() => inForce).verdict(classify(sql), 1, ask);
  };
  for (const [mode, twin, passing] of [['catalog', 'primary', 'primary'], ['trace', 'balance', 'primary'], ['none', 'balance', 'balance']] as const) {
    assert.equal(await verdict('select * from twin', mode), twin, mode);
    assert.equal(await verdict('select * from passing', mode), passing, mode);
  }
});
