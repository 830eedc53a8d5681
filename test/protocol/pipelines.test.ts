/** Random valid pipelines are answered through pgloom, message by message, as by the server itself. */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { allChildrenFree } from '../../bench/fuzz/fuzz.js';
import { startPgloom, type Pgloom } from '../support/pgloom.js';
import { arrangements } from './pipelines/arrangements.js';
import { compare, explain, knownCause, shrink } from './pipelines/compare.js';
import { startStage, type Stage } from './pipelines/stage.js';

const pipelines = 50;
/** The rest of the seeds is another one in each run, and is shown when it finds something. */
const fixed = 40;

let stage: Stage;
before(async () => { stage = await startStage(); });
after(() => stage.stop());

for (const [place, { nodes, settings }] of arrangements.entries()) {
  it(`${pipelines} random pipelines have the server's transcript with ${nodes} nodes and ${JSON.stringify(settings)}`, async (t) => {
    const pgloom: Pgloom = await startPgloom({ nodes: stage.cluster.nodes.slice(0, nodes), settings });
    try {
      const chance = Math.floor(Math.random() * 2 ** 31);
      const seeds = Array.from({ length: pipelines }, (_, n) => (n < fixed ? place * 1000 + n : chance + n));
      for (const seed of seeds) {
        const difference = await compare(stage, pgloom.port, seed);
        if (difference === undefined) continue;
        const cause = knownCause(difference);
        if (cause === undefined) assert.fail(explain(await shrink(stage, difference)));
        t.diagnostic(`seed ${seed}: ${cause}`);
      }
      await allChildrenFree(pgloom);
    } finally {
      await pgloom.stop();
    }
  });
}
