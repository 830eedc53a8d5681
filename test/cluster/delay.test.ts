/** Replication delay by SQL, on servers of its own. Run in order: they share the servers. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startCluster, type Cluster } from '../../src/main/demo/cluster.js';
import { delayAwaited, delayUnknown, NodeStatus, type NodeTable } from '../../src/shared/memory/node-table.js';
import { where } from '../routing/where.js';
import { eventually } from '../support/eventually.js';
import { startPgloom, withClient } from '../support/pgloom.js';
import { TcpProxy } from '../session/tcp-proxy.js';
import { watching } from './watched-cluster.js';

let cluster: Cluster;
before(async () => {
  cluster = await startCluster({ auth: 'host all scram_user 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust' });
  await cluster.query(0, 'create table filler (t text); create table rounds (n int)');
  await cluster.waitForReplay();
});
after(() => cluster.stop());

const manyBytes = 1_000_000;
/** For the checks of the health, which these tests are not about: a node that hangs stays in service. */
const patient = { health_check_period: 0, health_check_timeout: 60, backend_flag1: 'DISALLOW_TO_FAILOVER' };

function server(id: number): Cluster['nodes'][number] {
  const node = cluster.nodes[id];
  assert.ok(node !== undefined);
  return node;
}

/** More than `manyBytes` of WAL. */
async function write(): Promise<void> {
  await cluster.query(0, "insert into filler select repeat(md5(n::text), 30) from generate_series(1, 3000) n");
}

async function withPausedReplay(node: number, use: () => Promise<void>): Promise<void> {
  await cluster.query(node, 'select pg_wal_replay_pause()');
  try {
    await eventually('replay stands', async () => (await cluster.query<{ s: string }>(node, 'select pg_get_wal_replay_pause_state() s'))[0]?.s === 'paused');
    await use();
  } finally {
    await cluster.query(node, 'select pg_wal_replay_resume()');
    await cluster.waitForReplay();
  }
}

/** Connections that pgloom's checks have to a server. */
async function checkConnections(node: number): Promise<number> {
  const [row] = await cluster.query<{ n: number }>(node, "select count(*)::int n from pg_stat_activity where application_name = 'pgloom' and backend_type = 'client backend'");
  return row?.n ?? -1;
}

function isMeasured(table: NodeTable, node: number): boolean {
  return table.delayBytes(node) >= 0;
}

test('the delay of a standby whose replay stands grows, in bytes and in time, and no other standby\'s', async () => {
  await watching(cluster.nodes, {}, async ({ table, log }) => {
    await withPausedReplay(2, async () => {
      await write();
      await eventually('node 2 is behind', () => table.delayBytes(2) > manyBytes);
      await eventually('node 2 is late', () => table.delayUs(2) > 1_000_000);
      await eventually('node 1 is not behind', () => table.delayBytes(1) === 0);
      assert.ok(table.delayUs(1) < table.delayUs(2), `node 1: ${table.delayUs(1)} us`);
      const [bytes, us] = [table.delayBytes(2), table.delayUs(2)];
      await write();
      await eventually('node 2 is further behind', () => table.delayBytes(2) > bytes + manyBytes);
      await eventually('node 2 is later', () => table.delayUs(2) > us);
      await eventually('both stream', () => [1, 2].every((node) => table.replicationState(node) === 'streaming' && table.syncState(node) === 'async'));
    });
    await eventually('node 2 has caught up', () => table.delayBytes(2) === 0);
    assert.equal(table.delayUs(2), 0, 'and so is in time, whatever the primary remembers of its last lag');
    assert.equal(table.delayBytes(0), delayAwaited, 'of the primary there is nothing to know');
    assert.doesNotMatch(log(), /Replication of node/);
  });
});

test('SHOW POOL_NODES shows bytes, and with delay_threshold_by_time seconds', async () => {
  for (const [settings, behind, not] of [
    [{ delay_threshold: manyBytes }, /^[1-9]\d{6,}$/, '0'],
    [{ delay_threshold_by_time: 2000 }, /^[2-9]\.\d{6} seconds$/, /^[01]\.\d{6} second$/],
  ] as const) {
    const pgloom = await startPgloom({ nodes: cluster.nodes, settings: { num_init_children: 4, worker_threads: 1, ...settings } });
    try {
      await withClient(pgloom, async (client) => {
        const delays = async (): Promise<string[]> => (await client.query<{ replication_delay: string }>('show pool_nodes')).rows.map((row) => row.replication_delay);
        await withPausedReplay(2, async () => {
          await write();
          await eventually('node 2 is behind', async () => behind.test((await delays())[2] ?? ''));
          await eventually('node 1 is not', async () => new RegExp(not).test((await delays())[1] ?? ''));
          assert.equal((await delays())[0], '0');
        });
      }, { database: 'postgres' });
    } finally {
      await pgloom.stop();
    }
  }
});

test('a standby that is late is not read from: the primary is, or with prefer_lower_delay_standby another standby', async () => {
  // The first choice is node 2 in all but one of a thousand sessions; a session that chose node 1 is left.
  const weights = { backend_weight0: 0, backend_weight1: 0.001, backend_weight2: 1 };
  for (const [settings, substitute] of [
    [{ delay_threshold_by_time: 1500 }, 0],
    [{ delay_threshold_by_time: 1500, prefer_lower_delay_standby: true }, 1],
    [{ delay_threshold: manyBytes, prefer_lower_delay_standby: true }, 1],
  ] as const) {
    const pgloom = await startPgloom({ nodes: cluster.nodes, settings: { num_init_children: 4, worker_threads: 1, ...weights, ...settings } });
    try {
      await withPausedReplay(2, async () => {
        await withClient(pgloom, async (client) => {
          await write();
          await eventually(`node ${substitute} is read from`, async () => await where(client, cluster.nodes) === substitute);
        }, { database: 'postgres' });
      });
      await eventually('node 2 is read from again', () => withClient(pgloom, async (client) => await where(client, cluster.nodes) === 2, { database: 'postgres' }));
    } finally {
      await pgloom.stop();
    }
  }
});

test('log_standby_delay says when the delay is logged, in the unit in force', async () => {
  const bytesLine = /LOG: .*Replication of node: 2 is behind [1-9]\d{6,} bytes from the primary server \(node: 0\)/;
  const timeLine = /LOG: .*Replication of node: 2 is behind [1-9]\d*\.\d{6} second\(s\) from the primary server \(node: 0\)/;
  await withPausedReplay(2, async () => {
    await write();
    await watching(cluster.nodes, { log_standby_delay: 'always' }, async ({ reload, log }) => {
      await eventually('the bytes are logged', () => bytesLine.test(log()));
      reload({ delay_threshold_by_time: 1_000_000 });
      await eventually('the time is logged', () => timeLine.test(log()));
      assert.doesNotMatch(log(), /Replication of node: 0/);
    });
    await watching(cluster.nodes, { delay_threshold: 2 ** 40, delay_threshold_by_time: 1_000_000 }, async ({ table, reload, log }) => {
      await eventually('it is measured', () => table.delayBytes(2) > manyBytes && table.delayUs(2) > 1_000_000);
      assert.doesNotMatch(log(), /Replication of node/);
      reload({ delay_threshold: manyBytes });
      await eventually('the bytes are logged', () => bytesLine.test(log()));
      assert.doesNotMatch(log(), timeLine);
      reload({ delay_threshold_by_time: 1 });
      await eventually('the time is logged', () => timeLine.test(log()));
      assert.doesNotMatch(log(), /Replication of node: 1 is behind \d+ bytes/);
    });
    await watching(cluster.nodes, { log_standby_delay: 'none', delay_threshold: 1, delay_threshold_by_time: 1 }, async ({ table, log }) => {
      await eventually('it is measured', () => table.delayBytes(2) > manyBytes);
      assert.doesNotMatch(log(), /Replication of node/);
    });
  });
});

test('a standby that the primary does not show is known by its bytes alone, and a warning says why there is no time', async () => {
  await withPausedReplay(2, async () => {
    await write();
    await watching(cluster.nodes, { backend_application_name2: 'nobody', delay_threshold_by_time: 1000 }, async ({ table, log }) => {
      await eventually('node 2 is behind', () => table.delayBytes(2) > manyBytes);
      assert.equal(table.delayUs(2), delayUnknown);
      assert.equal(table.replicationState(2), '');
      assert.match(log(), /WARNING: .*node 2 is behind, and the primary does not tell by how much time/);
    });
  });
});

test('a check user without pg_monitor still learns the bytes', async () => {
  await cluster.query(0, "create role scram_user login password 'sesame'");
  await cluster.waitForReplay();
  await watching(cluster.nodes, { sr_check_user: 'scram_user', sr_check_password: 'sesame' }, async ({ table }) => {
    await withPausedReplay(2, async () => {
      await write();
      await eventually('node 2 is behind', () => table.delayBytes(2) > manyBytes);
      assert.equal(table.delayUs(2), delayUnknown);
    });
  });
});

test('the checks keep one connection for each node, open it anew when it is broken, and close it in the end', async () => {
  await watching(cluster.nodes, { ...patient, delay_threshold: 1 }, async ({ table }) => {
    assert.deepEqual([isMeasured(table, 1), isMeasured(table, 2)], [true, true], 'the delays are known when clients may come');
    const pid = async (): Promise<number | undefined> => (await cluster.query<{ pid: number }>(1, "select pid from pg_stat_activity where application_name = 'pgloom'"))[0]?.pid;
    const before = await pid();
    assert.ok(before !== undefined);
    await withPausedReplay(1, async () => {
      await write();
      await eventually('a later round', () => table.delayBytes(1) > manyBytes);
      assert.equal(await pid(), before);
      await cluster.query(1, `select pg_terminate_backend(${before})`);
    });
    await eventually('a round after that', () => table.delayBytes(1) === 0);
    assert.deepEqual(await Promise.all([0, 1, 2].map(checkConnections)), [1, 1, 1]);
    assert.notEqual(await pid(), before);
  });
  await eventually('they are closed', async () => (await Promise.all([0, 1, 2].map(checkConnections))).every((n) => n === 0));
});

test('a standby that does not answer delays nobody, gets no second connection, and its delay is awaited until it answers', async () => {
  const proxy = await TcpProxy.start(server(1).port);
  const nodes = [server(0), { host: proxy.host, port: proxy.port }, server(2)];
  try {
    await watching(nodes, patient, async ({ table, log }) => {
      await eventually('both are measured', () => isMeasured(table, 1) && isMeasured(table, 2));
      const { connections } = proxy;
      await proxy.hold('T');
      await withPausedReplay(2, async () => {
        await write();
        await eventually('node 2 is measured all the same', () => table.delayBytes(2) > manyBytes);
      });
      await eventually('the delay of node 1 is awaited', () => table.delayBytes(1) === delayAwaited && table.delayUs(1) === delayAwaited);
      assert.match(log(), /WARNING: .*the replication delay of node 1 is not known any more/);
      assert.equal(table.status(1), NodeStatus.up);
      assert.equal(proxy.connections, connections);
      await eventually('node 2 has caught up', () => table.delayBytes(2) === 0);
      proxy.release();
      await eventually('node 1 is measured again', () => isMeasured(table, 1) && table.delayUs(1) >= 0);
    });
  } finally {
    await proxy.close();
  }
});

test('a standby that the network cuts off from the primary is late, though its last word to the primary was in time', async () => {
  await watching(cluster.nodes, {}, async ({ table }) => {
    await eventually('the primary tells a lag', async () => {
      await cluster.query(0, 'insert into rounds values (1)');
      return (await cluster.query<{ lag: string | null }>(0, "select replay_lag::text lag from pg_stat_replication where application_name = 'server2'"))[0]?.lag !== null;
    });
    const [receiver] = await cluster.query<{ pid: number }>(2, 'select pid from pg_stat_wal_receiver');
    assert.ok(receiver !== undefined);
    process.kill(receiver.pid, 'SIGSTOP');
    try {
      await write();
      await eventually('node 2 is late', () => table.delayBytes(2) > manyBytes && table.delayUs(2) > 2_000_000);
      const [row] = await cluster.query<{ small: boolean }>(0, "select coalesce(replay_lag, '0') < '1 s' as small from pg_stat_replication where application_name = 'server2'");
      assert.equal(row?.small, true, 'the primary alone would not know');
    } finally {
      process.kill(receiver.pid, 'SIGCONT');
    }
    await eventually('node 2 has caught up', () => table.delayUs(2) === 0);
  });
});

test('while the primary does not answer the delays stay as they are', async () => {
  const proxy = await TcpProxy.start(server(0).port);
  const nodes = [{ host: proxy.host, port: proxy.port }, server(1), server(2)];
  try {
    await withPausedReplay(2, async () => {
      await write();
      await watching(nodes, { ...patient, backend_flag0: 'DISALLOW_TO_FAILOVER', health_check_timeout: 6 }, async ({ table, log }) => {
        await eventually('node 2 is behind', () => table.delayBytes(2) > manyBytes);
        const delayBytes = table.delayBytes(2);
        await proxy.hold('T');
        await eventually('a round has run into its limit', () => /replication delay of node 0 could not be asked: no answer within 6000 ms/.test(log()));
        assert.equal(table.delayBytes(2), delayBytes);
        proxy.release();
      });
    });
  } finally {
    await proxy.close();
  }
});

test('a standby that comes back is measured before its old delay could be believed', async () => {
  await watching(cluster.nodes, { health_check_period: 1, sr_check_period: 3600 }, async ({ table }) => {
    await eventually('it is measured', () => isMeasured(table, 2));
    await server(2).stop();
    await eventually('node 2 is down', () => table.status(2) === NodeStatus.down);
    assert.equal(table.delayBytes(2), delayAwaited);
    await server(2).start();
    await eventually('node 2 is measured, long before the next period', () => isMeasured(table, 2));
  });
});

test('a reload changes who asks and how often; sr_check_period 0 turns the checks off', async () => {
  await watching(cluster.nodes, { ...patient, sr_check_period: 0 }, async ({ table, reload }) => {
    assert.equal(table.delayBytes(2), delayUnknown);
    assert.deepEqual(await Promise.all([0, 1, 2].map(checkConnections)), [0, 0, 0]);
    await withPausedReplay(2, async () => {
      await write();
      reload({ sr_check_period: 1 });
      await eventually('node 2 is behind', () => table.delayBytes(2) > manyBytes);
      reload({ sr_check_user: 'scram_user', sr_check_password: 'sesame', sr_check_database: 'template1' });
      await eventually('another user asks', async () => {
        const rows = await cluster.query<{ who: string }>(2, "select usename || '@' || datname who from pg_stat_activity where application_name = 'pgloom'");
        return rows.map(({ who }) => who).join() === 'scram_user@template1';
      });
      assert.ok(table.delayBytes(2) > manyBytes, 'what was known stays known');
    });
    reload({ sr_check_period: 0 });
    assert.deepEqual([table.delayBytes(2), table.delayUs(2)], [delayUnknown, delayUnknown]);
    await eventually('the connections are closed', async () => (await Promise.all([0, 1, 2].map(checkConnections))).every((n) => n === 0));
  });
});
