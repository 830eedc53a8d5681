/**
 * Many random pipelines: `npm run pipelines -- [--pipelines N] [--seed S] [--minutes M] [--keep-going] [--pause MS]`. The seeds
 * are S, S + 1, …; each pipeline is played on a server and through pgloom, and the transcripts are compared.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { compare, explain, knownCause, shrink } from '../../test/protocol/pipelines/compare.js';
import { arrangements } from '../../test/protocol/pipelines/arrangements.js';
import { startStage } from '../../test/protocol/pipelines/stage.js';
import { startPgloom, type Pgloom } from '../../test/support/pgloom.js';

const { values: options } = parseArgs({ options: {
  pipelines: { type: 'string', default: '20000' },
  seed: { type: 'string', default: '1' },
  minutes: { type: 'string', default: '60' },
  /** Show up to this many differences before giving up. */
  differences: { type: 'string', default: '1' },
  /** Milliseconds between two pipelines, on a machine that has other work. */
  pause: { type: 'string', default: '0' },
} });
const [pipelines, seed, minutes, differences, pauseMs] = [options.pipelines, options.seed, options.minutes, options.differences, options.pause].map(Number) as [number, number, number, number, number];
const reportMs = 15_000;

const stage = await startStage();
const pglooms: Pgloom[] = [];
try {
  for (const { nodes, settings } of arrangements) pglooms.push(await startPgloom({ nodes: stage.cluster.nodes.slice(0, nodes), settings }));
  process.exitCode = await playAll() === 0 ? 0 : 1;
} finally {
  await Promise.all(pglooms.map((pgloom) => pgloom.stop()));
  await stage.stop();
}

/** Returns the number of differences. */
async function playAll(): Promise<number> {
  const startedMs = Date.now();
  let found = 0;
  let played = 0;
  let reportedMs = startedMs;
  const known = new Map<string, number>();
  for (; played < pipelines && Date.now() - startedMs < minutes * 60_000; played++) {
    const one = seed + played;
    const difference = await compare(stage, pglooms[one % pglooms.length]!.port, one);
    const cause = difference === undefined ? undefined : knownCause(difference);
    if (cause !== undefined) known.set(cause, (known.get(cause) ?? 0) + 1);
    else if (difference !== undefined) {
      console.log(`${explain(await shrink(stage, difference))}\n  settings: ${JSON.stringify(arrangements[one % pglooms.length])}\n`);
      if (++found >= differences) break;
    }
    if (Date.now() - reportedMs > reportMs) {
      reportedMs = Date.now();
      console.log(`${played + 1} pipelines, ${found} differences, ${Math.round((Date.now() - startedMs) / 1000)} s`);
    }
    if (pauseMs > 0) await sleep(pauseMs);
  }
  console.log(`${played} pipelines, ${found} differences, ${Math.round((Date.now() - startedMs) / 1000)} s`);
  for (const [cause, times] of known) console.log(`known, ${times} times: ${cause}`);
  return found;
}
