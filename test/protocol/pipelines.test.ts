/** Random valid pipelines are answered through pgloom, message by message, as by the server itself. */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { allChildrenFree } from '../../bench/fuzz/fuzz.js';
import { startPgloom, type Pgloom } from '../support/pgloom.js';
import { arrangements } from './pipelines/arrangements.js';
import { compare, explain, knownCause, shrink } from './pipelines/compare.js';
import { startStage, type Stage } from './pipelines/stage.js';

/** The same in each run; others are tried by `npm run pipelines`. */
const pipelines = 50;

let stage: Stage;
before(async () => { stage = await startStage(); });
after(() => stage.stop());

for (const [place, { nodes, settings }] of arrangements.entries()) {
  it(`${pipelines} random pipelines have the server's transcript with ${nodes} nodes and ${JSON.stringify(settings)}`, async (t) => {
    const pgloom: Pgloom = await startPgloom({ nodes: stage.cluster.nodes.slice(0, nodes), settings });
    try {
      for (let seed = place * 1000; seed < place * 1000 + pipelines; seed++) {
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
