import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Latency } from '../../src/workers/session/latency.js';
import { bucketEndsSeconds, bucketOf, ExchangeClass, exchangeClassOf, LatencyTable } from '../../src/shared/memory/latency-table.js';
import { CountedKind, countsNothing } from '../../src/shared/memory/statement-counts.js';
import { WorkerTable } from '../../src/shared/memory/worker-table.js';

test('a time belongs to the first bucket whose end it does not pass', () => {
  bucketEndsSeconds.forEach((endSeconds, i) => {
    const endMs = endSeconds * 1000;
    assert.equal(bucketOf(endMs), i, `${endMs} ms is in the bucket that ends there`);
    assert.equal(bucketOf(endMs * 0.9), i, `${endMs * 0.9} ms`);
    assert.equal(bucketOf(endMs * 1.1), i + 1, `${endMs * 1.1} ms`);
  });
  assert.equal(bucketOf(0), 0);
  assert.equal(bucketOf(-1), 0);
  for (const longMs of [40_000, 1e9, Number.POSITIVE_INFINITY]) assert.equal(bucketOf(longMs), bucketEndsSeconds.length);
});

test('what workers note is summed over them, apart for each node and class', () => {
  const table = new LatencyTable(3);
  const seen = new LatencyTable(3, table.buffer);
  table.note(0, 0, ExchangeClass.read, 1);
  table.note(2, 0, ExchangeClass.read, 3);
  table.note(1, 127, ExchangeClass.write, 5);
  assert.equal(seen.histogram(0, ExchangeClass.read).count, 2);
  assert.equal(seen.histogram(0, ExchangeClass.read).sumMs, 4);
  assert.equal(seen.histogram(127, ExchangeClass.write).count, 1);
  assert.equal(seen.histogram(0, ExchangeClass.write).count, 0);
  assert.equal(seen.histogram(126, ExchangeClass.write).count, 0);
});

test('an exchange is what the gravest of its statements is', () => {
  const table = new LatencyTable(1);
  const latency = new Latency(table, 0);
  latency.sent(CountedKind.select);
  latency.sent(CountedKind.insert);
  latency.sent(CountedKind.other);
  latency.asked();
  latency.complete(0);
  latency.complete(0); // nothing is under way
  latency.sent(CountedKind.select);
  latency.complete(0);
  latency.asked();
  latency.complete(0);
  assert.deepEqual([ExchangeClass.other, ExchangeClass.read, ExchangeClass.write].map((kind) => table.histogram(0, kind).count), [1, 1, 1]);
  assert.equal(exchangeClassOf(countsNothing), ExchangeClass.other);
  assert.equal(exchangeClassOf(CountedKind.ddl), ExchangeClass.write);
});

test('no counter goes down when a thread dies and another one takes its row', () => {
  const workers = new WorkerTable(2);
  const latencies = new LatencyTable(2);
  const row = workers.claim(7);
  workers.countCheckOut(row, true);
  workers.countCheckOut(row, false);
  workers.countCheckOut(row, false);
  workers.countStatement(row, 3, CountedKind.select);
  workers.setThreadHealth(row, { medianMs: 1, p99Ms: 2, maxMs: 3, heapBytes: 4 });
  latencies.note(row, 3, ExchangeClass.read, 1);
  assert.deepEqual(workers.releaseGone(new Set()), [row]);
  assert.equal(workers.claim(8), row);
  workers.countCheckOut(row, true);
  assert.deepEqual(workers.checkOuts(), { hits: 2, misses: 2 });
  assert.equal(workers.statements(3, CountedKind.select), 1);
  assert.equal(latencies.histogram(3, ExchangeClass.read).count, 1);
  assert.deepEqual(workers.threadHealth(row), { medianMs: 1, p99Ms: 2, maxMs: 3, heapBytes: 4 });
  assert.equal(workers.sessions(row), 0);
});
