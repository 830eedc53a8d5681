/** Which links are used again, and which are not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { type Pgloom, startPgloom, withClient } from '../support/pgloom.js';
import { firstError, rowsOf } from '../support/wire-fields.js';
import { WireClient } from '../support/wire.js';
import { backendPid, isAlive, oneNode, pidOfSession, untilPooled, waitForEnd } from './backends.js';

/** The clock of the pool moves once a second, or a little later on a busy machine. */
const clockMs = 1600;

async function withPool(settings: Record<string, string | number | boolean>, use: (pgloom: Pgloom) => Promise<void>): Promise<void> {
  const pgloom = await startPgloom({ settings: { num_init_children: 8, max_pool: 4, ...oneNode, ...settings } });
  try {
    await use(pgloom);
  } finally {
    await pgloom.stop();
  }
}

test('a second session of the same user, database and options gets the link of the first', async () => {
  await withPool({}, async (pgloom) => {
    const pid = await pidOfSession(pgloom);
    await untilPooled(pgloom, 1);
    assert.equal(await pidOfSession(pgloom), pid);
  });
});

test('another user, database, application name or option gets another link', async () => {
  await withPool({}, async (pgloom) => {
    await withClient(pgloom, (client) => client.query('drop role if exists pooled_user; create role pooled_user login'));
    await untilPooled(pgloom, 1);
    const pids = [await pidOfSession(pgloom)];
    for (const config of [{ user: 'pooled_user' }, { application_name: 'other' }, { options: '-c work_mem=1MB' }, { database: 'template1' }]) {
      pids.push(await pidOfSession(pgloom, config));
    }
    assert.equal(new Set(pids).size, pids.length, pids.join());
    await untilPooled(pgloom, 4);
    assert.equal(await pidOfSession(pgloom, { options: '-c work_mem=1MB' }), pids[3]);
    await withClient(pgloom, (client) => client.query('drop role pooled_user'));
  });
});

test('links to postgres and template1 are not kept', async () => {
  await withPool({}, async (pgloom) => {
    for (const database of ['postgres', 'template1']) await waitForEnd(await pidOfSession(pgloom, { database }));
  });
});

test('with connection_cache off no link is kept', async () => {
  await withPool({ connection_cache: false }, async (pgloom) => waitForEnd(await pidOfSession(pgloom)));
});

test('the link of a client that said good-bye before its last answer came is kept', async () => {
  await withPool({}, async (pgloom) => {
    const client = await WireClient.login(pgloom.port);
    client.query('select pg_backend_pid()');
    const pid = Number(rowsOf(await client.readUntil('Z'))[0]?.[0]);
    client.query('select pg_sleep(0.2)');
    client.end();
    await untilPooled(pgloom, 1);
    const next = await WireClient.login(pgloom.port);
    next.query('select pg_backend_pid()');
    assert.deepEqual(rowsOf(await next.readUntil('Z')), [[String(pid)]]);
    next.end();
  });
});

test('a client that says good-bye instead of its COPY data leaves nothing behind', async () => {
  await withPool({}, async (pgloom) => {
    const client = await WireClient.login(pgloom.port);
    client.query('select pg_backend_pid()');
    const pid = Number(rowsOf(await client.readUntil('Z'))[0]?.[0]);
    client.query('select pg_sleep(0.2)');
    client.query('copy items from stdin');
    client.end();
    await client.expectClose();
    await waitForEnd(pid);
  });
});

test('the link of a client that vanished is not kept', async () => {
  await withPool({}, async (pgloom) => {
    for (const way of ['destroy', 'reset'] as const) {
      const client = await WireClient.login(pgloom.port);
      client.query('select pg_backend_pid()');
      const pid = Number(rowsOf(await client.readUntil('Z'))[0]?.[0]);
      client[way]();
      await waitForEnd(pid);
    }
  });
});

test('a query that outlasts its client by long takes the link with it', async () => {
  await withPool({}, async (pgloom) => {
    const client = await WireClient.login(pgloom.port);
    client.query('select pg_backend_pid()');
    const pid = Number(rowsOf(await client.readUntil('Z'))[0]?.[0]);
    client.query('select pg_sleep(8)');
    client.end();
    await waitForEnd(pid);
  });
});

test('a session whose reset fails does not leave its link to others', async () => {
  await withPool({ reset_query_list: 'ABORT; select 1 / 0' }, async (pgloom) => waitForEnd(await pidOfSession(pgloom)));
});

test('reset_query_list is what is run', async () => {
  await withPool({ reset_query_list: 'ABORT; reset work_mem' }, async (pgloom) => {
    const pid = await withClient(pgloom, async (client) => {
      await client.query("set work_mem = '5MB'");
      await client.query("set temp_buffers = '5MB'");
      await client.query('begin');
      return backendPid(client);
    });
    await untilPooled(pgloom, 1);
    await withClient(pgloom, async (client) => {
      assert.equal(await backendPid(client), pid);
      assert.deepEqual((await client.query('show work_mem')).rows, [{ work_mem: '4MB' }]);
      assert.deepEqual((await client.query('show temp_buffers')).rows, [{ temp_buffers: '5MB' }]);
    });
  });
});

test('a link that lay in the pool longer than connection_life_time is closed', async () => {
  await withPool({ connection_life_time: 1 }, async (pgloom) => waitForEnd(await pidOfSession(pgloom)));
});

test('beyond max_pool the link unused for longest is closed', async () => {
  // One child, so two links.
  await withPool({ num_init_children: 1, max_pool: 2 }, async (pgloom) => {
    const pids: number[] = [];
    for (const name of ['a', 'b', 'c']) {
      pids.push(await pidOfSession(pgloom, { application_name: name }));
      await sleep(clockMs);
    }
    await waitForEnd(pids[0] ?? 0);
    assert.equal(await pidOfSession(pgloom, { application_name: 'c' }), pids[2]);
    await sleep(clockMs);
    assert.equal(await pidOfSession(pgloom, { application_name: 'b' }), pids[1]);
  });
});

async function loginWithId(pgloom: Pgloom): Promise<{ client: WireClient; id: number; pid: number }> {
  const client = await WireClient.connect(pgloom.port);
  client.startup({ user: 'postgres', database: 'test' });
  const key = (await client.readUntil('Z')).find((message) => message.type === 'K');
  client.query('select pg_backend_pid()');
  const pid = Number(rowsOf(await client.readUntil('Z'))[0]?.[0]);
  return { client, id: key?.payload.readInt32BE(0) ?? 0, pid };
}

test('after child_max_connections clients a child gets a new id and its links are closed', async () => {
  await withPool({ num_init_children: 1, child_max_connections: 2 }, async (pgloom) => {
    const first = await loginWithId(pgloom);
    first.client.end();
    const second = await loginWithId(pgloom);
    second.client.end();
    const third = await loginWithId(pgloom);
    assert.equal(second.id, first.id);
    assert.notEqual(third.id, second.id);
    assert.notEqual(third.pid, second.pid);
    await waitForEnd(second.pid);
    third.client.end();
  });
});

test('after child_life_time of waiting a child gets a new id and its links are closed', async () => {
  await withPool({ num_init_children: 1, child_life_time: 1 }, async (pgloom) => {
    const first = await loginWithId(pgloom);
    first.client.end();
    await waitForEnd(first.pid);
    const second = await loginWithId(pgloom);
    assert.notEqual(second.id, first.id);
    second.client.end();
  });
});

test('client_idle_limit ends an idle session with 57P05, in a transaction too, but none that is busy', async () => {
  await withPool({ client_idle_limit: 2 }, async (pgloom) => {
    const busy = await WireClient.login(pgloom.port);
    const idle = await WireClient.login(pgloom.port);
    const open = await WireClient.login(pgloom.port);
    busy.query('select pg_sleep(5)');
    open.query('begin');
    await open.readUntil('Z');
    for (const client of [idle, open]) {
      const error = firstError(await client.expectClose());
      assert.equal(error?.['C'], '57P05');
      assert.equal(error?.['S'], 'FATAL');
      assert.match(error?.['D'] ?? '', /client_idle_limit:2 is reached/);
    }
    assert.equal(firstError(await busy.readUntil('Z')), undefined);
    // The time of the query was no idle time: the session is still there right after it.
    await sleep(1000);
    busy.query('select 1');
    assert.equal(firstError(await busy.readUntil('Z')), undefined);
    busy.end();
  });
});

test('authentication_timeout closes a connection that does not log in', async () => {
  await withPool({ authentication_timeout: 1 }, async (pgloom) => {
    const silent = await WireClient.connect(pgloom.port);
    const halfway = await WireClient.connect(pgloom.port);
    halfway.write(Buffer.from([0, 0, 0]));
    for (const client of [silent, halfway]) {
      const error = firstError(await client.expectClose());
      assert.equal(error?.['S'], 'FATAL');
    }
  });
});

test('links of a server process that an administrator ended are not used again', async () => {
  await withPool({}, async (pgloom) => {
    const pid = await pidOfSession(pgloom);
    await untilPooled(pgloom, 1);
    const admin = new Client({ host: pgloom.host, port: pgloom.port, user: 'postgres', database: 'postgres' });
    await admin.connect();
    await admin.query('select pg_terminate_backend($1)', [pid]);
    await admin.end();
    await waitForEnd(pid);
    assert.notEqual(await pidOfSession(pgloom), pid);
    assert.equal(await isAlive(pid), false);
  });
});
