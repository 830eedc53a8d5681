/** Sessions that have something on a node when another one takes its place. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startCluster } from '../../src/main/demo/cluster.js';
import { sharedCluster } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { startPgloom, withClient, type Pgloom } from '../support/pgloom.js';
import { firstError, rowsOf } from '../support/wire-fields.js';
import { WireClient } from '../support/wire.js';
import { answer, simple } from '../routing/one-write.js';
import { readerIsNode1 } from '../routing/where.js';
import { TcpProxy } from './tcp-proxy.js';

const database = { database: 'postgres' };

interface Moving {
  readonly pgloom: Pgloom;
  /** Makes node 1 the primary; the links to the old one live on, while new connections to its address find a standby. */
  readonly change: () => Promise<void>;
  readonly lines: (server: number) => Promise<number[]>;
}

/** A primary (node 0, behind a proxy), a standby that can take its place (node 1), and a server for the proxy to turn to. */
async function withMovingPrimary(use: (moving: Moving) => Promise<void>): Promise<void> {
  const cluster = await startCluster({ standbys: 2 });
  const [old, next, other] = cluster.nodes;
  assert.ok(old !== undefined && next !== undefined && other !== undefined);
  const proxy = await TcpProxy.start(old.port);
  try {
    await cluster.query(0, 'create table lines (n int)');
    await cluster.waitForReplay();
    const { backend_weight2: _, ...settings } = readerIsNode1;
    const pgloom = await startPgloom({ nodes: [proxy, next], settings: { num_init_children: 8, ...settings, notice_per_node_statement: false } });
    try {
      await use({
        pgloom,
        change: async () => {
          // First the target: a check between the two would find two primaries, and take the new one out.
          proxy.turnTo(other.port);
          await next.promote();
          await eventually('SHOW POOL_NODES says that node 1 is the primary', () => withClient(pgloom, async (client) => {
            const { rows } = await client.query<{ role: string }>('show pool_nodes');
            return rows[1]?.role === 'primary';
          }, database).catch(() => false));
        },
        lines: async (server) => (await cluster.query<{ n: number }>(server, 'select n from lines order by n')).map(({ n }) => n),
      });
    } finally {
      await pgloom.stop();
    }
  } finally {
    await proxy.close();
    await cluster.stop();
  }
}

/** The client's next statement ends its session, with the reason. */
async function assertEnded(client: WireClient, sql: string): Promise<void> {
  client.query(sql);
  const messages = await client.expectClose();
  const error = firstError(messages);
  assert.equal(error?.['C'], '57P01', sql);
  assert.equal(error?.['M'], 'terminating connection because the primary node has changed');
  assert.deepEqual(rowsOf(messages), []);
}

test('a transaction ends on the node where it began and a session with state ends, when another node has become the primary', async () => {
  await withMovingPrimary(async ({ pgloom, change, lines }) => {
    const login = (): Promise<WireClient> => WireClient.login(pgloom.port, database);
    const [extended, plain, stateful, inBatch, reading] = await Promise.all([login(), login(), login(), login(), login()]);
    await simple(extended, 'begin');
    await simple(extended, 'insert into lines values (1)');
    await simple(plain, 'begin');
    await simple(plain, 'insert into lines values (2)');
    for (const client of [stateful, inBatch]) await simple(client, "select set_config('search_path', 'mine', false)");
    await simple(reading, 'select count(*) from lines');

    await change();

    extended.parse('commit');
    extended.bind();
    extended.execute();
    extended.sync();
    assert.deepEqual(await answer(extended), { letters: '12CZ', rows: [], error: undefined });
    assert.deepEqual(await lines(0), [1]);
    await simple(plain, 'insert into lines values (3)');
    await simple(plain, 'commit');
    assert.deepEqual(await lines(0), [1, 2, 3]);
    assert.deepEqual(await lines(1), []);

    await assertEnded(extended, 'insert into lines values (4)');
    await assertEnded(plain, 'select count(*) from lines');
    await assertEnded(stateful, 'show search_path');
    inBatch.parse('select 1');
    inBatch.bind();
    inBatch.execute();
    inBatch.sync();
    const error = firstError(await inBatch.expectClose());
    assert.equal(error?.['C'], '57P01');

    // A session that has nothing on the old primary goes on, and writes on the new one.
    await simple(reading, 'insert into lines values (5)');
    assert.deepEqual(await lines(1), [5]);
    assert.deepEqual(await lines(0), [1, 2, 3]);
    reading.end();
  });
});

test('in raw mode a session stays on the node where it logged in, though the first one is back', async () => {
  const [first, second] = sharedCluster().nodes;
  assert.ok(first !== undefined && second !== undefined);
  const proxy = await TcpProxy.start(first.port);
  const pgloom = await startPgloom({ nodes: [proxy, second], settings: {
    num_init_children: 8, backend_clustering_mode: 'raw', load_balance_mode: false, health_check_period: 1, health_check_max_retries: 0,
  } });
  try {
    const port = async (client: WireClient): Promise<string> => (await simple(client, 'show port'))[0]?.[0] ?? '';
    proxy.refusing = true;
    const client = await WireClient.login(pgloom.port);
    await simple(client, "set search_path = 'mine'");
    assert.equal(await port(client), String(second.port));
    proxy.refusing = false;
    await eventually('new sessions are on the first node', async () => {
      const other = await WireClient.login(pgloom.port);
      const found = await port(other);
      other.end();
      return found === String(first.port);
    });
    assert.equal(await port(client), String(second.port));
    assert.deepEqual(await simple(client, 'show search_path'), [['mine']]);
    client.parse('show port');
    client.bind();
    client.execute();
    client.sync();
    assert.deepEqual((await answer(client)).rows, [[String(second.port)]]);
    client.end();
  } finally {
    await pgloom.stop();
    await proxy.close();
  }
});
