/** CancelRequest, encryption requests and protocol versions. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sharedCluster } from '../support/cluster.js';
import { startPgloom, type Pgloom } from '../support/pgloom.js';
import { firstError, int32, rowsOf } from '../support/wire-fields.js';
import { WireClient, type WireMessage } from '../support/wire.js';
import { startup } from './messages.js';

interface Session {
  readonly client: WireClient;
  readonly pid: number;
  readonly key: Buffer;
}

async function loggedIn(to: number | string): Promise<Session> {
  const client = await WireClient.connect(to, 20_000);
  client.startup({ user: 'postgres', database: 'test' });
  const keyData = (await client.readUntil('Z')).find(({ type }) => type === 'K');
  assert.ok(keyData !== undefined);
  return { client, pid: keyData.payload.readInt32BE(0), key: keyData.payload.subarray(4) };
}

async function cancel(to: number | string, pid: number, key: Uint8Array): Promise<void> {
  const client = await WireClient.connect(to);
  client.cancelRequest(pid, key);
  assert.deepEqual(await client.expectClose(), [], 'a cancel request is never answered');
  client.destroy();
}

/** Resolves when the statement runs on one of the nodes. */
async function running(mark: string): Promise<void> {
  for (;;) {
    for (const node of sharedCluster().nodes) {
      const client = await WireClient.login(node.port);
      client.query(`select 1 from pg_stat_activity where state = 'active' and query like '%${mark}%' and pid <> pg_backend_pid()`);
      const rows = rowsOf(await client.readUntil('Z'));
      client.end();
      if (rows.length > 0) return;
    }
    await sleep(20);
  }
}

const sqlstate = (messages: readonly WireMessage[]): string | undefined => firstError(messages)?.['C'];

describe('cancel and the first packets', () => {
  let pgloom: Pgloom;
  before(async () => { pgloom = await startPgloom({ settings: { num_init_children: 16, worker_threads: 2 } }); });
  after(() => pgloom.stop());

  it('a cancel reaches the right session among many on two workers, over TCP and over the Unix socket', async () => {
    const path = join(pgloom.socketDirectory, `.s.PGSQL.${pgloom.port}`);
    const sessions = await Promise.all(Array.from({ length: 10 }, (_, n) => loggedIn(n % 2 === 0 ? pgloom.port : path)));
    try {
      sessions.forEach(({ client }, n) => client.query(`select pg_sleep(60) /* cancel ${n}. */`));
      await Promise.all(sessions.map((_, n) => running(`cancel ${n}.`)));
      for (const n of [7, 2, 9, 0, 4, 1, 8, 3, 6, 5]) {
        const { client, pid, key } = sessions[n]!;
        await cancel(n % 3 === 0 ? path : pgloom.port, pid, key);
        assert.equal(sqlstate(await client.readUntil('Z')), '57014');
        client.query(`select ${n}`);
        assert.deepEqual(rowsOf(await client.readUntil('Z')), [[String(n)]]);
      }
    } finally {
      for (const { client } of sessions) client.end();
    }
  });

  it('a wrong key, a wrong id and a key of the wrong length cancel nothing', async () => {
    const { client, pid, key } = await loggedIn(pgloom.port);
    try {
      client.query("select pg_sleep(1), 'slept' /* wrong key */");
      await running('wrong key');
      await cancel(pgloom.port, pid, Buffer.from(key.map((byte) => byte ^ 0xff)));
      await cancel(pgloom.port, pid + 1, key);
      await cancel(pgloom.port, pid, Buffer.concat([key, key]));
      await cancel(pgloom.port, pid, Buffer.alloc(4));
      assert.deepEqual(rowsOf(await client.readUntil('Z')), [['', 'slept']]);
    } finally {
      client.end();
    }
  });

  it('a cancel that comes when the query is over does not hit the next user of the link', async () => {
    for (let round = 0; round < 60; round++) {
      const { client, pid, key } = await loggedIn(pgloom.port);
      client.query('select pg_sleep(0.002)');
      const late = cancel(pgloom.port, pid, key);
      await client.readUntil('Z');
      client.end();
      const others = await Promise.all([loggedIn(pgloom.port), loggedIn(pgloom.port)]);
      for (const other of others) other.client.query("select pg_sleep(0.01), 'mine'");
      for (const other of others) assert.deepEqual(rowsOf(await other.client.readUntil('Z')), [['', 'mine']]);
      for (const other of others) other.client.end();
      await late;
    }
  });

  it('a cancel of a batch in the middle of a pipeline ends that batch alone', async () => {
    const { client, pid, key } = await loggedIn(pgloom.port);
    client.parse('select pg_sleep(60) /* in a pipeline */');
    client.bind();
    client.execute();
    client.sync();
    client.query("select 'next'");
    await running('in a pipeline');
    await cancel(pgloom.port, pid, key);
    assert.equal(sqlstate(await client.readUntil('Z')), '57014');
    assert.deepEqual(rowsOf(await client.readUntil('Z')), [['next']]);
    client.end();
  });

  it('SSLRequest and GSSENCRequest are answered N, one after the other, and the login follows', async () => {
    for (const to of [pgloom.port, join(pgloom.socketDirectory, `.s.PGSQL.${pgloom.port}`)]) {
      const client = await WireClient.connect(to);
      client.sslRequest();
      assert.equal((await client.readBytes(1)).toString(), 'N');
      client.gssEncRequest();
      assert.equal((await client.readBytes(1)).toString(), 'N');
      client.startup({ user: 'postgres', database: 'test' });
      await client.readUntil('Z');
      client.end();
    }
  });

  it('bytes sent behind an encryption request before its answer are refused', async () => {
    const client = await WireClient.connect(pgloom.port);
    client.write(Buffer.concat([int32(8), int32(80_877_103), startup({ user: 'postgres' })]));
    assert.equal(sqlstate(await client.expectClose()), '08P01');
  });

  it('protocol 3.2 and unknown protocol options are negotiated down', async () => {
    const client = await WireClient.connect(pgloom.port);
    client.write(startup({ user: 'postgres', database: 'test', '_pq_.wish': 'yes' }, 196_610));
    const messages = await client.readUntil('Z');
    assert.equal(messages[0]?.type, 'v');
    assert.deepEqual(messages[0]?.payload, Buffer.concat([int32(0), int32(1), Buffer.from('_pq_.wish\0')]));
    client.query('select 1');
    assert.deepEqual(rowsOf(await client.readUntil('Z')), [['1']]);
    client.end();
  });

  it('other protocol versions get a clean error', async () => {
    for (const version of [131_072, 262_144, 0, 1, -1, 0x0001_0002]) {
      const client = await WireClient.connect(pgloom.port);
      client.write(startup({ user: 'postgres', database: 'test' }, version));
      assert.equal(sqlstate(await client.expectClose()), '0A000', `version ${version}`);
    }
  });
});
