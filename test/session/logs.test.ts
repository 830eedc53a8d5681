/** What is logged about sessions and statements. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { untilMatch } from '../support/eventually.js';
import { type Pgloom, startPgloom, withClient } from '../support/pgloom.js';
import { nodesOf } from '../routing/where.js';

async function withPgloom(settings: Record<string, string | number | boolean>, use: (pgloom: Pgloom) => Promise<void>): Promise<void> {
  const pgloom = await startPgloom({ settings: { num_init_children: 4, ...settings } });
  try {
    await use(pgloom);
  } finally {
    await pgloom.stop();
  }
}

test('connections, disconnections and statements are logged when that is asked for', async () => {
  await withPgloom({ log_connections: true, log_disconnections: true, log_statement: true, log_per_node_statement: true, log_line_prefix: '%m: %a pid %p: ' }, async (pgloom) => {
    await withClient(pgloom, async (client) => {
      await client.query("insert into bumps default values returning 'logged once'");
      await client.query("select 'with parameters', $1::int", [1]);
    }, { application_name: 'logging-test' });
    const text = await untilMatch(pgloom.stderr, /frontend disconnection: session time: 0:00:\d\d\.\d{3} user=postgres database=test host=127\.0\.0\.1 port=\d+$/m);
    assert.match(text, /LOG: {2}new connection received/);
    assert.match(text, /connecting host=127\.0\.0\.1 port=\d+/);
    assert.match(text, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}: logging-test pid \d+: LOG: {2}statement: insert into bumps/m);
    assert.match(text, /LOG: {2}DB node id: 0 backend pid: \d+ statement: insert into bumps/);
    assert.equal(text.match(/LOG: {2}statement: insert into bumps/g)?.length, 1);
    assert.equal(text.match(/LOG: {2}DB node id: \d backend pid: \d+ statement: Execute: select 'with parameters'/g)?.length, 1);
  });
});

test('nothing of it is logged when it is not asked for', async () => {
  await withPgloom({}, async (pgloom) => {
    await withClient(pgloom, (client) => client.query("select 'silent'"));
    await sleep(300);
    assert.doesNotMatch(pgloom.stderr(), /silent|new connection|disconnection/);
  });
});

test('log_line_prefix knows user, database, application and process', async () => {
  await withPgloom({ log_statement: true, log_line_prefix: '[%u|%d|%a|%P] ' }, async (pgloom) => {
    await withClient(pgloom, (client) => client.query('select 4711'), { application_name: 'named' });
    await untilMatch(pgloom.stderr, /\[postgres\|test\|named\|child\] LOG: {2}statement: select 4711/);
  });
});

test('log_format = json writes an object on each line', async () => {
  await withPgloom({ log_statement: true, log_format: 'json' }, async (pgloom) => {
    await withClient(pgloom, (client) => client.query('select 4712'));
    const text = await untilMatch(pgloom.stderr, /4712/);
    const lines = text.trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.ok(lines.some((line) => JSON.stringify(line).includes('statement: select 4712')));
  });
});

test('a statement cannot forge a line of the log', async () => {
  await withPgloom({ log_statement: true }, async (pgloom) => {
    await withClient(pgloom, (client) => client.query("select '4713\n2026-01-01 00:00:00.000: main pid 1: LOG:  forged'"));
    const text = await untilMatch(pgloom.stderr, /4713/);
    assert.doesNotMatch(text, /^2026-01-01 00:00:00\.000: main pid 1/m);
  });
});

test('notice_per_node_statement tells the client, unless client_min_messages is above notice', async () => {
  await withPgloom({ notice_per_node_statement: true, client_min_messages: 'notice', load_balance_mode: false }, async (pgloom) => {
    await withClient(pgloom, async (client) => {
      assert.deepEqual(await nodesOf(client, 'select 1'), [0]);
      assert.deepEqual(await nodesOf(client, 'select $1::int', [1]), [0]);
    });
  });
  await withPgloom({ notice_per_node_statement: true, client_min_messages: 'warning' }, async (pgloom) => {
    await withClient(pgloom, async (client) => assert.deepEqual(await nodesOf(client, 'select 1'), []));
  });
});
