/** The long fuzz test: `node dist/bench/fuzz/run.js [messages] [seed]`, 1,000,000 messages when not told otherwise. */
import { startCluster } from '../../src/main/demo/cluster.js';
import { createFixtures } from '../../test/support/fixtures.js';
import { startPgloom } from '../../test/support/pgloom.js';
import { fuzz } from './fuzz.js';

const messages = Number(process.argv[2] ?? 1_000_000);
const seed = Number(process.argv[3] ?? 1);

const cluster = await startCluster();
try {
  await createFixtures(cluster);
  const pgloom = await startPgloom({ nodes: cluster.nodes, settings: { num_init_children: 32, worker_threads: 2 } });
  try {
    const startedMs = Date.now();
    const result = await fuzz(pgloom, { messages, seed, report: (line) => console.log(line) });
    console.log(JSON.stringify({ ...result, seconds: Math.round((Date.now() - startedMs) / 1000) }));
  } catch (error) {
    console.error(pgloom.stderr().split('\n').slice(-40).join('\n'));
    throw error;
  } finally {
    await pgloom.stop();
  }
} finally {
  await cluster.stop();
}
