/** A worker thread that dies of an exception. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, untilMatch } from '../support/eventually.js';
import { type Pgloom, startPgloom, withClient } from '../support/pgloom.js';
import { firstError, rowsOf } from '../support/wire-fields.js';
import { WireClient } from '../support/wire.js';

/**
 * Loaded into the primary thread and every worker before pgloom's own code: a signal makes the first worker that is
 * asked throw where nobody catches. The signal is given to the primary thread, the only one that can have it.
 */
const bomb = `
  const { BroadcastChannel, isMainThread, threadId } = require('node:worker_threads');
  const channel = new BroadcastChannel('test-crash');
  if (isMainThread) {
    const threads = new Set();
    channel.onmessage = ({ data }) => { if (typeof data === 'number') threads.add(data); };
    process.on('SIGUSR2', () => channel.postMessage({ crash: Math.min(...threads) }));
  } else {
    channel.onmessage = ({ data }) => {
      if (data.crash === threadId) setImmediate(function bombOfTheTest() { throw new Error('the test throws this'); });
    };
    channel.postMessage(threadId);
    setInterval(() => channel.postMessage(threadId), 100).unref();
  }
  channel.unref();
`;

let directory: string;
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'pgloom-crash-'));
  writeFileSync(join(directory, 'bomb.cjs'), bomb);
});
after(() => rmSync(directory, { recursive: true, force: true }));

interface Located { readonly client: WireClient; readonly id: number }

async function login(pgloom: Pgloom): Promise<Located> {
  const client = await WireClient.connect(pgloom.port, 5000);
  client.startup({ user: 'postgres', database: 'test' });
  const key = (await client.readUntil('Z')).find((message) => message.type === 'K');
  return { client, id: key?.payload.readInt32BE(0) ?? 0 };
}

test('a worker that crashes takes only its own clients with it, is logged with its stack, and is replaced', async () => {
  const pgloom = await startPgloom({
    settings: { num_init_children: 4, worker_threads: 2, child_life_time: 0 },
    env: { NODE_OPTIONS: `--require ${join(directory, 'bomb.cjs')}` },
  });
  try {
    const sessions: Located[] = [];
    for (let i = 0; i < 4; i++) sessions.push(await login(pgloom));
    await sleep(300);
    pgloom.signal('SIGUSR2');
    // Whoever is still answered lives on the other worker.
    const survivors: Located[] = [];
    const victims: (Record<string, string> | undefined)[] = [];
    await Promise.all(sessions.map(async (session) => {
      const end = await session.client.expectClose().catch(() => null);
      if (end === null) survivors.push(session);
      else victims.push(firstError(end));
    }));
    assert.equal(victims.length, 2, `${victims.length} sessions ended`);
    for (const error of victims) assert.equal(error?.['C'], '57P02');
    assert.equal(survivors.length, 2);
    for (const { client } of survivors) {
      client.query('select 6 * 7');
      assert.deepEqual(rowsOf(await client.readUntil('Z')), [['42']]);
    }
    await untilMatch(pgloom.stderr, /the test throws this/);
    await untilMatch(pgloom.stderr, /bombOfTheTest/);
    // All four children can be had again: two on the worker that took the place of the dead one.
    const newcomers = [await login(pgloom), await login(pgloom)];
    for (const { client } of newcomers) {
      client.query('insert into bumps default values returning 1');
      assert.deepEqual(rowsOf(await client.readUntil('Z')), [['1']]);
    }
    const ids = [...survivors, ...newcomers].map(({ id }) => id);
    assert.equal(new Set(ids).size, 4, ids.join());
    for (const { client } of [...survivors, ...newcomers]) client.end();
    await withClient(pgloom, (client) => client.query('show pool_pools'));
  } finally {
    await pgloom.stop();
  }
});

test('clients that wait in the queue when a worker crashes get their turn', async () => {
  const pgloom = await startPgloom({
    settings: { num_init_children: 1, worker_threads: 1 },
    env: { NODE_OPTIONS: `--require ${join(directory, 'bomb.cjs')}` },
  });
  try {
    const victim = await login(pgloom);
    const waiting = await WireClient.connect(pgloom.port, 15_000);
    waiting.startup({ user: 'postgres', database: 'test' });
    await sleep(300);
    pgloom.signal('SIGUSR2');
    assert.equal(firstError(await victim.client.expectClose())?.['C'], '57P02');
    await waiting.readUntil('Z');
    waiting.query('select 1');
    assert.deepEqual(rowsOf(await waiting.readUntil('Z')), [['1']]);
    waiting.end();
  } finally {
    await pgloom.stop();
  }
});

test('a worker that replaces a crashed one has the settings of the last reload', async () => {
  const pgloom = await startPgloom({
    settings: { num_init_children: 4, worker_threads: 1, client_idle_limit: 600 },
    env: { NODE_OPTIONS: `--require ${join(directory, 'bomb.cjs')}` },
  });
  const idleLimit = (): Promise<string | undefined> => withClient(pgloom, async (client) => {
    const { rows } = await client.query<{ item: string; value: string }>('show pool_status');
    return rows.find(({ item }) => item === 'client_idle_limit')?.value;
  }).catch(() => undefined);
  const untilLimit = (wanted: string): Promise<void> => eventually(`client_idle_limit is ${wanted}`, async () => await idleLimit() === wanted);
  try {
    appendFileSync(pgloom.configFile, '\nclient_idle_limit = 777\n');
    pgloom.signal('SIGHUP');
    await untilLimit('777');
    pgloom.signal('SIGUSR2');
    await untilMatch(pgloom.stderr, /the test throws this/);
    await untilLimit('777');
    assert.equal(await idleLimit(), '777');
  } finally {
    await pgloom.stop();
  }
});
