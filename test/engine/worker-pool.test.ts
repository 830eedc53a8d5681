/** The worker pool on real threads that crash. */
import assert from 'node:assert/strict';
import { openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '../../src/main/config/load.js';
import { createSharedTables, type SharedTables, threadPlan, workerDataOf } from '../../src/main/engine/shared-tables.js';
import { WorkerPool } from '../../src/main/engine/worker-pool.js';
import { ChildState } from '../../src/shared/memory/child-table.js';
import { createLogger } from '../../src/shared/logger.js';
import type { HandOver } from '../../src/shared/messages.js';
import { noTls } from '../../src/shared/tls/materials.js';
import { eventually } from '../support/eventually.js';
import { demand } from './demands.js';
import { withDirectory, writeConfig } from './pgpool-command.js';

const taskFile = fileURLToPath(new URL('./crashing-task.js', import.meta.url));

interface Fixture {
  readonly pool: WorkerPool;
  readonly tables: SharedTables;
  log(): string;
}

async function withPool(lines: Readonly<Record<string, string | number>>, use: (fixture: Fixture) => Promise<void>, file = taskFile): Promise<void> {
  await withDirectory(async (directory) => {
    const { settings } = loadConfig(await writeConfig(directory, { num_init_children: 4, worker_threads: 2, ...lines }));
    const tables = createSharedTables(settings);
    const logFile = join(directory, 'log');
    // Never closed: a thread that comes in the place of a crashed one may log later, and would write into the next test's file.
    const sink = openSync(logFile, 'a');
    const pool = new WorkerPool({
      ...threadPlan(settings), taskFile: file, dynamic: settings.process_management_mode === 'dynamic', idleThreadMs: 60_000,
      workerData: workerDataOf(tables, settings, { hba: [], passwords: new Map(), decrypted: new Map(), tls: noTls }),
    }, tables, { log: createLogger(settings, sink), onRoom: () => undefined, onReport: () => undefined, onBroadcast: () => undefined, onDead: () => undefined });
    try {
      await use({ pool, tables, log: () => readFileSync(logFile, 'utf8') });
    } finally {
      await pool.destroy();
    }
  });
}

function task(what: number): HandOver {
  return { fd: what, transport: 'tcp', host: '', port: 0, acceptedMs: 0, head: new Uint8Array(0) };
}

const waitingRows = ({ children }: SharedTables): number[] => Array.from({ length: children.size }, (_, row) => row).filter((row) => children.state(row) === ChildState.waiting);

test('a crashed thread ends its own sessions, is logged once with its stack, and is replaced with its rows', async () => {
  await withPool({}, async ({ pool, tables, log }) => {
    await pool.started();
    const staying = [pool.run(task(demand.stay)), pool.run(task(demand.stay))];
    const other = pool.run(task(demand.stay));
    let otherEnded = false;
    other.then(() => undefined, () => undefined).finally(() => {
      otherEnded = true;
    });
    assert.equal(pool.sessions, 3);
    // Four children: this one is the second thread's too, by packing.
    await assert.rejects(pool.run(task(demand.crash)), /this thread crashes/);
    await assert.rejects(other, /this thread crashes/);
    assert.equal(otherEnded, true);
    assert.equal(pool.sessions, 2);
    await eventually('the thread is replaced', () => waitingRows(tables).length === 4 && pool.hasRoom());
    assert.match((await pool.run(task(demand.end))).reason, /thread \d/);
    await eventually('the crash is logged', () => log().includes('this thread crashes'));
    assert.equal(log().match(/this thread crashes/g)?.length, 1);
    assert.match(log(), /crashing-task\.js/);
    for (const session of staying) session.catch(() => undefined);
  });
});

test('a thread that exits without a word is replaced, too', async () => {
  await withPool({ num_init_children: 2, worker_threads: 1 }, async ({ pool, tables }) => {
    await pool.started();
    await assert.rejects(pool.run(task(demand.exit)), /exited with code: 3/);
    await eventually('the thread is replaced', () => pool.hasRoom() && waitingRows(tables).length === 2);
    await pool.run(task(demand.end));
  });
});

test('a client that a dying thread had not taken yet is served by the next one', async () => {
  await withPool({ num_init_children: 2, worker_threads: 1 }, async ({ pool }) => {
    await pool.started();
    assert.match((await pool.run(task(demand.crashUntaken))).reason, /thread \d/);
    assert.equal(pool.sessions, 0);
  });
});

test('an error of one session does not touch its thread', async () => {
  await withPool({ num_init_children: 2, worker_threads: 1 }, async ({ pool, log }) => {
    await pool.started();
    await assert.rejects(pool.run(task(demand.reject)), /this session failed/);
    assert.equal(pool.sessions, 0);
    await pool.run(task(demand.end));
    await eventually('it is logged', () => log().includes('this session failed'));
  });
});

test('in dynamic mode one thread is there at the start and another comes when it is full', async () => {
  await withPool({ process_management_mode: 'dynamic', min_spare_children: 1, max_spare_children: 2 }, async ({ pool, tables }) => {
    await pool.started();
    const threads = (): number => [0, 1].filter((row) => tables.workers.threadOf(row) !== 0).length;
    assert.equal(threads(), 1);
    const staying = [pool.run(task(demand.stay)), pool.run(task(demand.stay))];
    assert.equal(pool.hasRoom(), false);
    await eventually('there is room on a second thread', () => pool.hasRoom());
    assert.equal(threads(), 2);
    await pool.run(task(demand.end));
    for (const session of staying) session.catch(() => undefined);
  });
});

test('a task file that cannot be loaded fails the start', async () => {
  await withPool({}, async ({ pool }) => {
    await assert.rejects(pool.started(), /Cannot find module/);
  }, '/nonexistent/child.js');
});
