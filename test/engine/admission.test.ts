/** The queue in front of the children. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { type Pgloom, startPgloom } from '../support/pgloom.js';
import { errorFields, firstError, rowsOf } from '../support/wire-fields.js';
import { untilRunning } from '../support/running.js';
import { WireClient } from '../support/wire.js';

const who = { user: 'postgres', database: 'test' };

async function withPgloom(settings: Record<string, string | number | boolean>, use: (pgloom: Pgloom) => Promise<void>): Promise<void> {
  const pgloom = await startPgloom({ settings: { num_init_children: 2, worker_threads: 2, listen_backlog_multiplier: 1, ...settings } });
  try {
    await use(pgloom);
  } finally {
    await pgloom.stop();
  }
}

/** Connects and sends the startup packet without waiting for an answer. */
async function knock(pgloom: Pgloom): Promise<WireClient> {
  const client = await WireClient.connect(pgloom.port);
  client.startup(who);
  return client;
}

async function fillChildren(pgloom: Pgloom): Promise<[WireClient, WireClient]> {
  return [await WireClient.login(pgloom.port), await WireClient.login(pgloom.port)];
}

test('clients beyond num_init_children wait and get their turn in the order they came', async () => {
  await withPgloom({}, async (pgloom) => {
    const [first, second] = await fillChildren(pgloom);
    const third = await knock(pgloom);
    const fourth = await knock(pgloom);
    const served: string[] = [];
    const thirdServed = third.readUntil('Z').then(() => served.push('third'));
    const fourthServed = fourth.readUntil('Z').then(() => served.push('fourth'));
    first.end();
    await thirdServed;
    assert.deepEqual(served, ['third']);
    second.end();
    await fourthServed;
    assert.deepEqual(served, ['third', 'fourth']);
    third.query('select 3');
    assert.deepEqual(rowsOf(await third.readUntil('Z')), [['3']]);
    third.end();
    fourth.end();
  });
});

test('past the queue a client is refused with 53300, whether or not it asks for encryption first', async () => {
  await withPgloom({}, async (pgloom) => {
    const held = [...await fillChildren(pgloom), await knock(pgloom), await knock(pgloom)];
    const refused = await knock(pgloom);
    const messages = await refused.expectClose();
    assert.equal(firstError(messages)?.['C'], '53300');
    assert.equal(firstError(messages)?.['S'], 'FATAL');
    assert.equal(firstError(messages)?.['M'], 'Sorry, too many clients already');

    const careful = await WireClient.connect(pgloom.port);
    careful.sslRequest();
    assert.equal((await careful.readBytes(1)).toString(), 'N');
    careful.startup(who);
    assert.equal(firstError(await careful.expectClose())?.['C'], '53300');
    for (const client of held) client.destroy();
  });
});

test('a refused client that says nothing is told all the same', async () => {
  await withPgloom({}, async (pgloom) => {
    const held = [...await fillChildren(pgloom), await knock(pgloom), await knock(pgloom)];
    const silent = await WireClient.connect(pgloom.port);
    const message = await silent.readMessage();
    assert.equal(message.type, 'E');
    assert.equal(errorFields(message)['C'], '53300');
    silent.destroy();
    for (const client of held) client.destroy();
  });
});

test('with reserved_connections a client is refused at once instead of waiting', async () => {
  await withPgloom({ num_init_children: 3, reserved_connections: 1 }, async (pgloom) => {
    const held = await fillChildren(pgloom);
    const refused = await knock(pgloom);
    assert.equal(firstError(await refused.expectClose())?.['C'], '53300');
    for (const client of held) client.end();
  });
});

test('a waiting client that goes away gives its place in the queue to another', async () => {
  await withPgloom({}, async (pgloom) => {
    const [first, second] = await fillChildren(pgloom);
    const gone = await knock(pgloom);
    const waiting = await knock(pgloom);
    gone.destroy();
    // The place is free as soon as pgloom has read the end; until then a newcomer is refused.
    let next: WireClient;
    for (;;) {
      next = await knock(pgloom);
      const answer = await Promise.race([next.readMessage().catch(() => null), new Promise<'waiting'>((resolve) => {
        setTimeout(() => resolve('waiting'), 500);
      })]);
      if (answer === 'waiting') break;
      next.destroy();
    }
    first.end();
    await waiting.readUntil('Z');
    second.destroy();
    waiting.end();
    next.destroy();
  });
});

test('a cancel request does its work although all children are busy', async () => {
  await withPgloom({}, async (pgloom) => {
    const other = await WireClient.login(pgloom.port);
    const sleeper = await WireClient.connect(pgloom.port);
    sleeper.startup(who);
    const greeting = await sleeper.readUntil('Z');
    const key = greeting.find((message) => message.type === 'K');
    assert.ok(key !== undefined);
    sleeper.query('select pg_sleep(61)');
    await untilRunning('select pg_sleep(61)');
    const canceller = await WireClient.connect(pgloom.port);
    // libpq 17 and later asks for encryption on this connection, too.
    canceller.sslRequest();
    assert.equal((await canceller.readBytes(1)).toString(), 'N');
    canceller.cancelRequest(key.payload.readInt32BE(0), key.payload.subarray(4));
    assert.equal(firstError(await sleeper.readUntil('Z'))?.['C'], '57014');
    await canceller.expectClose();
    other.end();
    sleeper.end();
  });
});

test('a cancel request with a wrong secret changes nothing', async () => {
  await withPgloom({}, async (pgloom) => {
    const other = await WireClient.login(pgloom.port);
    const worker = await WireClient.connect(pgloom.port);
    worker.startup(who);
    const key = (await worker.readUntil('Z')).find((message) => message.type === 'K');
    assert.ok(key !== undefined);
    worker.query('select pg_sleep(1.5)');
    await untilRunning('select pg_sleep(1.5)');
    const canceller = await WireClient.connect(pgloom.port);
    const secret = Buffer.from(key.payload.subarray(4));
    secret[0] = (secret[0] ?? 0) ^ 0xff;
    canceller.cancelRequest(key.payload.readInt32BE(0), secret);
    await canceller.expectClose();
    assert.equal(firstError(await worker.readUntil('Z')), undefined);
    other.end();
    worker.end();
  });
});

test('a smart shutdown lets sessions end, refuses those who wait and makes a second signal fast', async () => {
  const pgloom = await startPgloom({ settings: { num_init_children: 1, worker_threads: 1 } });
  try {
    const session = await WireClient.login(pgloom.port);
    const waiting = await knock(pgloom);
    pgloom.signal('SIGTERM');
    assert.equal(firstError(await waiting.expectClose())?.['C'], '57P03');
    session.query('select 1');
    assert.deepEqual(rowsOf(await session.readUntil('Z')), [['1']]);
    pgloom.signal('SIGINT');
    assert.equal(await pgloom.exited, 0);
    session.destroy();
  } finally {
    await pgloom.stop();
  }
});

test('in dynamic mode all children can be used, and threads come as they are needed', async () => {
  const dynamic = { num_init_children: 6, worker_threads: 3, process_management_mode: 'dynamic', min_spare_children: 1, max_spare_children: 2 };
  await withPgloom(dynamic, async (pgloom) => {
    const clients = await Promise.all(Array.from({ length: 6 }, () => WireClient.login(pgloom.port)));
    for (const client of clients) client.query('select 1');
    for (const client of clients) assert.deepEqual(rowsOf(await client.readUntil('Z')), [['1']]);
    for (const client of clients) client.end();
  });
});

const hasPrlimit = spawnSync('prlimit', ['--version']).status === 0;

test('when descriptors run out clients are dropped, pgloom lives and serves again afterwards', { skip: !hasPrlimit }, async () => {
  await withPgloom({ num_init_children: 100, worker_threads: 2, listen_backlog_multiplier: 2 }, async (pgloom) => {
    const inUse = readdirSync(`/proc/${pgloom.pid}/fd`).length;
    assert.equal(spawnSync('prlimit', ['--pid', String(pgloom.pid), `--nofile=${inUse + 10}:${inUse + 10000}`]).status, 0);
    const crowd = await Promise.all(Array.from({ length: 60 }, () => knock(pgloom)));
    for (const client of crowd) client.socket.resume();
    await eventually('some were dropped', () => crowd.some(({ socket }) => socket.destroyed || socket.readableEnded));
    for (const client of crowd) client.destroy();
    assert.equal(spawnSync('prlimit', ['--pid', String(pgloom.pid), `--nofile=${inUse + 10000}:${inUse + 10000}`]).status, 0);
    await eventually('a client is served', async () => {
      const client = await WireClient.connect(pgloom.port);
      client.startup(who);
      const served = await client.readUntil('Z').then(() => true, () => false);
      client.destroy();
      return served;
    });
  });
});
