/** A reader whose replay stands still. These tests have servers of their own. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Cluster, startCluster } from '../../src/main/demo/cluster.js';
import { eventually } from '../support/eventually.js';
import { withClient } from '../support/pgloom.js';
import { readerIsNode1, where, withPgloom } from './where.js';

let cluster: Cluster;
before(async () => {
  cluster = await startCluster({ standbys: 1 });
  await cluster.query(0, 'create table filler (t text)');
  await cluster.waitForReplay();
});
after(() => cluster.stop());

const database = { database: 'postgres' };

async function withPausedReplay(use: () => Promise<void>): Promise<void> {
  await cluster.query(1, 'select pg_wal_replay_pause()');
  try {
    await use();
  } finally {
    await cluster.query(1, 'select pg_wal_replay_resume()');
    await cluster.waitForReplay();
  }
}

test('a reader that is behind by more than delay_threshold is not read from until it has caught up', async () => {
  const { backend_weight2: _, ...settings } = readerIsNode1;
  await withPgloom({ ...settings, delay_threshold: 1_000_000, sr_check_period: 1 }, async (pgloom) => {
    await withClient(pgloom, async (client) => {
      assert.equal(await where(client, cluster.nodes), 1);
      const waitFor = (node: number): Promise<void> => eventually(`reads go to node ${node}`, async () => await where(client, cluster.nodes) === node);
      await withPausedReplay(async () => {
        await client.query("insert into filler select repeat('x', 1000) from generate_series(1, 4000)");
        await waitFor(0);
        const { rows } = await client.query<{ node_id: string; replication_delay: string }>('show pool_nodes');
        assert.ok(Number(rows[1]?.replication_delay) > 1_000_000, JSON.stringify(rows));
      });
      await waitFor(1);
    }, database);
  }, { nodes: cluster.nodes });
});

test('a SET that the reader cannot follow keeps the session on the primary instead of ending it', async () => {
  const { backend_weight2: _, ...settings } = readerIsNode1;
  await withPgloom({ ...settings, delay_threshold: 0 }, async (pgloom) => {
    await withPausedReplay(async () => {
      for (const joined of [true, false]) {
        await withClient(pgloom, async (client) => {
          if (joined) assert.equal(await where(client, cluster.nodes), 1);
          await client.query('create role too_new');
          await client.query('set role too_new');
          assert.deepEqual((await client.query('select current_user::text as u')).rows, [{ u: 'too_new' }]);
          assert.equal(await where(client, cluster.nodes), 0);
          await client.query('reset role');
          await client.query('drop role too_new');
        }, database);
      }
    });
  }, { nodes: cluster.nodes });
});

test('a statement that the reader cannot prepare yet is run on the primary', async () => {
  const { backend_weight2: _, ...settings } = readerIsNode1;
  await withPgloom({ ...settings, delay_threshold: 0 }, async (pgloom) => {
    await withPausedReplay(async () => {
      await withClient(pgloom, async (client) => {
        // Prepared after a write of its transaction, so on the primary; run outside, so meant for the reader.
        await client.query('begin');
        await client.query('create table newborn (n int)');
        const named = { name: 'newborn', text: 'select count(*)::int as n from newborn where n = $1', values: [1] };
        assert.deepEqual((await client.query(named)).rows, [{ n: 0 }]);
        await client.query('commit');
        assert.deepEqual((await client.query(named)).rows, [{ n: 0 }]);
        await client.query('drop table newborn');
      }, database);
    });
  }, { nodes: cluster.nodes });
});
