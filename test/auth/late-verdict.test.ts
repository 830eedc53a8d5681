/** Guessing where somebody else gives the verdict, and later: a server, in front of which pgloom knows no password. */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { answer, fakeServer, greeting } from '../protocol/fake-server.js';
import { message } from '../protocol/messages.js';
import { eventually } from '../support/eventually.js';
import { type Pgloom, startPgloom } from '../support/pgloom.js';
import { body, int32 } from '../support/wire-fields.js';
import { WireClient } from '../support/wire.js';

const askClearText = message('R', int32(3));
const wrongPassword = message('E', body('SFATAL', 'C28P01', 'Mpassword authentication failed', ''));

/** A server that asks for passwords and says nothing to them. */
async function withSilentServer(delayMs: number, use: (pgloom: Pgloom, asked: readonly Socket[]) => Promise<void>): Promise<void> {
  const asked: Socket[] = [];
  let isAsking = false;
  const server = await fakeServer(() => answer('f'), (socket) => {
    if (!isAsking) return greeting;
    asked.push(socket);
    return askClearText;
  });
  const settings = { auth_failure_delay: delayMs, worker_threads: 2, num_init_children: 80, sr_check_period: 0, health_check_period: 0, failover_on_backend_error: false };
  const pgloom = await startPgloom({ nodes: [server], hba: 'host all postgres all trust\nhost all all all password\n', settings });
  try {
    isAsking = true;
    await use(pgloom, asked);
  } finally {
    await pgloom.stop();
    await server.stop();
  }
}

async function guess(pgloom: Pgloom, user: string, password: string): Promise<WireClient> {
  const client = await WireClient.connect(pgloom.port);
  client.startup({ user, database: 'test' });
  assert.equal((await client.readMessage()).type, 'R');
  client.send('p', body(password));
  return client;
}

const refusals = (pgloom: Pgloom): number => pgloom.stderr().match(/FATAL: +password authentication failed/g)?.length ?? 0;

test('many guesses at once are not all passed on to the server', async () => {
  await withSilentServer(10_000, async (pgloom, asked) => {
    // An empty password is refused at once, and counts.
    for (let i = 0; i < 6; i++) (await guess(pgloom, `user ${i}`, '')).destroy();
    await eventually('the failures are counted', () => refusals(pgloom) === 6);
    const guesses = await Promise.all(Array.from({ length: 50 }, (_, i) => guess(pgloom, `user ${i}`, 'guess')));
    await eventually('some are passed on', () => asked.length >= 10);
    await sleep(500);
    assert.ok(asked.length <= 16, `${asked.length} of 50`);
    for (const client of guesses) client.destroy();
  });
});

test('a guess counts when its verdict comes, though nobody waits for it any more', async () => {
  await withSilentServer(0, async (pgloom, asked) => {
    const client = await guess(pgloom, 'ann', 'guess');
    await eventually('the server is asked', () => asked.length === 1);
    client.destroy();
    await sleep(100);
    assert.equal(refusals(pgloom), 0);
    asked[0]?.write(wrongPassword);
    await eventually('it is in the log', () => refusals(pgloom) === 1);
  });
});

test('guesses at once cost as much as those one after the other, also when nobody has failed yet', async () => {
  await withSilentServer(10_000, async (pgloom, asked) => {
    const guesses = await Promise.all(Array.from({ length: 50 }, (_, i) => guess(pgloom, `user ${i}`, 'guess')));
    await eventually('some are passed on', () => asked.length >= 16);
    await sleep(500);
    assert.ok(asked.length <= 24, `${asked.length} of 50`);
    // The first of them are right, and the others get their turn.
    for (const socket of asked.slice(0, 10)) socket.write(greeting);
    await eventually('more are passed on', () => asked.length >= 26);
    for (const client of guesses) client.destroy();
  });
});

test('right logins of a user who has been here, in any number, do not hold each other up; nor does a server that goes away', async () => {
  await withSilentServer(10_000, async (pgloom, asked) => {
    const login = async (times: number): Promise<void> => {
      const before = asked.length;
      const clients = await Promise.all(Array.from({ length: times }, () => guess(pgloom, 'ann', 'right')));
      await eventually('all are passed on', () => asked.length === before + times);
      for (const socket of asked.slice(before)) socket.write(greeting);
      for (const client of clients) await client.readUntil('Z');
      for (const client of clients) client.destroy();
    };
    await login(1);
    for (let round = 0; round < 3; round++) await login(70);
    // 32 delays are what may be booked: 512 logins of a sixteenth each, were they not given back.
    for (let round = 0; round < 10; round++) {
      const before = asked.length;
      const clients = await Promise.all(Array.from({ length: 60 }, () => guess(pgloom, 'ann', 'right')));
      await eventually('all are passed on', () => asked.length === before + 60);
      for (const socket of asked.slice(before)) socket.destroy();
      for (const client of clients) await client.expectClose();
    }
    assert.equal(refusals(pgloom), 0);
  });
});
