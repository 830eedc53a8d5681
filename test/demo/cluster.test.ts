import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { startCluster, type Cluster } from '../../src/main/demo/cluster.js';
import { childrenOf, isRunning } from '../../src/main/demo/processes.js';
import { readLine } from '../support/lines.js';

describe('the embedded cluster', () => {
  let cluster: Cluster;
  before(async () => { cluster = await startCluster(); });
  after(() => cluster.stop());

  it('has one primary and two standbys', async () => {
    const states = await Promise.all(cluster.nodes.map((node) => node.query('select pg_is_in_recovery() as standby')));
    assert.deepEqual(states.flat().map((row) => row['standby']), [false, true, true]);
  });

  it('names its standbys to the primary as server1 and server2', async () => {
    await cluster.waitForReplay();
    const rows = await cluster.query(0, 'select application_name, state from pg_stat_replication order by 1');
    assert.deepEqual(rows, [
      { application_name: 'server1', state: 'streaming' }, { application_name: 'server2', state: 'streaming' },
    ]);
  });

  it('replicates what the primary writes', async () => {
    await cluster.query(0, 'create table copied as select 42 as answer');
    await cluster.waitForReplay();
    for (const id of [1, 2]) assert.deepEqual(await cluster.query(id, 'select answer from copied'), [{ answer: 42 }]);
  });

  it('stops and starts a node, which then catches up', async () => {
    const node = cluster.nodes[1]!;
    await node.stop();
    assert.equal(node.running, false);
    await assert.rejects(node.query('select 1'));
    await cluster.query(0, 'create table meanwhile as select 1 as n');
    await node.start();
    await cluster.waitForReplay();
    assert.deepEqual(await node.query('select n from meanwhile'), [{ n: 1 }]);
  });

  it('kills a node with all its processes and starts it again', async () => {
    const node = cluster.nodes[2]!;
    const pids = [node.pid!, ...childrenOf(node.pid!)];
    assert.ok(pids.length > 3, 'a server has background processes');
    await node.kill();
    assert.equal(isRunning(pids[0]!), false);
    await node.start();
    assert.deepEqual(await node.query('select 1 as n'), [{ n: 1 }]);
  });

  it('pauses a node, which then accepts but does not answer until it is resumed', async () => {
    const node = cluster.nodes[1]!;
    node.pause();
    const socket = connect(node.port, node.host);
    await once(socket, 'connect');
    const answer = node.query('select 1 as n');
    node.resume();
    assert.deepEqual(await answer, [{ n: 1 }]);
    socket.destroy();
  });

  it('runs its servers as an unprivileged user when we are root', { skip: process.platform !== 'linux' }, () => {
    for (const node of cluster.nodes) {
      assert.notEqual(statSync(`/proc/${node.pid}`).uid, 0);
      assert.notEqual(statSync(node.directory).uid, 0);
    }
  });
});

describe('a cluster of its own', () => {
  it('leaves no process and no directory after stop', async () => {
    const cluster = await startCluster({ standbys: 1 });
    const pids = cluster.nodes.flatMap((node) => [node.pid!, ...childrenOf(node.pid!)]);
    await cluster.stop();
    assert.deepEqual(pids.filter(isRunning), []);
    assert.equal(existsSync(cluster.directory), false);
    await cluster.stop();
  });

  it('does not depend on the name of its superuser, with which the standbys log in too', async () => {
    const cluster = await startCluster({ standbys: 1, user: 'somebody' });
    try {
      assert.deepEqual(await cluster.query(0, 'select usename from pg_stat_replication'), [{ usename: 'somebody' }]);
    } finally {
      await cluster.stop();
    }
  });

  it('lets a standby be promoted after its primary crashed', async () => {
    const cluster = await startCluster({ standbys: 1 });
    try {
      await cluster.nodes[0]!.kill();
      await cluster.nodes[1]!.promote();
      assert.deepEqual(await cluster.query(1, 'select pg_is_in_recovery() as standby'), [{ standby: false }]);
    } finally {
      await cluster.stop();
    }
  });

  const owner = `
    const { startCluster } = await import(process.argv[1]);
    const cluster = await startCluster({ standbys: 1 });
    console.log(JSON.stringify({ directory: cluster.directory, pids: cluster.nodes.map((node) => node.pid) }));
    process.stdin.on('data', () => { throw new Error('on purpose'); });
  `;
  const endings = {
    'SIGINT': (child: ReturnType<typeof spawn>) => child.kill('SIGINT'),
    'SIGTERM': (child: ReturnType<typeof spawn>) => child.kill('SIGTERM'),
    'an uncaught error': (child: ReturnType<typeof spawn>) => child.stdin?.write('now'),
  };
  for (const [name, end] of Object.entries(endings)) {
    it(`ends with ${name} in the process that started it, and leaves nothing behind`, async () => {
      const module = new URL('../../src/main/demo/cluster.js', import.meta.url).href;
      const child = spawn(process.execPath, ['--input-type=module', '-e', owner, module], { stdio: ['pipe', 'pipe', 'ignore'] });
      const closed = once(child, 'close');
      const { directory, pids } = JSON.parse(await readLine(child.stdout)) as { directory: string; pids: number[] };
      assert.deepEqual(pids.filter(isRunning), pids);
      end(child);
      const [code] = await closed;
      assert.notEqual(code, 0);
      assert.deepEqual(pids.filter(isRunning), []);
      assert.equal(existsSync(directory), false);
    });
  }
});
