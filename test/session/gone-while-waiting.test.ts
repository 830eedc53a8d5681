/** Clients that vanish while what they have sent waits, so that pgloom does not read on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { allChildrenFree } from '../../bench/fuzz/fuzz.js';
import { query, terminate } from '../protocol/messages.js';
import { withPgloom } from '../routing/where.js';
import { sharedCluster } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { type Pgloom, withClient } from '../support/pgloom.js';
import { rowsOf } from '../support/wire-fields.js';
import { WireClient } from '../support/wire.js';
import { encryptedClient, hello, isReady, received, tlsSettings, withCertificates } from '../tls/fixture.js';

/** Waits for a lock at the primary; what is behind it is for a standby, and so for the lock as well. */
const waiting = Buffer.concat([query('insert into locked values (1)'), query('select count(*) from locked')]);

type Settings = Readonly<Record<string, string | number | boolean>>;

const withStandbyReads = (settings: Settings, use: (pgloom: Pgloom) => Promise<void>): Promise<void> =>
  withPgloom({ num_init_children: 4, worker_threads: 1, backend_weight0: 0, ...settings }, use);

async function withPrimary(use: (client: Client) => Promise<void>): Promise<void> {
  const [node] = sharedCluster().nodes;
  assert.ok(node !== undefined);
  await withClient(node, use);
}

/** Runs `use` while nobody can write into a table, and shows it how many wait for that. */
async function withLock(use: (waiters: (count: number) => Promise<void>) => Promise<void>): Promise<void> {
  await withPrimary(async (locker) => {
    await locker.query('create table if not exists locked (id int)');
    try {
      await locker.query('begin; lock table locked in exclusive mode');
      await use((count) => eventually(`${count} wait for the lock`, async () => {
        const { rowCount } = await locker.query("select from pg_locks where relation = 'locked'::regclass and not granted");
        return rowCount === count;
      }));
    } finally {
      await locker.query('rollback; drop table locked');
    }
  });
}

test('a client that vanishes while its statement waits for a lock, and what is behind it for the statement, costs no child', async () => {
  await withStandbyReads({}, (pgloom) => withLock(async (waiters) => {
    const clients = await Promise.all([0, 1, 2].map(() => WireClient.login(pgloom.port)));
    clients.forEach((client, i) => client.write(i === 0 ? Buffer.concat([waiting, terminate]) : waiting));
    await waiters(3);
    clients.forEach((client, i) => (i === 2 ? client.reset() : client.destroy()));
    await allChildrenFree(pgloom);
  }));
});

for (const isPatient of [false, true]) {
  test(`what a client has sent before it left is done, if it does not take long (it left ${isPatient ? 'later' : 'at once'})`, async () => {
    await withStandbyReads({}, async (pgloom) => {
      await withPrimary(async (observer) => {
        await observer.query('create table if not exists left_behind (id int)');
        try {
          const client = await WireClient.login(pgloom.port);
          await withLock(async (waiters) => {
            client.write(Buffer.concat([waiting, query('insert into left_behind values (1)'), terminate]));
            await waiters(1);
            if (!isPatient) client.destroy();
            // Longer than until pgloom listens.
            await sleep(8000);
            if (isPatient) {
              client.destroy();
              // An answer that comes before pgloom has seen the end would be met by a reset, which ends the session at once.
              await sleep(1000);
            }
          });
          await eventually('the row is there', async () => (await observer.query('select from left_behind')).rowCount === 1);
          await allChildrenFree(pgloom);
        } finally {
          await observer.query('drop table left_behind');
        }
      });
    });
  });
}

test('a client that vanishes inside TLS, in the same way, costs no child either', async () => {
  await withCertificates((certificates) => withStandbyReads(tlsSettings(certificates), (pgloom) => withLock(async (waiters) => {
    const client = await encryptedClient(pgloom);
    client.write(hello);
    await received(client, isReady);
    client.write(waiting);
    await waiters(1);
    client.destroy();
    await allChildrenFree(pgloom);
  })));
});

test('a client that waits so, and stays, gets all its answers, whatever it sends meanwhile', async () => {
  await withStandbyReads({}, async (pgloom) => {
    const client = await WireClient.login(pgloom.port, {}, 30_000);
    await withLock(async (waiters) => {
      client.write(waiting);
      await waiters(1);
      for (let i = 0; i < 20; i++) {
        client.query(`select ${i}, length('${'x'.repeat(10_000)}')`);
        await sleep(400);
      }
    });
    const answers: (string | null)[] = [];
    for (let ready = 0; ready < 22; ready++) answers.push(rowsOf(await client.readUntil('Z'))[0]?.[0] ?? null);
    assert.deepEqual(answers.slice(2), Array.from({ length: 20 }, (_, i) => String(i)));
    client.end();
  });
});
