/** What a session sets holds wherever its reads go. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Client } from 'pg';
import { type Pgloom, startPgloom, withClient } from '../support/pgloom.js';
import { firstError, rowsOf } from '../support/wire-fields.js';
import { WireClient } from '../support/wire.js';
import { nodeOfPort, readerIsNode1, where } from './where.js';

let pgloom: Pgloom;
before(async () => {
  pgloom = await startPgloom({ settings: { num_init_children: 16, ...readerIsNode1 } });
  await withClient(pgloom, async (client) => {
    await client.query('create role settings_a; create role settings_b; grant settings_a, settings_b to postgres');
  });
  // The roles have to be on the reader before a SET ROLE can be said there.
  await withClient(pgloom, async (client) => {
    for (;;) {
      const { rows } = await client.query<{ node: number; n: number }>("select current_setting('port')::int as node, to_regrole('settings_b') is not null as n");
      if (nodeOfPort(rows[0]?.node ?? 0) === 1 && rows[0]?.n) return;
    }
  });
});
after(async () => {
  await withClient(pgloom, (client) => client.query('drop role settings_a; drop role settings_b'));
  await pgloom.stop();
});

const session = <T>(use: (client: Client) => Promise<T>): Promise<T> => withClient(pgloom, use);

/** A setting as the reader has it. */
async function atReader(client: Client, name: string): Promise<string> {
  const { rows } = await client.query<{ port: number; value: string }>(`select current_setting('port')::int as port, current_setting('${name}') as value`);
  assert.equal(nodeOfPort(rows[0]?.port ?? 0), 1, `${name} was read on another node`);
  return rows[0]?.value ?? '';
}

async function userAtReader(client: Client): Promise<string> {
  const { rows } = await client.query<{ port: number; value: string }>("select current_setting('port')::int as port, current_user::text as value");
  assert.equal(nodeOfPort(rows[0]?.port ?? 0), 1);
  return rows[0]?.value ?? '';
}

test('SET and RESET follow to the reader, whether it had joined before or joins later', async () => {
  for (const joined of [true, false]) {
    await session(async (client) => {
      if (joined) await where(client);
      await client.query("set search_path = 'somewhere'");
      assert.equal(await atReader(client, 'search_path'), 'somewhere');
      await client.query("set time zone 'Asia/Tokyo'");
      assert.equal(await atReader(client, 'timezone'), 'Asia/Tokyo');
      await client.query("set application_name to 'set later'");
      assert.equal(await atReader(client, 'application_name'), 'set later');
      await client.query('reset search_path');
      assert.equal(await atReader(client, 'search_path'), '"$user", public');
      await client.query("set work_mem = '5MB'");
      await client.query('reset all');
      assert.equal(await atReader(client, 'work_mem'), '4MB');
      assert.notEqual(await atReader(client, 'timezone'), 'Asia/Tokyo');
    });
  }
});

test('SET by the extended protocol follows, too', async () => {
  await session(async (client) => {
    await client.query({ text: "set search_path = 'extended'", values: [] });
    await client.query({ name: 's', text: "set work_mem = '7MB'" });
    assert.equal(await atReader(client, 'search_path'), 'extended');
    assert.equal(await atReader(client, 'work_mem'), '7MB');
  });
});

test('SET ROLE follows to the reader and outlives RESET ALL', async () => {
  await session(async (client) => {
    await client.query('set role settings_a');
    assert.equal(await userAtReader(client), 'settings_a');
    await client.query('reset all');
    assert.equal(await userAtReader(client), 'settings_a');
    await client.query('reset role');
    assert.equal(await userAtReader(client), 'postgres');
    await client.query('set session authorization settings_b');
    assert.equal(await userAtReader(client), 'settings_b');
    await client.query('reset session authorization');
    assert.equal(await userAtReader(client), 'postgres');
  });
});

test('RESET ALL before the reader joins does not lose the role', async () => {
  await session(async (client) => {
    await client.query('set role settings_a');
    await client.query('reset all');
    assert.equal(await userAtReader(client), 'settings_a');
  });
});

test('what only a superuser may set is not said again under a lesser role', async () => {
  await session(async (client) => {
    await client.query("set log_statement = 'none'");
    await where(client);
    await client.query('set role settings_a');
    await where(client);
    await client.query("set work_mem = '6MB'");
    assert.equal(await atReader(client, 'work_mem'), '6MB');
    assert.equal(await userAtReader(client), 'settings_a');
  });
});

test('a SET holds when its transaction commits, and does not when it is rolled back', async () => {
  await session(async (client) => {
    await client.query('begin');
    await client.query("set search_path = 'rolled_back'");
    await client.query('rollback');
    assert.equal(await atReader(client, 'search_path'), '"$user", public');
    await client.query('begin');
    await client.query("set search_path = 'committed'");
    await client.query('commit');
    assert.equal(await atReader(client, 'search_path'), 'committed');
  });
});

test('a SET that fails changes nothing anywhere', async () => {
  await session(async (client) => {
    await assert.rejects(client.query('set work_mem = -17'));
    assert.equal(await atReader(client, 'work_mem'), '4MB');
    await assert.rejects(client.query('set role nobody_at_all'));
    assert.equal(await userAtReader(client), 'postgres');
  });
});

/** Sends the statements all at once and returns what search_path then is, wherever the read goes. */
async function pathAfter(statements: readonly string[]): Promise<string> {
  const client = await WireClient.login(pgloom.port);
  try {
    for (const sql of statements) client.query(sql);
    client.query('show search_path');
    const messages = [];
    for (let left = statements.length + 1; left > 0; left--) messages.push(...await client.readUntil('Z'));
    return String(rowsOf(messages).at(-1)?.[0]);
  } finally {
    client.end();
  }
}

test('SETs that are sent in one go with transactions around them hold or not as the server has them', async () => {
  const standard = '"$user", public';
  for (const [statements, expected] of [
    [['begin', 'set search_path = a', 'commit', 'set work_mem = "5MB"'], 'a'],
    [['set search_path = a', 'begin', 'select 1', 'rollback'], 'a'],
    [['begin', 'set search_path = a', 'rollback', 'set work_mem = "5MB"'], standard],
    [['begin', 'set search_path = a', 'commit and chain', 'rollback'], 'a'],
    [['begin', 'set search_path = a', 'rollback and chain', 'commit'], standard],
    [['begin', 'savepoint s', 'set search_path = a', 'rollback to s', 'commit'], standard],
    [['begin', 'savepoint s', 'set search_path = a', 'release s', 'commit'], 'a'],
    [['begin', 'set search_path = a', 'select 1 / 0', 'commit'], standard],
    [['set search_path = a', 'select 1 / 0', 'set search_path = b'], 'b'],
    [['set search_path = a', 'discard all'], standard],
    [['discard all', 'set search_path = a'], 'a'],
    [['set search_path = a; set search_path = b'], 'b'],
    [['begin; set search_path = a', 'rollback'], standard],
  ] as const) {
    assert.equal(await pathAfter(statements), expected, statements.join(' / '));
    // The same, one by one.
    const client = await WireClient.login(pgloom.port);
    for (const sql of [...statements, 'show search_path']) {
      client.query(sql);
      const messages = await client.readUntil('Z');
      if (sql === 'show search_path') assert.equal(rowsOf(messages)[0]?.[0], expected, `one by one: ${statements.join(' / ')}`);
    }
    client.end();
  }
});

test('what cannot be said again elsewhere keeps the reads on the primary until DISCARD ALL', async () => {
  for (const sql of ["select set_config('search_path', 'pinned', false)", "do $$ begin perform set_config('search_path', 'pinned', false); end $$", 'set search_path = pinned; select 1']) {
    await session(async (client) => {
      await client.query(sql);
      assert.deepEqual((await client.query('show search_path')).rows, [{ search_path: 'pinned' }], sql);
      assert.equal(await where(client), 0, sql);
      await client.query('discard all');
      assert.equal(await where(client), 1, sql);
      assert.equal(await atReader(client, 'search_path'), '"$user", public');
    });
  }
});

test('DISCARD ALL takes back what was set on the reader', async () => {
  await session(async (client) => {
    await client.query("set search_path = 'before'");
    assert.equal(await atReader(client, 'search_path'), 'before');
    await client.query('discard all');
    assert.equal(await atReader(client, 'search_path'), '"$user", public');
  });
});

test('the client is told of parameters that change, once', async () => {
  const client = await WireClient.login(pgloom.port);
  client.query("set time zone 'Asia/Tokyo'");
  const set = await client.readUntil('Z');
  assert.equal(set.filter((message) => message.type === 'S').length, 1);
  client.query('select 1');
  const read = await client.readUntil('Z');
  assert.equal(firstError(read), undefined);
  assert.equal(read.filter((message) => message.type === 'S').length, 0);
  client.end();
});

test("a driver pool's reset string, RESET ALL among others, resets the reader too and leaves its reads there", async () => {
  await session(async (client) => {
    await client.query("set work_mem = '5MB'");
    assert.equal(await atReader(client, 'work_mem'), '5MB');
    await client.query('select pg_advisory_unlock_all(); close all; unlisten *; reset all;');
    assert.equal(await atReader(client, 'work_mem'), '4MB');
  });
});

test('RESET ALL in a string with BEGIN keeps the reads on the primary', async () => {
  await session(async (client) => {
    await client.query("set work_mem = '5MB'");
    await client.query('begin; reset all; rollback');
    assert.equal(await where(client), 0);
  });
});
