/** What a client reads through pgloom is, message by message, what the server itself answers. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { sharedCluster } from '../support/cluster.js';
import { startPgloom, type Pgloom } from '../support/pgloom.js';
import { scripts } from './scripts.js';
import { transcript, type Delivery } from './transcript.js';

/** Byte by byte is slow: longer scripts are split in random places instead. */
const bytewiseLimitBytes = 1500;
const splitLimitBytes = 30_000;

const arrangements = {
  'three nodes, reads on the standbys': { nodes: () => sharedCluster().nodes, settings: { backend_weight0: 0 }, bytewise: true },
  'three nodes, reads anywhere': { nodes: () => sharedCluster().nodes, settings: {}, bytewise: false },
  'one node': { nodes: () => sharedCluster().nodes.slice(0, 1), settings: {}, bytewise: true },
};

for (const [name, { nodes, settings, bytewise }] of Object.entries(arrangements)) {
  describe(`with ${name}`, () => {
    let pgloom: Pgloom;
    before(async () => { pgloom = await startPgloom({ nodes: nodes(), settings: { ...settings, num_init_children: 8, worker_threads: 1 } }); });
    after(() => pgloom.stop());

    for (const script of scripts) {
      it(`the transcript is the server's for ${script.name}`, { todo: script.todo ?? false }, async () => {
        const sizeBytes = script.messages.reduce((sum, { length }) => sum + length, 0);
        const deliveries: Delivery[] = ['whole'];
        if (bytewise && sizeBytes <= bytewiseLimitBytes) deliveries.push('bytewise');
        if (sizeBytes <= splitLimitBytes) deliveries.push('split');
        const expected = await transcript(sharedCluster().nodes[0]!.port, script.messages, 'whole');
        for (const delivery of deliveries) {
          assert.deepEqual(await transcript(pgloom.port, script.messages, delivery), expected, `sent ${delivery}`);
        }
      });
    }
  });
}
