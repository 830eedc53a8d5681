/** Runs in a worker thread: posts the names of the statements that cost the thread its parser. */
import { parentPort } from 'node:worker_threads';
import { canParse } from '../../src/workers/sql/grammar.js';
import { loadParser } from '../../src/workers/sql/parse.js';
import { PlanCache } from '../../src/workers/sql/plan-cache.js';
import { deepStatements, largeStatements } from '../../bench/routing/large-texts.js';

await loadParser();
const lost: string[] = [];
for (const [name, text] of Object.entries({ ...deepStatements, ...largeStatements })) {
  new PlanCache().planOf(text);
  if (!canParse()) lost.push(name);
  await loadParser();
}
parentPort?.postMessage(lost);
