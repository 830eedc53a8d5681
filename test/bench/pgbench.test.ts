import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parsePgbenchReport, parseTransactionLog, percentiles } from '../../bench/pgbench.js';

const report = `pgbench (15.19)
transaction type: <builtin: select only>
number of transactions actually processed: 60591
number of failed transactions: 0 (0.000%)
latency average = 0.264 ms
initial connection time = 12.310 ms
tps = 30284.511820 (without initial connection time)
`;

describe('what pgbench says', () => {
  it('its report gives transactions and transactions a second', () => {
    assert.deepEqual(parsePgbenchReport(report), { transactions: 60591, transactionsPerSecond: 30284.51182 });
  });

  it('a report without them is an error and not a zero', () => {
    assert.throws(() => parsePgbenchReport('pgbench: error: could not connect'), /not understood/);
  });

  it('a transaction log gives a latency for each whole line', () => {
    const log = '0 1 310 0 1700000000 100\n1 1 420 0 1700000000 250\n0 2 29';
    assert.deepEqual(parseTransactionLog(log, false), [310, 420]);
  });

  it('with a connection for each transaction the time runs from one end to the next of the same client', () => {
    const log = '0 1 310 0 1700000000 999000\n1 1 420 0 1700000001 0\n0 2 290 0 1700000001 1500\n1 2 1 0 1700000001 900\n';
    assert.deepEqual(parseTransactionLog(log, true), [2500, 900]);
  });

  it('percentiles are by nearest rank, whatever the order', () => {
    const latencies = Array.from({ length: 100 }, (_, index) => 100 - index);
    assert.deepEqual(percentiles(latencies), { p50Us: 50, p95Us: 95, p99Us: 99 });
    assert.deepEqual(percentiles([7]), { p50Us: 7, p95Us: 7, p99Us: 7 });
    assert.equal(percentiles([]), null);
  });
});
