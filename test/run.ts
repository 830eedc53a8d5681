/**
 * Runs the tests on one shared cluster: `node dist/test/run.js [part of a path ...]`. Exit status 1 when a test
 * failed or there was none.
 */
import { setMaxListeners } from 'node:events';
import { availableParallelism } from 'node:os';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { startCluster } from '../src/main/demo/cluster.js';
import { onProcessEnd } from '../src/main/demo/process-end.js';
import { clusterVariable, type TestCluster } from './support/cluster.js';
import { createFixtures, testDatabase } from './support/fixtures.js';
import { findTestFiles } from './support/test-files.js';

/** For one file; a file that hangs is stopped and reported as failed. */
const fileLimitMs = 5 * 60_000;
/** Test files at the same time: a file uses less than half a processor, the rest of the time it waits. */
const concurrency = Math.max(2, Math.ceil(availableParallelism() * 1.5));

interface Diagnostic { readonly nesting: number; readonly message: string }
type Event = { readonly type: string; readonly data: unknown };

process.exitCode = await main(process.argv.slice(2));

async function main(filters: readonly string[]): Promise<number> {
  const files = findTestFiles(fileURLToPath(new URL('.', import.meta.url)), filters);
  if (files.length === 0) {
    console.error(`no test file matches ${filters.join(' ')}`);
    return 1;
  }
  const cluster = await startCluster();
  try {
    await createFixtures(cluster);
    const shared: TestCluster = {
      nodes: cluster.nodes.map(({ id, host, port, directory }) => ({ id, host, port, directory })),
      user: cluster.user,
      database: testDatabase,
    };
    process.env[clusterVariable] = JSON.stringify(shared);
    return await runFiles(files);
  } finally {
    await cluster.stop();
  }
}

async function runFiles(files: readonly string[]): Promise<number> {
  const summary: string[] = [];
  let failed = false;
  const ending = new AbortController();
  // Each file listens to it.
  setMaxListeners(0, ending.signal);
  // Or a Ctrl-C would leave the files' processes behind.
  const forget = onProcessEnd(() => ending.abort());
  const events = run({ files, concurrency, timeout: fileLimitMs, signal: ending.signal });
  events.on('test:fail', (test) => {
    // A test that is marked as to do may fail.
    if (test.todo === undefined || test.todo === false) failed = true;
  });
  // The reporter prints the failed tests again after the summary. We keep the summary back, so that it comes last.
  await pipeline(events, async function* withoutSummary(source: AsyncIterable<Event>) {
    for await (const event of source) {
      if (isSummary(event)) summary.push((event.data as Diagnostic).message);
      else yield event;
    }
  }, new spec(), async (lines: AsyncIterable<Uint8Array>) => {
    for await (const line of lines) process.stdout.write(line);
  });
  forget();
  process.stdout.write(`\n${summary.map((line) => `ℹ ${line}\n`).join('')}`);
  return failed ? 1 : 0;
}

function isSummary(event: Event): boolean {
  if (event.type !== 'test:diagnostic') return false;
  const { nesting, message } = event.data as Diagnostic;
  return nesting === 0 && /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/.test(message);
}
