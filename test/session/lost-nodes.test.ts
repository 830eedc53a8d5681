/** Sessions while nodes go away and come back. Run in order: the tests share servers of their own. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { type Cluster, startCluster } from '../../src/main/demo/cluster.js';
import { eventually, eventuallyEqual } from '../support/eventually.js';
import { type Pgloom, startPgloom, withClient } from '../support/pgloom.js';
import { firstError } from '../support/wire-fields.js';
import { WireClient } from '../support/wire.js';
import { where } from '../routing/where.js';

let cluster: Cluster;
let pgloom: Pgloom;
before(async () => {
  cluster = await startCluster({ standbys: 2 });
  await cluster.query(0, 'create database kept');
  await cluster.query(0, 'create table lines (n int)', 'kept');
  await cluster.waitForReplay();
  pgloom = await startPgloom({ nodes: cluster.nodes, settings: {
    num_init_children: 16, health_check_period: 1, health_check_timeout: 3, health_check_max_retries: 0, connect_timeout: 2000, auto_failback: true, auto_failback_interval: 1,
  } });
});
after(async () => {
  await pgloom.stop();
  await cluster.stop();
});

const database = { database: 'kept' };
const session = <T>(use: (client: Client) => Promise<T>): Promise<T> => withClient(pgloom, use, database);

async function statuses(): Promise<string[]> {
  return session(async (client) => (await client.query<{ status: string }>('show pool_nodes')).rows.map(({ status }) => status));
}

async function waitForStatuses(expected: readonly string[]): Promise<void> {
  await eventuallyEqual(expected, async () => {
    const seen = await statuses().catch((error: Error) => [error.message]);
    // A node that came back and that nobody has used yet is said to wait.
    return seen.map((status) => (status === 'waiting' ? 'up' : status));
  });
}

/** A session whose reads go to this node. */
async function sessionAt(node: number): Promise<Client> {
  for (let i = 0; i < 200; i++) {
    const client = new Client({ host: pgloom.host, port: pgloom.port, user: 'postgres', ...database });
    client.on('error', () => undefined);
    await client.connect();
    if (await where(client, cluster.nodes) === node) return client;
    await client.end();
  }
  throw new Error(`no session reads from node ${node}`);
}

test('when a standby stops, its sessions read elsewhere and go on writing, and it is shown down', async () => {
  const client = await sessionAt(1);
  await client.query("set search_path = 'kept', 'public'");
  await cluster.nodes[1]?.stop('fast');
  assert.notEqual(await where(client, cluster.nodes), 1);
  assert.deepEqual((await client.query('show search_path')).rows, [{ search_path: 'kept, public' }]);
  await client.query('insert into lines values (1)');
  await client.end();
  await waitForStatuses(['up', 'down', 'up']);
  for (let i = 0; i < 10; i++) await session(async (other) => assert.notEqual(await where(other, cluster.nodes), 1));
});

test('the standby comes back and is read from again', async () => {
  await cluster.nodes[1]?.start();
  await waitForStatuses(['up', 'up', 'up']);
  await (await sessionAt(1)).end();
});

test('when a standby is killed in the middle of a read, that session gets a clear error', async () => {
  const client = await sessionAt(2);
  const reading = assert.rejects(client.query('select count(*) from generate_series(1, 1e12)'), (error: Error & { code?: string }) => {
    assert.match(error.code ?? '', /^(08006|57P01|57P02|57P03)$/);
    return true;
  });
  await sleep(300);
  await cluster.nodes[2]?.kill();
  await reading;
  await waitForStatuses(['up', 'up', 'down']);
  await cluster.nodes[2]?.start();
  await waitForStatuses(['up', 'up', 'up']);
});

test('when the primary stops, new sessions still read, and a write gets a clear error', async () => {
  const writer = await sessionAt(1);
  await writer.query('insert into lines values (2)');
  await cluster.nodes[0]?.stop('fast');
  await assert.rejects(writer.query('insert into lines values (3)'));
  await waitForStatuses(['down', 'up', 'up']);
  for (let i = 0; i < 5; i++) {
    await session(async (client) => {
      assert.notEqual(await where(client, cluster.nodes), 0);
      await assert.rejects(client.query('insert into lines values (3)'), (error: Error & { code?: string }) => {
        assert.match(`${error.code} ${error.message}`, /^(25006|57P03|08006) /);
        return true;
      });
    }).catch((error: Error) => assert.fail(error.message));
  }
});

test('when all nodes are down a client is told so with 57P03, and pgloom goes on', async () => {
  await cluster.nodes[1]?.stop('fast');
  await cluster.nodes[2]?.stop('fast');
  let error: ReturnType<typeof firstError>;
  await eventually(() => `57P03, not ${JSON.stringify(error)}`, async () => {
    const client = await WireClient.connect(pgloom.port);
    client.startup({ user: 'postgres', database: 'kept' });
    error = firstError(await client.expectClose());
    return error?.['C'] === '57P03';
  });
  assert.equal(error?.['M'], 'pgpool is not accepting any new connections');
});

test('when the nodes come back, everything works again', async () => {
  await Promise.all(cluster.nodes.map((node) => node.start()));
  await waitForStatuses(['up', 'up', 'up']);
  await session((client) => client.query('insert into lines values (4)'));
});
