/** The table of lately written tables, alone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { MutationTable } from '../../src/shared/memory/mutation-table.js';

test('a mark lasts as long as it was given, and a later one prolongs it', () => {
  const table = new MutationTable(128);
  table.mark('db', 'a', 1000, 100, 0);
  assert.ok(table.isStale('db', 'a', 1099) && !table.isStale('db', 'a', 1100));
  assert.ok(!table.isStale('db', 'b', 1001) && !table.isStale('other', 'a', 1001));
  table.mark('db', 'a', 1050, 100, 0);
  assert.ok(table.isStale('db', 'a', 1149) && !table.isStale('db', 'a', 1150));
});

test('marks that follow each other do not last longer than the most after the first', () => {
  const table = new MutationTable(128);
  for (let nowMs = 1000; nowMs < 3000; nowMs += 50) table.mark('db', 'a', nowMs, 100, 500);
  assert.ok(table.isStale('db', 'a', 3000 - 50 + 10), 'a new row of marks begins when the first has ended');
  table.mark('db', 'b', 1000, 10_000, 500);
  assert.ok(table.isStale('db', 'b', 1499) && !table.isStale('db', 'b', 1500));
});

test('all tables of a database, and the time after the start', () => {
  const table = new MutationTable(128);
  table.mark('db', '', 1000, 100, 0);
  assert.ok(table.isAllStale('db', 1050) && !table.isAllStale('other', 1050) && !table.isAllStale('db', 1100));
  table.setColdUntil(2000);
  assert.ok(table.isAllStale('other', 1999) && !table.isAllStale('other', 2000));
});

test('a full table makes everything stale instead of forgetting anything', () => {
  const table = new MutationTable(128);
  const names = Array.from({ length: 1000 }, (_, n) => `table_${n}`);
  for (const name of names) table.mark('db', name, 1000, 100, 0);
  assert.ok(names.every((name) => table.isAllStale('db', 1050) || table.isStale('db', name, 1050)));
  for (const name of names.slice(0, 50)) table.mark('db', name, 5000, 100, 0);
  assert.ok(names.slice(0, 50).every((name) => table.isStale('db', name, 5050)), 'what has passed makes room');
  assert.ok(!table.isAllStale('db', 5050));
});

test('threads that mark at the same time lose no mark', async () => {
  const table = new MutationTable(4096);
  const module = new URL('../../src/shared/memory/mutation-table.js', import.meta.url).href;
  const code = `import(${JSON.stringify(module)}).then(({ MutationTable }) => {
    const { workerData: { buffer, from } } = require('node:worker_threads');
    const table = new MutationTable(4096, buffer);
    for (let round = 0; round < 20; round++) {
      for (let n = 0; n < 300; n++) table.mark('db', 'table_' + (from + n), 1000 + round, 100, 0);
    }
  });`;
  await Promise.all([0, 100, 200, 300].map((from) => new Promise<void>((resolve, reject) => {
    const worker = new Worker(code, { eval: true, workerData: { buffer: table.buffer, from } });
    worker.on('error', reject);
    worker.on('exit', () => resolve());
  })));
  for (let n = 0; n < 600; n++) assert.ok(table.isStale('db', `table_${n}`, 1118), `table_${n}`);
});
