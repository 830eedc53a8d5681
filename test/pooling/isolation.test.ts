/** Nothing of one session is seen by the next that gets its link. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Client } from 'pg';
import { type Pgloom, startPgloom, withClient } from '../support/pgloom.js';
import { firstError } from '../support/wire-fields.js';
import { WireClient } from '../support/wire.js';
import { backendPid, oneNode, untilPooled } from './backends.js';

let pgloom: Pgloom;
before(async () => {
  pgloom = await startPgloom({ settings: { num_init_children: 8, ...oneNode } });
});
after(() => pgloom.stop());

let application = 0;

/** Runs `first` in one session and `second` in the next on the same server process. */
async function oneAfterTheOther(first: (client: Client) => Promise<unknown>, second: (client: Client) => Promise<unknown>): Promise<void> {
  const config = { application_name: `isolation-${++application}` };
  const pid = await withClient(pgloom, async (client) => {
    const own = await backendPid(client);
    await first(client);
    return own;
  }, config);
  await untilPooled(pgloom, application);
  await withClient(pgloom, async (client) => {
    assert.equal(await backendPid(client), pid, 'the link was not used again');
    await second(client);
  }, config);
  await untilPooled(pgloom, application);
}

test('settings', () => oneAfterTheOther(
  (client) => client.query("set search_path = 'somewhere'; set time zone 'Asia/Tokyo'; select set_config('my.own', 'secret', false)"),
  async (client) => {
    assert.deepEqual((await client.query('show search_path')).rows, [{ search_path: '"$user", public' }]);
    assert.notEqual((await client.query('show timezone')).rows[0]?.TimeZone, 'Asia/Tokyo');
    assert.equal((await client.query("select coalesce(current_setting('my.own', true), '') as own")).rows[0]?.own, '');
  },
));

test('temporary tables', () => oneAfterTheOther(
  (client) => client.query('create temp table mine as select 42 as secret'),
  (client) => assert.rejects(client.query('select * from mine'), { code: '42P01' }),
));

test('statements prepared by SQL', () => oneAfterTheOther(
  (client) => client.query('prepare mine as select 42'),
  (client) => assert.rejects(client.query('execute mine'), { code: '26000' }),
));

test('statements prepared by the protocol', () => oneAfterTheOther(
  (client) => client.query({ name: 'mine', text: 'select 42 as answer' }),
  async (client) => {
    assert.equal((await client.query('select count(*)::int as n from pg_prepared_statements')).rows[0]?.n, 0);
    assert.deepEqual((await client.query({ name: 'mine', text: 'select 43 as answer' })).rows, [{ answer: 43 }]);
  },
));

test('LISTEN', () => oneAfterTheOther(
  (client) => client.query('listen mine'),
  async (client) => {
    let heard = 0;
    client.on('notification', () => { heard++; });
    await client.query("notify mine, 'secret'");
    await client.query('select 1');
    assert.equal(heard, 0);
    assert.equal((await client.query('select count(*)::int as n from pg_listening_channels()')).rows[0]?.n, 0);
  },
));

test('advisory locks', () => oneAfterTheOther(
  (client) => client.query('select pg_advisory_lock(4711)'),
  async (client) => {
    const { rows } = await client.query("select count(*)::int as n from pg_locks where locktype = 'advisory' and objid = 4711");
    assert.equal(rows[0]?.n, 0);
  },
));

test('an open transaction', () => oneAfterTheOther(
  async (client) => {
    await client.query('begin');
    await client.query("insert into items values (4711, 'of an open transaction')");
  },
  async (client) => {
    assert.equal((await client.query('select * from items where id = 4711')).rowCount, 0);
    await client.query('vacuum bumps'); // not possible in a transaction
  },
));

test('a failed transaction', () => oneAfterTheOther(
  async (client) => {
    await client.query('begin');
    await assert.rejects(client.query('select 1 / 0'));
  },
  (client) => client.query('select 1'),
));

test('SET ROLE', () => oneAfterTheOther(
  (client) => client.query('set role pg_monitor'),
  async (client) => assert.equal((await client.query('select current_user::text as u')).rows[0]?.u, 'postgres'),
));

test('SET SESSION AUTHORIZATION', () => oneAfterTheOther(
  (client) => client.query('set session authorization pg_monitor'),
  async (client) => assert.equal((await client.query('select session_user::text as u')).rows[0]?.u, 'postgres'),
));

test('cursors WITH HOLD', () => oneAfterTheOther(
  (client) => client.query('declare mine cursor with hold for select 42'),
  (client) => assert.rejects(client.query('fetch all from mine'), { code: '34000' }),
));

test('the last value of a sequence', () => oneAfterTheOther(
  (client) => client.query("select nextval('ticket')"),
  (client) => assert.rejects(client.query("select currval('ticket')"), { code: '55000' }),
));

test('a batch without its end is not left to the next session', async () => {
  const first = await WireClient.login(pgloom.port, { application_name: 'half' });
  first.parse('select $1::int');
  first.bind(['1']);
  first.execute();
  first.end();
  const next = await WireClient.login(pgloom.port, { application_name: 'half' });
  next.query('select 2');
  const messages = await next.readUntil('Z');
  assert.equal(firstError(messages), undefined);
  assert.deepEqual(messages.map((message) => message.type).join(''), 'TDCZ');
  next.end();
});
