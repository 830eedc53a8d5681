/** How long one large statement holds up a worker: in this process, and as another session on the same worker feels it. */
import { startCluster } from '../../src/main/demo/cluster.js';
import { createFixtures } from '../../test/support/fixtures.js';
import { startPgloom } from '../../test/support/pgloom.js';
import { WireClient } from '../../test/support/wire.js';
import { canParse } from '../../src/workers/sql/grammar.js';
import { loadParser } from '../../src/workers/sql/parse.js';
import { PlanCache } from '../../src/workers/sql/plan-cache.js';
import { deepStatements, largeStatements } from './large-texts.js';

export interface Stall {
  readonly statement: string;
  readonly sizeBytes: number;
  /** CPU of planOf in this process, ms: a median, with a new cache each time. */
  readonly planMs: number;
  /** What of it is kept in the cache, bytes. */
  readonly keptBytes: number;
  /** Longest answer that another session of the same worker waited for meanwhile; null when it was not measured. */
  neighbourMs: number | null;
}

const samples = 7;
/** In the engine each statement is sent so often; the median of the longest waits counts. */
const visits = 5;

export async function planStalls(): Promise<Stall[]> {
  await loadParser();
  const stalls: Stall[] = [];
  for (const [statement, text] of Object.entries({ ...largeStatements, ...deepStatements })) {
    const times: number[] = [];
    let keptBytes = 0;
    for (let n = 0; n < samples; n++) {
      while (!canParse()) await loadParser();
      const cache = new PlanCache();
      const before = process.cpuUsage();
      cache.planOf(text);
      const { user, system } = process.cpuUsage(before);
      times.push((user + system) / 1000);
      keptBytes = cache.usage.sizeBytes;
    }
    stalls.push({ statement, sizeBytes: text.length, planMs: median(times), keptBytes, neighbourMs: null });
  }
  return stalls;
}

/** Fills in `neighbourMs`, with a cluster and a pgloom of one worker. Returns what the neighbour waits for when nobody else asks. */
export async function engineStalls(stalls: readonly Stall[]): Promise<number> {
  const texts = { ...largeStatements, ...deepStatements };
  const cluster = await startCluster();
  try {
    await createFixtures(cluster);
    const pgloom = await startPgloom({ nodes: cluster.nodes, settings: { num_init_children: 16, worker_threads: 1 } });
    try {
      const quiet = await longestWait(pgloom.port, () => new Promise((resolve) => setTimeout(resolve, 500)));
      for (const stall of stalls) {
        const waits: number[] = [];
        for (let n = 0; n < visits; n++) waits.push(await longestWait(pgloom.port, () => sendOnce(pgloom.port, texts[stall.statement] ?? '')));
        stall.neighbourMs = median(waits);
      }
      return quiet;
    } finally {
      await pgloom.stop();
    }
  } finally {
    await cluster.stop();
  }
}

/** The server may well refuse it (no such table): it is its way through pgloom that counts. */
async function sendOnce(port: number, text: string): Promise<void> {
  const client = await WireClient.login(port, {}, 60_000);
  client.query(text);
  await client.readUntil('Z');
  client.end();
}

async function longestWait(port: number, meanwhile: () => Promise<void>): Promise<number> {
  const neighbour = await WireClient.login(port, {}, 60_000);
  neighbour.query('select 1');
  await neighbour.readUntil('Z');
  const state = { over: false };
  const other = meanwhile().finally(() => { state.over = true; });
  let longestMs = 0;
  while (!state.over) {
    const startedMs = performance.now();
    neighbour.query('select 1');
    await neighbour.readUntil('Z');
    longestMs = Math.max(longestMs, performance.now() - startedMs);
  }
  await other;
  neighbour.end();
  return longestMs;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}
