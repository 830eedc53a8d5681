/** Which worker and which child a client gets, and how many there are. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../support/eventually.js';
import { type Pgloom, startPgloom, withClient } from '../support/pgloom.js';
import { untilRunning } from '../support/running.js';
import { WireClient } from '../support/wire.js';

async function withPgloom(settings: Record<string, string | number | boolean>, use: (pgloom: Pgloom) => Promise<void>): Promise<void> {
  const pgloom = await startPgloom({ settings });
  try {
    await use(pgloom);
  } finally {
    await pgloom.stop();
  }
}

interface ProcessRow { readonly pool_pid: string; readonly status: string; readonly database: string }

/** The rows of SHOW POOL_PROCESSES; the children of one worker stand together. */
async function processes(pgloom: Pgloom): Promise<ProcessRow[]> {
  return withClient(pgloom, async (client) => (await client.query<ProcessRow>('show pool_processes')).rows);
}

/** Positions of the children that have a client, that of the question left out. */
function taken(rows: readonly ProcessRow[]): number[] {
  return rows.flatMap(({ status, database }, row) => (database === 'test' && status !== 'Execute command' ? [row] : []));
}

test('quiet clients are all packed onto the first worker until its children are taken', async () => {
  await withPgloom({ num_init_children: 8, worker_threads: 2 }, async (pgloom) => {
    const clients: WireClient[] = [];
    for (let i = 0; i < 3; i++) {
      // A thread that has just started, or just logged somebody in on a busy machine, is not a quiet one.
      await sleep(400);
      clients.push(await WireClient.login(pgloom.port));
    }
    await sleep(400);
    const rows = await processes(pgloom);
    assert.equal(rows.length, 8);
    // Three clients and the one that asks: the four children of one worker.
    const busy = rows.flatMap(({ database }, row) => (database === 'test' ? [row] : []));
    assert.ok(busy.every((row) => row < 4) || busy.every((row) => row >= 4), busy.join());
    for (let i = 0; i < 3; i++) clients.push(await WireClient.login(pgloom.port));
    const more = taken(await processes(pgloom));
    assert.ok(more.some((row) => row < 4) && more.some((row) => row >= 4), more.join());
    for (const client of clients) client.end();
  });
});

test('static mode has all children from the start, each with an id of its own', async () => {
  await withPgloom({ num_init_children: 7, worker_threads: 2 }, async (pgloom) => {
    const rows = await processes(pgloom);
    assert.equal(rows.length, 7);
    assert.equal(new Set(rows.map(({ pool_pid: id }) => id)).size, 7);
  });
});

test('dynamic mode starts with a few children and more when they are needed', async () => {
  const settings = { process_management_mode: 'dynamic', process_management_strategy: 'gentle', num_init_children: 20, min_spare_children: 2, max_spare_children: 4, worker_threads: 2 };
  await withPgloom(settings, async (pgloom) => {
    const atFirst = await processes(pgloom);
    assert.ok(atFirst.length >= 2 && atFirst.length < 20, `${atFirst.length} children at the start`);
    const clients = await Promise.all(Array.from({ length: 12 }, () => WireClient.login(pgloom.port)));
    await eventually('there are 15 children, 2 of them idle', async () => {
      const rows = await processes(pgloom);
      return rows.length >= 15 && rows.filter(({ status }) => status === 'Wait for connection').length >= 2;
    });
    for (const client of clients) client.end();
  });
});

test('as many clients as there are children are served, and a cancel finds its session on any worker', async () => {
  await withPgloom({ num_init_children: 6, worker_threads: 2 }, async (pgloom) => {
    const sql = 'select pg_sleep(30) as of_six';
    const sessions = await Promise.all(Array.from({ length: 6 }, async () => {
      const client = await WireClient.connect(pgloom.port);
      client.startup({ user: 'postgres', database: 'test' });
      const key = (await client.readUntil('Z')).find((message) => message.type === 'K');
      assert.ok(key !== undefined);
      client.query(sql);
      return { client, key };
    }));
    await untilRunning(sql, sessions.length);
    for (const { client, key } of sessions) {
      const canceller = await WireClient.connect(pgloom.port);
      canceller.cancelRequest(key.payload.readInt32BE(0), key.payload.subarray(4));
      const messages = await client.readUntil('Z');
      assert.match(messages.map(({ payload }) => payload.toString('latin1')).join(), /57014/);
      canceller.end();
      client.end();
    }
  });
});
