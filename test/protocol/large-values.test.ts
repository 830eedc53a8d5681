/** Large values and slow clients: what passes through pgloom does not stay in it. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { allChildrenFree, residentBytes } from '../../bench/fuzz/fuzz.js';
import { sharedCluster } from '../support/cluster.js';
import { startPgloom, type Pgloom } from '../support/pgloom.js';
import { firstError, int16, int32, body, rowsOf } from '../support/wire-fields.js';
import { WireClient } from '../support/wire.js';
import { bind, copyDone, execute, lying, message, parse, query, sync } from './messages.js';

const growthLimitBytes = 150_000_000;
const chunk = Buffer.alloc(1_000_000, 0x61);

/** Most memory that pgloom held while `work` went on, beyond what it held before, in bytes. */
async function growth(pgloom: Pgloom, work: () => Promise<void>): Promise<number> {
  const before = residentBytes(pgloom.pid);
  let most = before;
  const timer = setInterval(() => { most = Math.max(most, residentBytes(pgloom.pid)); }, 20);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return Math.max(most, residentBytes(pgloom.pid)) - before;
}

async function write(client: WireClient, bytes: Uint8Array): Promise<void> {
  if (!client.socket.write(bytes)) await once(client.socket, 'drain');
}

/** Takes over the socket, counts what comes, and resolves with the count when the answer ends with a ReadyForQuery. */
function countUntilReady(client: WireClient): Promise<number> {
  const { socket } = client;
  socket.removeAllListeners('data');
  let count = 0;
  let tail = Buffer.alloc(0);
  return new Promise((resolve, reject) => {
    socket.on('close', () => reject(new Error(`the connection ended after ${count} bytes`)));
    socket.on('data', (bytes: Buffer) => {
      count += bytes.length;
      tail = Buffer.concat([tail, bytes.subarray(-6)]).subarray(-6);
      if (tail.equals(Buffer.from('Z\0\0\0\x05I', 'latin1'))) resolve(count);
    });
  });
}

for (const nodes of [1, 3]) {
  describe(`with ${nodes} nodes`, () => {
    let pgloom: Pgloom;
    before(async () => {
      pgloom = await startPgloom({ nodes: sharedCluster().nodes.slice(0, nodes), settings: { num_init_children: 4, worker_threads: 1 } });
      for (let visit = 0; visit < 20; visit++) (await WireClient.login(pgloom.port)).end();
    });
    after(() => pgloom.stop());

    it('one value of 512 MB passes with flat memory', async () => {
      const grown = await growth(pgloom, async () => {
        const client = await WireClient.login(pgloom.port);
        const counted = countUntilReady(client);
        client.query("select repeat('x', 536870912)");
        assert.ok(await counted > 536_870_912);
        client.destroy();
      });
      assert.ok(grown < growthLimitBytes, `memory grew by ${grown} bytes`);
    });

    it('COPY out of 200 MB passes with flat memory', async () => {
      const grown = await growth(pgloom, async () => {
        const client = await WireClient.login(pgloom.port);
        const counted = countUntilReady(client);
        client.query("copy (select repeat('y', 1000) from generate_series(1, 200000)) to stdout");
        assert.ok(await counted > 200_000_000);
        client.destroy();
      });
      assert.ok(grown < growthLimitBytes, `memory grew by ${grown} bytes`);
    });

    it('a parameter of 150 MB passes in the extended protocol with flat memory', async () => {
      const sizeBytes = 150 * chunk.length;
      const grown = await growth(pgloom, async () => {
        const client = await WireClient.login(pgloom.port, {}, 60_000);
        client.write(parse('select length($1::text)'));
        const head = body('', '', int16(0), int16(1), int32(sizeBytes));
        await write(client, lying('B', 4 + head.length + sizeBytes + 2, head));
        for (let sent = 0; sent < sizeBytes; sent += chunk.length) await write(client, chunk);
        client.write(Buffer.concat([int16(0), execute(), sync]));
        assert.deepEqual(rowsOf(await client.readUntil('Z')), [[String(sizeBytes)]]);
        client.end();
      });
      assert.ok(grown < growthLimitBytes, `memory grew by ${grown} bytes`);
    });

    it('COPY in of 150 MB, in one message and in many, passes with flat memory', async () => {
      const grown = await growth(pgloom, async () => {
        const client = await WireClient.login(pgloom.port, {}, 60_000);
        client.query('create temp table big (t text); copy big from stdin; select sum(length(t)) from big');
        await write(client, lying('d', 4 + 100 * chunk.length));
        for (let n = 0; n < 100; n++) await write(client, chunk);
        await write(client, message('d', Buffer.from('\n')));
        for (let n = 0; n < 50; n++) await write(client, message('d', Buffer.concat([chunk, Buffer.from('\n')])));
        client.write(copyDone);
        assert.deepEqual(rowsOf(await client.readUntil('Z')), [[String(150 * chunk.length)]]);
        client.end();
      });
      assert.ok(grown < growthLimitBytes, `memory grew by ${grown} bytes`);
    });

    it('a query string of 100 MB passes with flat memory', async () => {
      const grown = await growth(pgloom, async () => {
        const client = await WireClient.login(pgloom.port, {}, 60_000);
        const [from, to] = [Buffer.from("select length('"), Buffer.from("')\0")];
        await write(client, lying('Q', 4 + from.length + 100 * chunk.length + to.length, from));
        for (let n = 0; n < 100; n++) await write(client, chunk);
        client.write(to);
        assert.deepEqual(rowsOf(await client.readUntil('Z')), [[String(100 * chunk.length)]]);
        client.end();
      });
      assert.ok(grown < growthLimitBytes, `memory grew by ${grown} bytes`);
    });

    it('a client that does not read makes the server wait, not pgloom grow, and others are served', async () => {
      const grown = await growth(pgloom, async () => {
        const slow = await WireClient.login(pgloom.port);
        slow.socket.pause();
        slow.query("select repeat('z', 1000) from generate_series(1, 500000)");
        for (let n = 0; n < 10; n++) {
          const other = await WireClient.login(pgloom.port);
          other.query('select 1');
          assert.deepEqual(rowsOf(await other.readUntil('Z')), [['1']]);
          other.end();
          await sleep(30);
        }
        const counted = countUntilReady(slow);
        slow.socket.resume();
        assert.ok(await counted > 500_000_000);
        slow.destroy();
      });
      assert.ok(grown < growthLimitBytes, `memory grew by ${grown} bytes`);
    });

    it('a client that asks and asks and never reads gets no more memory than its share', async () => {
      const grown = await growth(pgloom, async () => {
        for (const question of [query('show pool_status'), query("select repeat('z', 3000)"), Buffer.concat([parse('select 1'), bind(), execute(), sync])]) {
          const deaf = await WireClient.login(pgloom.port);
          deaf.socket.on('error', () => {}).pause();
          const many = Buffer.concat(Array.from({ length: 1000 }, () => question));
          for (let n = 0; n < 200 && deaf.socket.writableLength < 4_000_000; n++) {
            deaf.write(many);
            await sleep(2);
          }
          deaf.destroy();
        }
      });
      assert.ok(grown < growthLimitBytes, `memory grew by ${grown} bytes`);
      await allChildrenFree(pgloom);
    });

    it('notifications for a client that does not read wait at the server', async () => {
      const grown = await growth(pgloom, async () => {
        const deaf = await WireClient.login(pgloom.port);
        deaf.query('listen flood');
        await deaf.readUntil('Z');
        deaf.socket.pause();
        const other = await WireClient.login(pgloom.port, {}, 60_000);
        for (let n = 0; n < 20; n++) {
          other.query(`select count(pg_notify('flood', repeat('n', 7000) || i || '.${n}')) from generate_series(1, 1000) i`);
          assert.equal(firstError(await other.readUntil('Z')), undefined);
        }
        other.end();
        deaf.destroy();
      });
      assert.ok(grown < growthLimitBytes, `memory grew by ${grown} bytes`);
      await allChildrenFree(pgloom);
    });
  });
}
