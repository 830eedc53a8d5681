/** Sessions that wait for something that comes late, in pieces, or never. Run in order: the tests share servers of their own. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Cluster, startCluster } from '../../src/main/demo/cluster.js';
import { encodeNotice } from '../../src/shared/errors.js';
import { eventually } from '../support/eventually.js';
import type { Pgloom } from '../support/pgloom.js';
import { firstError, rowsOf } from '../support/wire-fields.js';
import { WireClient } from '../support/wire.js';
import { answer, simple } from '../routing/one-write.js';
import { readerIsNode1, withPgloom } from '../routing/where.js';
import { TcpProxy } from './tcp-proxy.js';

let cluster: Cluster;
let proxies: TcpProxy[] = [];
before(async () => {
  cluster = await startCluster({ standbys: 1 });
  await cluster.query(0, 'create table lines (n int)');
  await cluster.waitForReplay();
  proxies = await Promise.all(cluster.nodes.map(({ port }) => TcpProxy.start(port)));
});
after(async () => {
  await Promise.all(proxies.map((proxy) => proxy.close()));
  await cluster.stop();
});

const { backend_weight2: _, ...reader } = readerIsNode1;
/** Nobody but the sessions connects to the servers once pgloom runs. */
const unwatched = { ...reader, notice_per_node_statement: false, health_check_period: 0, sr_check_period: 0, delay_threshold: 0, failover_on_backend_error: false };
/** Long enough for what was sent to be read by pgloom. */
const arrivalMs = 300;

const login = (pgloom: Pgloom, limitMs = 10_000): Promise<WireClient> => WireClient.login(pgloom.port, { database: 'postgres' }, limitMs);

function proxy(node: number): TcpProxy {
  const found = proxies[node];
  assert.ok(found !== undefined);
  return found;
}

async function portOfRead(client: WireClient): Promise<number> {
  return Number((await simple(client, "select current_setting('port')"))[0]?.[0]);
}

test('a write is answered that comes while a notice of the reader that nobody asked for is half-way', async () => {
  await withPgloom(unwatched, async (pgloom) => {
    for (const shownBytes of [1, 7, 20]) {
      const client = await login(pgloom);
      assert.equal(await portOfRead(client), cluster.nodes[1]?.port);
      // A standby says nothing by itself while a session is idle, so the notice is put in on the way.
      const notice = encodeNotice('NOTICE', '00000', 'something has happened');
      proxy(1).insert(notice.subarray(0, shownBytes));
      await sleep(arrivalMs);
      client.query('insert into lines values (1) returning n');
      await sleep(arrivalMs);
      proxy(1).insert(notice.subarray(shownBytes));
      const messages = await client.readUntil('Z');
      assert.equal(messages.map(({ type }) => type).join(''), 'NTDCZ');
      assert.deepEqual(rowsOf(messages), [['1']]);
      client.destroy();
      await eventually('the session is over', async () => (await cluster.query(1, "select from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid() and datname = 'postgres'")).length === 0);
    }
  }, { nodes: proxies });
});

test('SHOW POOL_NODES and a statement are answered that come while a notification is half-way, and the notification as well', async () => {
  await withPgloom(unwatched, async (pgloom) => {
    for (const sql of ['show pool_nodes', 'select 1', 'insert into lines values (2) returning n']) {
      const client = await login(pgloom);
      await simple(client, 'listen news');
      const held = proxy(0).hold('A');
      await cluster.query(0, "notify news, 'something has happened'");
      await held;
      client.query(sql);
      await sleep(arrivalMs);
      proxy(0).release();
      const { letters, rows } = await answer(client);
      assert.match(letters, /^ATD+CZ$/, sql);
      assert.ok(rows.length > 0);
      client.end();
    }
  }, { nodes: proxies });
});

test('a batch of Close and Sync alone is answered when the reader cannot be reached, without trying it for ever', async () => {
  await withPgloom(unwatched, async (pgloom) => {
    const client = await login(pgloom);
    assert.equal(await portOfRead(client), cluster.nodes[1]?.port);
    proxy(1).refusing = true;
    proxy(1).drop();
    // What is sent on a link before it is known to be gone ends the session.
    await sleep(arrivalMs);
    const before = proxy(1).connections;
    try {
      for (let round = 0; round < 3; round++) {
        client.close('S', 'nothing');
        client.sync();
        assert.equal((await answer(client)).letters, '3Z');
      }
      assert.ok(proxy(1).connections - before <= 3, `${proxy(1).connections - before} connections were made`);
      assert.equal(await portOfRead(client), cluster.nodes[0]?.port);
    } finally {
      proxy(1).refusing = false;
    }
    client.end();
  }, { nodes: proxies });
});

test('a read on a standby that hangs ends with an error once the node is down, and other sessions go on', async () => {
  const watched = { ...reader, notice_per_node_statement: false, health_check_period: 1, health_check_timeout: 2, health_check_max_retries: 0, connect_timeout: 2000, sr_check_period: 1 };
  await withPgloom(watched, async (pgloom) => {
    const [victim, idle] = await Promise.all([login(pgloom, 30_000), login(pgloom, 30_000)]);
    assert.equal(await portOfRead(idle), cluster.nodes[1]?.port);
    victim.query('select count(*) from generate_series(1, 1e12)');
    await sleep(arrivalMs);
    cluster.nodes[1]?.pause();
    try {
      // A write needs the primary only.
      assert.deepEqual(await simple(idle, 'insert into lines values (3) returning n'), [['3']]);
      const error = firstError(await victim.expectClose());
      assert.match(error?.['C'] ?? '', /^(08006|57P0\d)$/);
      assert.equal(await portOfRead(idle), cluster.nodes[0]?.port);
      const fresh = await login(pgloom, 30_000);
      assert.equal(await portOfRead(fresh), cluster.nodes[0]?.port);
      fresh.end();
    } finally {
      cluster.nodes[1]?.resume();
    }
    await eventually('the standby is read from again', async () => {
      const client = await login(pgloom);
      const port = await portOfRead(client);
      client.end();
      return port === cluster.nodes[1]?.port;
    });
    idle.end();
  }, { nodes: cluster.nodes });
});
