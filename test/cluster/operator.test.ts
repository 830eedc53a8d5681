/** What an operator does to nodes: detach, attach, promote, gracefully or not, and over a restart. Real servers, over PCP. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCluster } from '../../src/main/demo/cluster.js';
import { type Outcome, PcpPrograms } from '../cli/pcp-programs.js';
import { eventually, eventuallyEqual } from '../support/eventually.js';
import { type Pgloom, type PgloomOptions, startPgloom, withClient } from '../support/pgloom.js';

const programs = new PcpPrograms('*:*:operator:secret\n');
after(() => programs.remove());

const pcpConf = `operator:${createHash('md5').update('secret').digest('hex')}\n`;

function start(settings: PgloomOptions['settings'] = {}): Promise<Pgloom> {
  return startPgloom({ pcp: pcpConf, settings: { health_check_period: 1, recovery_timeout: 3, ...settings } });
}

function order(pgloom: Pgloom, name: string, ...args: string[]): Promise<Outcome> {
  return programs.run([name, '-h', '127.0.0.1', '-p', String(pgloom.pcpPort), '-U', 'operator', '-w', ...args]);
}

/** In a database that every cluster has. */
async function nodes(pgloom: Pgloom): Promise<string[]> {
  return withClient(pgloom, async (client) => {
    const { rows } = await client.query<{ status: string; role: string }>('show pool_nodes');
    return rows.map(({ status, role }) => `${status} ${role}`);
  }, { database: 'postgres' });
}

async function untilNodes(pgloom: Pgloom, expected: readonly string[]): Promise<void> {
  await eventuallyEqual(expected, () => nodes(pgloom));
}

const allUp = ['up primary', 'up standby', 'up standby'];

describe('nodes of a running pgloom', () => {
  let pgloom: Pgloom;
  before(async () => {
    pgloom = await start();
  });
  after(() => pgloom.stop());

  test('a node that was detached stays out though it answers, and is back when it is attached', async () => {
    assert.equal((await order(pgloom, 'pcp_detach_node', '1')).status, 0);
    await untilNodes(pgloom, ['up primary', 'down standby', 'up standby']);
    await sleep(2500); // two rounds of the health check
    assert.deepEqual(await nodes(pgloom), ['up primary', 'down standby', 'up standby']);
    const { stderr, status } = await order(pgloom, 'pcp_detach_node', '1');
    assert.deepEqual([status, stderr], [1, 'ERROR:  invalid degenerate backend request, node id : 1 status: [3] is not valid for failover\n\n']);
    await order(pgloom, 'pcp_attach_node', '1');
    await untilNodes(pgloom, allUp);
    assert.equal((await order(pgloom, 'pcp_attach_node', '1')).status, 0, 'attaching a node that is up is accepted');
  });

  test('sessions of a detached node go on elsewhere, or end if they have written there', async () => {
    await withClient(pgloom, async (reader) => {
      await reader.query('select 1');
      await order(pgloom, 'pcp_detach_node', '1');
      await order(pgloom, 'pcp_detach_node', '2');
      await untilNodes(pgloom, ['up primary', 'down standby', 'down standby']);
      // Sessions look once a second.
      await eventually('it reads from the primary', async () => (await reader.query<{ recovery: boolean }>('select pg_is_in_recovery() as recovery')).rows[0]?.recovery === false);
    });
    await order(pgloom, 'pcp_attach_node', '1');
    await order(pgloom, 'pcp_attach_node', '2');
    await untilNodes(pgloom, allUp);
  });

  test('a graceful detach waits until the clients have left, and lets no new ones in meanwhile', async () => {
    let detached: Promise<Outcome> | undefined;
    let late: Promise<string[]> | undefined;
    let lateIsIn = false;
    await withClient(pgloom, async (client) => {
      detached = order(pgloom, 'pcp_detach_node', '-g', '2');
      // The command may take its time to begin.
      await eventually('who comes now has to wait', async () => {
        lateIsIn = false;
        late = nodes(pgloom).finally(() => { lateIsIn = true; });
        await Promise.race([late, sleep(2000)]);
        return !lateIsIn;
      });
      await client.query('select 1');
    });
    assert.equal((await detached)?.status, 0);
    assert.deepEqual(await late, ['up primary', 'up standby', 'down standby']);
    await order(pgloom, 'pcp_attach_node', '2');
    await untilNodes(pgloom, allUp);
  });

  test('a graceful detach gives up, and says so, when clients do not leave', async () => {
    await withClient(pgloom, async (client) => {
      const { status, stderr } = await order(pgloom, 'pcp_detach_node', '-g', '2');
      assert.deepEqual([status, stderr], [1, 'ERROR:  clients did not leave within recovery_timeout\nDETAIL:  nothing was done\n\n']);
      await client.query('select 1');
    });
    assert.deepEqual(await nodes(pgloom), allUp);
  });

  test('a graceful promote looks again when the clients have left: the node may have been detached', async () => {
    let promoted: Promise<Outcome> | undefined;
    await withClient(pgloom, async (client) => {
      promoted = order(pgloom, 'pcp_promote_node', '-g', '1');
      await sleep(700);
      assert.equal((await order(pgloom, 'pcp_detach_node', '1')).status, 0);
      await client.query('select 1');
    });
    assert.equal((await promoted)?.status, 1);
    assert.deepEqual(await nodes(pgloom), ['up primary', 'down standby', 'up standby']);
    await order(pgloom, 'pcp_attach_node', '1');
    await untilNodes(pgloom, allUp);
  });

  test('promoting a node takes the others out; it holds until the true primary is attached', async () => {
    assert.equal((await order(pgloom, 'pcp_promote_node', '2')).status, 0);
    await untilNodes(pgloom, ['down standby', 'down standby', 'up primary']);
    await sleep(2500);
    assert.deepEqual(await nodes(pgloom), ['down standby', 'down standby', 'up primary']);
    const again = await order(pgloom, 'pcp_promote_node', '2');
    assert.deepEqual([again.status, again.stderr], [1, "FATAL:  invalid promote request\nDETAIL:  specified node is already primary node, can't promote node id 2\n\n"]);
    assert.equal((await order(pgloom, 'pcp_promote_node', '1')).status, 1, 'a detached node is not promoted');
    await order(pgloom, 'pcp_attach_node', '0');
    await order(pgloom, 'pcp_attach_node', '1');
    await untilNodes(pgloom, allUp);
    await withClient(pgloom, (client) => client.query('insert into bumps default values'));
  });

  test('a switchover does the same', async () => {
    assert.equal((await order(pgloom, 'pcp_promote_node', '-s', '1')).status, 0);
    await untilNodes(pgloom, ['down standby', 'up primary', 'down standby']);
    await order(pgloom, 'pcp_attach_node', '0');
    await order(pgloom, 'pcp_attach_node', '2');
    await untilNodes(pgloom, allUp);
  });
});

test('a standby that was promoted behind the back of pgloom becomes the primary when the operator says so', async () => {
  const cluster = await startCluster({ standbys: 1 });
  const pgloom = await startPgloom({ nodes: cluster.nodes, pcp: pcpConf, settings: { health_check_period: 1 } });
  try {
    await cluster.nodes[1]?.promote();
    await untilNodes(pgloom, ['up primary', 'down standby']);
    assert.equal((await order(pgloom, 'pcp_promote_node', '1')).status, 0);
    await untilNodes(pgloom, ['down standby', 'up primary']);
    await sleep(2500);
    assert.deepEqual(await nodes(pgloom), ['down standby', 'up primary']);
    await withClient(pgloom, async (client) => {
      await client.query('create table after_promotion (id int)');
      assert.deepEqual((await client.query('select pg_is_in_recovery() as recovery')).rows, [{ recovery: false }]);
    }, { database: 'postgres' });
  } finally {
    await pgloom.stop();
    await cluster.stop();
  }
});

test('a detached node whose server dies is shown so', async () => {
  const cluster = await startCluster({ standbys: 1 });
  const pgloom = await startPgloom({ nodes: cluster.nodes, pcp: pcpConf, settings: { health_check_period: 1 } });
  try {
    await order(pgloom, 'pcp_detach_node', '1');
    await cluster.nodes[1]?.stop('fast');
    const shown = async (): Promise<string> => (await order(pgloom, 'pcp_node_info', '1')).stdout.split(' ').slice(4, 8).join(' ');
    await eventually('node 1 is seen down', async () => await shown() === 'down down standby unknown');
  } finally {
    await pgloom.stop();
    await cluster.stop();
  }
});

test('a node that may not be taken out of service is not detached', async () => {
  const pgloom = await start({ backend_flag1: 'DISALLOW_TO_FAILOVER' });
  try {
    const { status, stderr } = await order(pgloom, 'pcp_detach_node', '1');
    assert.equal(status, 1);
    assert.match(stderr, /is canceled because failover is disallowed on the node/);
    assert.deepEqual(await nodes(pgloom), allUp);
  } finally {
    await pgloom.stop();
  }
});

test('a detached node stays detached over a restart, and pgpool_status says so', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'pgloom-status-'));
  try {
    const first = await start({ work_dir: directory });
    try {
      await order(first, 'pcp_detach_node', '1');
      await untilNodes(first, ['up primary', 'down standby', 'up standby']);
    } finally {
      await first.stop();
    }
    assert.equal(readFileSync(join(directory, 'pgpool_status'), 'utf8'), 'up\ndown op\nup\n');
    const second = await start({ work_dir: directory });
    try {
      assert.deepEqual(await nodes(second), ['up primary', 'down standby', 'up standby']);
      await sleep(1500);
      assert.deepEqual(await nodes(second), ['up primary', 'down standby', 'up standby']);
      await order(second, 'pcp_attach_node', '1');
      await untilNodes(second, allUp);
    } finally {
      await second.stop();
    }
    assert.equal(readFileSync(join(directory, 'pgpool_status'), 'utf8'), 'up\nup\nup\n');
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
