/** Relation facts against a real server: the shared cluster's primary, in a database of this file's own. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from 'pg';
import { classify } from '../../src/workers/sql/classify.js';
import { loadParser } from '../../src/workers/sql/parse.js';
import type { Verdict } from '../../src/workers/sql/plan.js';
import { RelationFacts, type Ask, type FactsSettings } from '../../src/workers/sql/relation-facts.js';
import { sharedCluster } from '../support/cluster.js';

const defaults: FactsSettings = {
  check_temp_table: 'catalog',
  check_unlogged_table: true,
  read_only_function_list: [],
  write_function_list: [],
  relcache_size: 256,
  relcache_expire: 0,
};

const database = `facts_${process.pid}`;
let admin: Client;
let client: Client;
let asked = 0;

const ask: Ask = async (sql) => {
  asked++;
  const result = await client.query<(string | null)[]>({ text: sql, rowMode: 'array' });
  return result.rows.map((row) => row.map((value) => (value === null ? null : String(value))));
};

async function connect(name: string): Promise<Client> {
  const cluster = sharedCluster();
  const { host, port } = cluster.nodes[0]!;
  const connection = new Client({ host, port, user: cluster.user, database: name });
  await connection.connect();
  return connection;
}

before(async () => {
  await loadParser();
  admin = await connect('postgres');
  await admin.query(`create database ${database}`);
  client = await connect(database);
  await client.query(`
    create table plain (id int, name text);
    create unlogged table fleeting (id int);
    create table parted (id int) partition by range (id);
    create table parted_logged partition of parted for values from (0) to (10);
    create table mixed (id int) partition by range (id);
    create unlogged table mixed_unlogged partition of mixed for values from (0) to (10);
    create table "columns" (id int);
    create table "we'ird ""näme\\ WHERE $1" (id int);
    create sequence numbers;
    create materialized view stored as select * from plain;
    create function f_volatile() returns int language sql volatile as 'select 1';
    create function f_stable() returns int language sql stable as 'select 1';
    create function f_immutable() returns int language sql immutable as 'select 1';
    create schema other;
    create function other.f_mixed() returns int language sql volatile as 'select 1';
    create function f_mixed() returns int language sql stable as 'select 1';
    create view v_plain as select * from plain;
    create view v_deep as select * from v_plain where f_stable() = 1;
    create view v_nextval as select nextval('numbers') from plain;
    create view v_volatile as select f_volatile() from plain;
    create view v_volatile_deep as select * from v_volatile;
    create view v_catalog as select relname from pg_class;
    create view other.plain as select * from public.plain;
    create table guarded (id int);
    alter table guarded enable row level security;
    create policy p on guarded using (f_volatile() = 1);
    create table guarded_well (id int);
    alter table guarded_well enable row level security;
    create policy p on guarded_well using (id in (select id from plain));
    create schema evil;
    create table evil.pg_namespace (oid oid, nspname name);
    create temp table passing (id int);
  `);
});

after(async () => {
  await client?.end();
  await admin?.query(`drop database if exists ${database} with (force)`);
  await admin?.end();
});

async function verdictOf(sql: string, settings: Partial<FactsSettings> = {}): Promise<Verdict> {
  const merged = { ...defaults, ...settings };
  return new RelationFacts(() => merged).verdict(classify(sql), 1, ask);
}

const verdicts: readonly (readonly [string, Verdict])[] = [
  ['select * from plain', 'balance'],
  ['select 1', 'balance'],
  ['select count(*), max(id), lower(name), now(), coalesce(name, $1) from plain group by 3', 'balance'],
  ['select extract(year from now())', 'balance'],
  ['select * from public.plain', 'balance'],
  ['select * from other.plain', 'balance'],
  ['select * from parted', 'balance'],
  ['select * from stored', 'balance'],
  ['select * from "columns"', 'balance'],
  [`select * from "we'ird ""näme\\ WHERE $1"`, 'balance'],
  ['select f_stable(), f_immutable() from v_deep', 'balance'],
  ['select * from guarded_well', 'balance'],
  ['with plain as (select 1) select * from plain', 'balance'],
  ['select * from pg_class', 'primary'],
  ['select * from pg_catalog.pg_class', 'primary'],
  ['select * from information_schema.tables', 'primary'],
  ['select * from passing', 'primary'],
  ['select * from pg_temp.passing', 'primary'],
  ['select * from fleeting', 'primary'],
  ['select * from mixed', 'primary'],
  ['select * from plain, fleeting', 'primary'],
  ['select * from numbers', 'primary'],
  ['select * from no_such_table', 'primary'],
  ['select * from no_such_schema.plain', 'primary'],
  ["select * from \"x'); drop table plain; --\"", 'primary'],
  ["select nextval('numbers')", 'writes'],
  ['select random()', 'writes'],
  ['select pg_advisory_lock(1)', 'writes'],
  ['select txid_current()', 'primary'],
  ['select * from v_nextval', 'writes'],
  ['select * from v_catalog', 'primary'],
  ['select f_volatile()', 'opaque'],
  ['select f_mixed()', 'opaque'],
  ['select * from plain where id = (select f_volatile())', 'opaque'],
  ['select * from f_volatile()', 'opaque'],
  ['select * from v_volatile', 'opaque'],
  ['select * from v_volatile_deep', 'opaque'],
  ['select * from guarded', 'opaque'],
  ['select pg_temp.f()', 'opaque'],
  ['select no_such_function()', 'opaque'],
  ['insert into plain select f_volatile()', 'opaque'],
  ['insert into plain select f_stable()', 'balance'],
];

test('the catalog decides which reads may leave the primary', async () => {
  for (const [sql, expected] of verdicts) assert.equal(await verdictOf(sql), expected, sql);
});

test('the settings about temporary and unlogged tables are obeyed', async () => {
  assert.equal(await verdictOf('select * from fleeting', { check_unlogged_table: false }), 'balance');
  assert.equal(await verdictOf('select * from passing', { check_temp_table: 'none' }), 'balance');
  assert.equal(await verdictOf('select * from passing', { check_temp_table: 'trace' }), 'primary');
});

test('read_only_function_list makes all other functions write, write_function_list makes all others read', async () => {
  const readOnly = { read_only_function_list: ['f_vol.*', 'public.f_stable'] };
  assert.equal(await verdictOf('select f_volatile()', readOnly), 'balance');
  assert.equal(await verdictOf('select public.f_stable()', readOnly), 'balance');
  assert.equal(await verdictOf('select f_stable()', readOnly), 'writes');
  assert.equal(await verdictOf('select other.f_mixed()', readOnly), 'opaque');
  const writes = { write_function_list: ['f_stable', 'F_VOL.*'] };
  assert.equal(await verdictOf('select f_stable()', writes), 'writes');
  assert.equal(await verdictOf('select f_volatile()', writes), 'writes');
  assert.equal(await verdictOf('select random()', writes), 'balance');
});

test('one question settles all unknown names, and the answer is remembered', async () => {
  const facts = new RelationFacts(() => defaults);
  const plan = classify('select f_stable(), lower(name) from plain, parted, stored');
  assert.equal(facts.quickVerdict(plan, 1), undefined);
  asked = 0;
  assert.equal(await facts.verdict(plan, 1, ask), 'balance');
  assert.equal(asked, 1);
  assert.equal(facts.quickVerdict(plan, 1), 'balance');
  assert.equal(facts.quickVerdict(classify('select lower(name) from plain'), 1), 'balance');
});

test('sessions that ask for the same plan at once share one question', async () => {
  const facts = new RelationFacts(() => defaults);
  const plan = classify('select * from plain');
  asked = 0;
  const answers = await Promise.all([1, 2, 3].map(() => facts.verdict(plan, 1, ask)));
  assert.deepEqual(answers, ['balance', 'balance', 'balance']);
  assert.equal(asked, 1);
});

test('a change of the data definition, of the settings or the end of relcache_expire makes facts unknown again', async (t) => {
  let settings: FactsSettings = { ...defaults, relcache_expire: 10 };
  t.mock.timers.enable({ apis: ['Date'] });
  const facts = new RelationFacts(() => settings);
  const plan = classify('select * from plain');
  const known = async (generation: number): Promise<void> => {
    await facts.verdict(plan, generation, ask);
    assert.equal(facts.quickVerdict(plan, generation), 'balance');
  };
  await known(1);
  assert.equal(facts.quickVerdict(plan, 2), undefined);
  await known(2);
  settings = { ...settings };
  assert.equal(facts.quickVerdict(plan, 2), undefined);
  await known(2);
  t.mock.timers.tick(10_000);
  assert.equal(facts.quickVerdict(plan, 2), undefined);
});

test('an answer that comes after the data definition changed is not remembered', async () => {
  const facts = new RelationFacts(() => defaults);
  const plan = classify('select * from plain');
  const verdict = await facts.verdict(plan, 1, async (sql) => {
    const rows = await ask(sql);
    assert.equal(facts.quickVerdict(plan, 2), undefined);
    return rows;
  });
  assert.equal(verdict, 'balance');
  assert.equal(facts.quickVerdict(plan, 2), undefined);
});

test('unknown and temporary relations are asked about every time', async () => {
  const facts = new RelationFacts(() => defaults);
  for (const sql of ['select * from no_such_table', 'select * from passing', 'select no_such_function()']) {
    const plan = classify(sql);
    assert.notEqual(await facts.verdict(plan, 1, ask), 'balance');
    assert.equal(facts.quickVerdict(plan, 1), undefined, sql);
  }
});

test('a client with relations, functions and a search path of its own cannot change what is found', async () => {
  await client.query('set search_path = evil, pg_temp, pg_catalog, public');
  try {
    assert.equal(await verdictOf('select * from fleeting'), 'primary');
    assert.equal(await verdictOf('select * from plain'), 'balance');
  } finally {
    await client.query('reset search_path');
  }
});

test('a failing question rejects and the next one is asked anew', async () => {
  const facts = new RelationFacts(() => defaults);
  const plan = classify('select * from plain');
  await assert.rejects(async () => facts.verdict(plan, 1, () => Promise.reject(new Error('no link'))), /no link/);
  assert.equal(await facts.verdict(plan, 1, ask), 'balance');
});

test('a few cached names do not keep a longer view chain from being judged', async () => {
  assert.equal(await verdictOf('select * from v_deep', { relcache_size: 0 }), 'balance');
});
