/** The short form of bench/fuzz. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fuzz } from '../../bench/fuzz/fuzz.js';
import { sharedCluster } from '../support/cluster.js';
import { startPgloom } from '../support/pgloom.js';

const messages = 50_000;
const growthLimitBytes = 150_000_000;

for (const [name, nodes] of [['three nodes', 3], ['one node', 1]] as const) {
  it(`random and damaged messages harm nobody but those who send them, with ${name}`, async (t) => {
    const pgloom = await startPgloom({ nodes: sharedCluster().nodes.slice(0, nodes), settings: { num_init_children: 32, worker_threads: 2 } });
    try {
      const result = await fuzz(pgloom, { messages: nodes === 3 ? messages : messages / 5 });
      t.diagnostic(JSON.stringify(result));
      assert.ok(result.answers > 100, 'the witnesses got answers');
      assert.ok(result.lateBytes - result.earlyBytes < growthLimitBytes, `memory grew from ${result.earlyBytes} to ${result.lateBytes} bytes`);
    } finally {
      await pgloom.stop();
    }
  });
}
