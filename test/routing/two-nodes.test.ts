/** What one of two nodes could miss: ends of transactions, and what batches do to the session. Found by a review, by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from 'pg';
import { sharedCluster } from '../support/cluster.js';
import { errorFields, rowsOf } from '../support/wire-fields.js';
import { WireClient, type WireMessage } from '../support/wire.js';
import { bind, execute, extended, flush, parse, query, sync } from '../protocol/messages.js';
import { nodeOfPort, readerIsNode1, withPgloom } from './where.js';

const base = { ...readerIsNode1, notice_per_node_statement: false };
const portSql = "select current_setting('port')";

/** Sends the messages at once; resolves with what comes up to the last of `answers` ReadyForQuery. */
async function play(client: WireClient, messages: readonly Buffer[], answers = 1): Promise<WireMessage[]> {
  client.write(Buffer.concat(messages));
  const all: WireMessage[] = [];
  for (let i = 0; i < answers; i++) all.push(...await client.readUntil('Z'));
  return all;
}

const ask = (client: WireClient, sql: string): Promise<WireMessage[]> => play(client, [query(sql)]);
const cell = (messages: readonly WireMessage[]): string | null | undefined => rowsOf(messages)[0]?.[0];
const nodeOf = async (client: WireClient): Promise<number> => nodeOfPort(Number(cell(await ask(client, portSql))));

/** The messages' letters, with SQLSTATE and transaction status. */
function summary(messages: readonly WireMessage[]): string {
  return messages.map((message) => (message.type === 'E' ? `E${errorFields(message)['C']}` : message.type === 'Z' ? `Z${message.payload.toString()}` : message.type)).join(' ');
}

function withWire(settings: Record<string, string | number | boolean>, use: (client: WireClient) => Promise<void>, user = 'postgres'): Promise<void> {
  return withPgloom({ ...base, ...settings }, async (pgloom) => {
    const client = await WireClient.login(pgloom.port, { user });
    try {
      await use(client);
    } finally {
      client.destroy();
    }
  });
}

async function atPrimary(sql: string): Promise<Record<string, unknown>[]> {
  const { host, port } = sharedCluster().nodes[0]!;
  const client = new Client({ host, port, user: 'postgres', database: 'test' });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

const ends: Readonly<Record<string, (client: WireClient) => Promise<unknown>>> = {
  'ROLLBACK AND CHAIN': (client) => ask(client, 'rollback and chain'),
  'COMMIT AND CHAIN': (client) => ask(client, 'commit and chain'),
  'a batch of ROLLBACK, BEGIN and a read': (client) => play(client, [...extended('rollback'), ...extended('begin'), ...extended('select 1'), sync]),
  'ROLLBACK and a batch of BEGIN and a read, pipelined': (client) => play(client, [query('rollback'), ...extended('begin'), ...extended('select 1'), sync], 2),
  'the string ROLLBACK; BEGIN': (client) => ask(client, 'rollback; begin'),
};

for (const [name, end] of Object.entries(ends)) {
  for (const mode of ['off', 'dml_adaptive']) {
    test(`what was written before an error on the reader is rolled back by ${name}, with ${mode}`, () => withWire({ disable_load_balance_on_write: mode }, async (client) => {
      await ask(client, 'begin');
      const id = cell(await ask(client, 'insert into bumps default values returning id'));
      await ask(client, 'select 1/0 from items');
      await end(client);
      await ask(client, 'commit');
      assert.deepEqual(await atPrimary(`select id from bumps where id = ${id}`), []);
    }));
  }
}

for (const mode of ['transaction', 'off', 'dml_adaptive']) {
  test(`a transaction that begins in one string with the end of another is the primary's, with ${mode}`, () => withWire({ disable_load_balance_on_write: mode }, async (client) => {
    await ask(client, 'begin');
    assert.equal(await nodeOf(client), 1);
    await ask(client, 'commit; begin isolation level repeatable read');
    assert.equal(await nodeOf(client), 0);
  }));
}

test('COMMIT and BEGIN in a pipeline begin a new transaction on the reader, too', () => withWire({}, async (client) => {
  await ask(client, 'begin');
  const first = cell(await ask(client, 'select now()'));
  await play(client, [query('commit'), query('begin')], 2);
  assert.notEqual(cell(await ask(client, 'select now()')), first);
}));

test('a setting of the transaction that is made in one batch with BEGIN holds for its reads', () => withWire({}, async (client) => {
  await play(client, [...extended('begin'), ...extended("select set_config('my.x', 'mine', true)"), sync]);
  assert.equal(cell(await ask(client, "select current_setting('my.x', true)")), 'mine');
}));

test('what a function writes in one batch with BEGIN, or behind a Flush, is seen by the transaction', () => withWire({ write_function_list: 'bump' }, async (client) => {
  const before = Number(cell(await ask(client, 'select count(*) from bumps')));
  await play(client, [...extended('begin'), ...extended('select bump()'), sync]);
  assert.equal(Number(cell(await ask(client, 'select count(*) from bumps'))), before + 1);
  await ask(client, 'rollback');
  await ask(client, 'begin');
  await play(client, [...extended('select count(*) from pg_class'), flush, ...extended('select bump()'), sync]);
  assert.equal(Number(cell(await ask(client, 'select count(*) from bumps'))), before + 1);
  await ask(client, 'rollback');
}));

test('a function that sets something behind a Flush is noticed', () => withWire({}, async (client) => {
  await ask(client, "create or replace function sets_something() returns void language plpgsql volatile as $$ begin perform set_config('my.y', 'mine', false); end $$");
  await play(client, [...extended('insert into bumps default values'), flush, ...extended('select sets_something()'), sync]);
  assert.equal(cell(await ask(client, "select current_setting('my.y', true)")), 'mine');
  await ask(client, 'drop function sets_something()');
}));

test('trans_transaction holds for a transaction that begins in one batch with a read', () => withWire({ disable_load_balance_on_write: 'trans_transaction' }, async (client) => {
  for (const sql of ['begin', 'insert into bumps default values', 'commit']) await ask(client, sql);
  assert.equal(nodeOfPort(Number(cell(await play(client, [...extended('begin'), ...extended(portSql), sync])))), 0);
}));

test('BEGIN in one batch with a read goes where the read goes, and a write behind it finds the transaction', () => withWire({}, async (client) => {
  assert.equal(nodeOfPort(Number(cell(await play(client, [...extended('begin'), ...extended(portSql), sync])))), 1);
  const id = cell(await ask(client, 'insert into bumps default values returning id'));
  assert.equal(summary(await ask(client, 'rollback')), 'C ZI');
  assert.deepEqual(await atPrimary(`select id from bumps where id = ${id}`), []);
}));

test('a BEGIN that was skipped does not say how the next one is repeated', () => withWire({}, async (client) => {
  await play(client, [...extended('select 1/0'), ...extended('begin read only'), sync, ...extended('begin'), ...extended('select 1'), sync], 2);
  assert.equal(summary(await ask(client, 'insert into bumps default values')), 'C ZT');
}));

test('SET behind DISCARD ALL in one batch, and UPDATE of pg_settings, hold for reads', async () => {
  await withWire({}, async (client) => {
    await play(client, [...extended('discard all'), ...extended("set search_path = 'elsewhere'"), sync]);
    assert.equal(cell(await ask(client, "select current_setting('search_path')")), 'elsewhere');
    await ask(client, 'discard all');
    await ask(client, "update pg_settings set setting = 'anywhere' where name = 'search_path'");
    assert.equal(cell(await ask(client, "select current_setting('search_path')")), 'anywhere');
  });
});

for (const sql of ['execute foo', 'deallocate foo']) {
  test(`${sql} as a query behind a Flush does not wait for ever`, () => withWire({}, async (client) => {
    await play(client, [parse('select 1', 'foo'), sync]);
    const messages = await play(client, [...extended('insert into bumps default values'), flush, query(sql)]);
    assert.match(summary(messages), /^1 2 n C (T D )?C Z[IT]$/);
  }));
}

test('in a transaction that has failed on the reader EXECUTE and DEALLOCATE fail as well', () => withWire({}, async (client) => {
  for (const sql of ['prepare a as select 5', 'begin', 'select 1/0']) await ask(client, sql);
  assert.equal(summary(await ask(client, 'execute a')), 'E25P02 ZE');
  assert.equal(summary(await ask(client, 'deallocate a')), 'E25P02 ZE');
  await ask(client, 'rollback');
  for (let i = 0; i < 3; i++) assert.equal(cell(await ask(client, 'execute a')), '5');
}));

test('a portal goes on on the reader, and a write in the same batch on the primary', () => withWire({}, async (client) => {
  await ask(client, 'begin');
  await play(client, [parse('select id from items order by id'), bind(), execute('', 2), sync]);
  const messages = await play(client, [execute('', 2), parse('insert into bumps default values', 'w'), bind([], 'w', ''), execute(), sync]);
  assert.equal(summary(messages), 'D D s 1 2 C ZT');
}));

for (const level of ['serializable', 'repeatable read']) {
  test(`a role whose transactions are ${level} by ALTER ROLE reads on the primary`, async () => {
    const role = `isolated_${level.replace(' ', '_')}`;
    await atPrimary(`drop role if exists ${role}; create role ${role} login superuser; alter role ${role} set default_transaction_isolation = '${level}'`);
    await withWire({}, async (client) => assert.equal(await nodeOf(client), 0), role);
    await atPrimary(`drop role ${role}`);
  });
}

test('a long text is not held against patterns, and stays on the primary', () => withWire({ primary_routing_query_pattern_list: '.*select.*from.*secret.*' }, async (client) => {
  assert.equal(await nodeOf(client), 1);
  assert.equal(nodeOfPort(Number(cell(await ask(client, `${portSql} where '${'select from '.repeat(800)}' <> ''`)))), 0);
}));

test('a SET that ABORT takes back in the same batch does not hold for reads', () => withWire({}, async (client) => {
  await play(client, [...extended("set intervalstyle = 'iso_8601'"), ...extended('abort'), sync]);
  assert.equal(cell(await play(client, [...extended("select interval '1 day 2 hours'"), sync])), '1 day 02:00:00');
}));
