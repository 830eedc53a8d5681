/** Node states on real servers: start, health check, replication delay, return. Run in order: they share servers. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startCluster, type Cluster } from '../../src/main/demo/cluster.js';
import { freePort } from '../../src/main/demo/free-port.js';
import { NodeRole, NodeStatus, type NodeTable, PgRole, PgStatus } from '../../src/shared/memory/node-table.js';
import { eventually } from '../support/eventually.js';
import { watching } from './watched-cluster.js';

let cluster: Cluster;

before(async () => {
  cluster = await startCluster({
    auth: [
      'host all with_scram 127.0.0.1/32 scram-sha-256',
      'host all with_md5 127.0.0.1/32 md5',
      'host all in_clear 127.0.0.1/32 password',
      'host all all 127.0.0.1/32 trust',
    ].join('\n'),
  });
});
after(() => cluster.stop());

function server(id: number): Cluster['nodes'][number] {
  const node = cluster.nodes[id];
  assert.ok(node !== undefined);
  return node;
}

function statuses(table: NodeTable): NodeStatus[] {
  return Array.from({ length: table.count }, (_, node) => table.status(node));
}

test('at the start the nodes are up and have the roles they say they have', async () => {
  await watching(cluster.nodes, {}, async ({ table, log }) => {
    assert.deepEqual(statuses(table), [NodeStatus.up, NodeStatus.up, NodeStatus.up]);
    assert.equal(table.primary, 0);
    assert.deepEqual([0, 1, 2].map((node) => table.role(node)), [NodeRole.primary, NodeRole.standby, NodeRole.standby]);
    assert.deepEqual([0, 1, 2].map((node) => table.pgRole(node)), [PgRole.primary, PgRole.standby, PgRole.standby]);
    assert.match(log(), /node 0 is the primary/);
  });
});

test('the primary is found under whatever id it has', async () => {
  await watching([server(2), server(1), server(0)], {}, async ({ table }) => {
    assert.equal(table.primary, 2);
  });
});

test('the checks log in with scram, md5 and clear text passwords', async () => {
  await cluster.query(0, `create role with_scram login password 'sesame';
    set password_encryption = 'md5'; create role with_md5 login password 'sesame'; create role in_clear login password 'sesame'`);
  await cluster.waitForReplay();
  for (const user of ['with_scram', 'with_md5', 'in_clear']) {
    await watching(cluster.nodes, { sr_check_user: user, sr_check_password: 'sesame' }, async ({ table }) => {
      assert.equal(table.primary, 0, user);
    });
    await watching(cluster.nodes, { sr_check_user: user }, async ({ table }) => {
      assert.equal(table.primary, 0, `${user} with the password of pool_passwd`);
    }, new Map([[user, 'sesame']]));
  }
});

test('a refused login says that the server runs, is logged, and never with the password', async () => {
  await watching(cluster.nodes, { sr_check_user: 'with_scram', sr_check_password: 'swordfish', search_primary_node_timeout: 1 }, async ({ table, log }) => {
    assert.deepEqual(statuses(table), [NodeStatus.up, NodeStatus.up, NodeStatus.up]);
    assert.equal(table.primary, -1);
    assert.match(log(), /password authentication failed/);
    assert.doesNotMatch(log(), /swordfish/);
  });
});

test('without anybody to log in as, node 0 is taken for the primary and a warning says so', async () => {
  await watching([server(1), server(0)], { sr_check_user: '', health_check_user: '' }, async ({ table, log }) => {
    assert.equal(table.primary, 0);
    assert.match(log(), /WARNING: .*node 0 is taken for it/);
  });
  await watching([server(1), server(0)], { sr_check_user: '', health_check_user: '', backend_flag1: 'ALWAYS_PRIMARY' }, async ({ table }) => {
    assert.equal(table.primary, 1);
  });
});

test('the delay of a standby and what the primary says of its replication are in the table', async () => {
  await cluster.query(2, 'select pg_wal_replay_pause()');
  try {
    await cluster.query(0, 'create table delay_test as select generate_series(1, 1000)');
    await watching(cluster.nodes, {}, async ({ table }) => {
      await eventually('node 2 is behind', () => table.delayBytes(2) > 1000);
      await eventually('node 1 is not', () => table.delayBytes(1) === 0);
      await eventually('node 1 streams', () => table.replicationState(1) === 'streaming' && table.syncState(1) === 'async');
      await cluster.query(2, 'select pg_wal_replay_resume()');
      await eventually('node 2 has caught up', () => table.delayBytes(2) === 0);
    });
  } finally {
    await cluster.query(2, 'select pg_wal_replay_resume()');
  }
});

test('a standby that hangs is found down, and does not keep the delay of another from being measured', async () => {
  await watching(cluster.nodes, { backend_flag1: 'DISALLOW_TO_FAILOVER', health_check_timeout: 30 }, async ({ table }) => {
    server(1).pause();
    try {
      await cluster.query(2, 'select pg_wal_replay_pause()');
      await cluster.query(0, 'insert into delay_test select generate_series(1, 1000)');
      await eventually('node 2 is behind', () => table.delayBytes(2) > 1000);
    } finally {
      await cluster.query(2, 'select pg_wal_replay_resume()');
      server(1).resume();
    }
  });
  await watching(cluster.nodes, { health_check_timeout: 1 }, async ({ table }) => {
    server(1).pause();
    try {
      await eventually('node 1 is down', () => table.status(1) === NodeStatus.down);
      assert.equal(table.pgStatus(1), PgStatus.down);
    } finally {
      server(1).resume();
    }
    await eventually('node 1 is back', () => table.status(1) === NodeStatus.up);
  });
});

test('a standby that is stopped goes down and comes back when it answers', async () => {
  await watching(cluster.nodes, { health_check_max_retries: 1, health_check_retry_delay: 1 }, async ({ table, log }) => {
    await server(2).stop();
    await eventually('node 2 is down', () => table.status(2) === NodeStatus.down);
    assert.equal(table.primary, 0);
    assert.match(log(), /node 2 is down: ECONNREFUSED/);
    await server(2).start();
    await eventually('node 2 is back', () => table.status(2) === NodeStatus.up);
    assert.match(log(), /node 2 answers again/);
  });
});

test('a node of DISALLOW_TO_FAILOVER stays in service and the log says why', async () => {
  await watching(cluster.nodes, { backend_flag2: 'DISALLOW_TO_FAILOVER' }, async ({ table, log }) => {
    await server(2).stop();
    try {
      await eventually('it is logged', () => log().includes('DISALLOW_TO_FAILOVER'));
      assert.equal(table.isAlive(2), true);
    } finally {
      await server(2).start();
    }
  });
});

test("a worker's report is believed only when the node does not answer the primary thread either", async () => {
  await watching(cluster.nodes, { health_check_period: 0 }, async ({ watch, table }) => {
    watch.nodeFailed(1, 'made up');
    await server(2).stop();
    try {
      watch.nodeFailed(2, 'connection refused');
      await eventually('node 2 is down', () => table.status(2) === NodeStatus.down);
      assert.equal(table.isAlive(1), true);
    } finally {
      await server(2).start();
    }
  });
  await watching(cluster.nodes, { health_check_period: 0, failover_on_backend_error: 'off' }, async ({ watch, table }) => {
    await server(2).stop();
    try {
      watch.nodeFailed(2, 'connection refused');
      watch.nodeFailed(99, 'no such node');
      assert.equal(table.isAlive(2), true);
    } finally {
      await server(2).start();
    }
  });
});

test('a server that never answers, or speaks something else, is down at the start', async () => {
  const closed = { host: '127.0.0.1', port: await freePort() };
  server(2).pause();
  try {
    await watching([server(0), closed, server(2)], {}, async ({ table }) => {
      assert.deepEqual(statuses(table), [NodeStatus.up, NodeStatus.down, NodeStatus.down]);
    });
  } finally {
    server(2).resume();
  }
});

test('in raw mode there are no roles but a main node, the lowest that lives', async () => {
  await watching(cluster.nodes, { backend_clustering_mode: 'raw' }, async ({ table }) => {
    assert.equal(table.primary, -1);
    assert.deepEqual([0, 1, 2].map((node) => table.role(node)), [NodeRole.main, NodeRole.replica, NodeRole.replica]);
    await server(0).stop();
    try {
      await eventually('node 1 is the main node', () => table.main === 1 && table.role(1) === NodeRole.main);
    } finally {
      await server(0).start();
    }
    await eventually('node 0 is it again', () => table.main === 0);
  });
});
