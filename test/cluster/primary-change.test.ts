/** The primary goes and another comes, on real servers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startCluster } from '../../src/main/demo/cluster.js';
import { NodeRole, NodeStatus } from '../../src/shared/memory/node-table.js';
import { eventually } from '../support/eventually.js';
import { watching } from './watched-cluster.js';

test('a primary that restarts is found again; one that is promoted takes its place; the old one is then refused', async () => {
  const cluster = await startCluster({ standbys: 1 });
  try {
    const [old, next] = cluster.nodes;
    assert.ok(old !== undefined && next !== undefined);
    await watching(cluster.nodes, {}, async ({ table, log }) => {
      assert.equal(table.primary, 0);
      await old.stop();
      await eventually('there is no primary', () => table.primary === -1 && table.status(0) === NodeStatus.down);
      assert.equal(table.isAlive(1), true);
      await old.start();
      await eventually('the primary is back', () => table.primary === 0 && table.status(0) === NodeStatus.up);

      await old.kill();
      await eventually('there is no primary again', () => table.primary === -1);
      await next.promote();
      await eventually('the promoted node is the primary', () => table.primary === 1);
      assert.equal(table.role(1), NodeRole.primary);
      assert.equal(table.role(0), NodeRole.standby);

      await old.start();
      await eventually('the second primary is refused', () => log().includes('node 0 is a primary beside node 1'));
      assert.equal(table.status(0), NodeStatus.down);
      assert.equal(table.primary, 1);
      const said = log().split('\n').filter((line) => line.includes('node 0 is a primary beside'));
      assert.equal(said.length, 1);
    });
  } finally {
    await cluster.stop();
  }
});
