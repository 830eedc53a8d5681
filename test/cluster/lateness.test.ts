/** Which standbys are too late to be read from, and which are the least so. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { delayAwaited, delayUnknown, NodeStatus, NodeTable } from '../../src/shared/memory/node-table.js';
import { delayInForce } from '../../src/shared/replication-delay.js';
import { isTooLate, leastDelayed } from '../../src/workers/route/lateness.js';

type Delay = readonly [bytes: number, us: number];
const second = 1_000_000;

/** Node 0 is the primary, the standbys follow. */
function tableOf(...standbys: readonly Delay[]): NodeTable {
  const nodes = new NodeTable();
  nodes.setCount(standbys.length + 1);
  nodes.setPrimary(0);
  nodes.setStatus(0, NodeStatus.up);
  standbys.forEach(([bytes, us], at) => {
    nodes.setStatus(at + 1, NodeStatus.up);
    nodes.setDelayBytes(at + 1, bytes);
    nodes.setDelayUs(at + 1, us);
  });
  return nodes;
}

type Settings = Parameters<typeof isTooLate>[1];

function settingsOf(delay_threshold: number, delay_threshold_by_time: number, weights: readonly number[] = [1, 1, 1, 1]): Settings {
  const backends = weights.map((weight, id) => ({ id, weight })) as unknown as Settings['backends'];
  return { backends, delay_threshold, delay_threshold_by_time, replication_delay_source_cmd: '' };
}

const none = settingsOf(0, 0);
const bytes100 = settingsOf(100, 0);
const ms100 = settingsOf(0, 100);
const both = settingsOf(100, 100);

const cases: readonly [title: string, settings: Settings, delay: Delay, late: boolean][] = [
  ['without a threshold nobody is too late', none, [2 ** 40, 3600 * second], false],
  ['nor when the delay is awaited', none, [delayAwaited, delayAwaited], false],
  ['as many bytes as the threshold are not too many', bytes100, [100, 0], false],
  ['one byte more is', bytes100, [101, 0], true],
  ['bytes beyond 32 bits count', bytes100, [2 ** 40, 0], true],
  ['time is not held against the threshold in bytes', bytes100, [0, 3600 * second], false],
  ['nobody measures: not too late', bytes100, [delayUnknown, delayUnknown], false],
  ['bytes that are awaited are too late', bytes100, [delayAwaited, delayUnknown], true],
  ['as much time as the threshold is not too much', ms100, [2 ** 40, 100_000], false],
  ['a microsecond more is', ms100, [0, 100_001], true],
  ['a time that is awaited is too late', ms100, [0, delayAwaited], true],
  ['without a time a standby that has replayed everything is in time', ms100, [0, delayUnknown], false],
  ['without a time any byte behind is too late', ms100, [1, delayUnknown], true],
  ['and so are bytes that are awaited', ms100, [delayAwaited, delayUnknown], true],
  ['without either, when nobody measures, not too late', ms100, [delayUnknown, delayUnknown], false],
  ['with both thresholds the time alone is enough', both, [0, 100_001], true],
  ['with both thresholds the bytes alone are enough', both, [101, 0], true],
  ['with both thresholds microseconds are not compared with bytes', both, [50, 5000], false],
];

test('a delay is held against the threshold of its own unit', async (t) => {
  for (const [title, settings, delay, late] of cases) {
    await t.test(title, () => assert.equal(isTooLate(tableOf(delay), settings, 1), late));
  }
});

test('the primary is never too late', () => {
  const nodes = tableOf([0, 0]);
  nodes.setDelayBytes(0, 2 ** 40);
  nodes.setDelayUs(0, delayAwaited);
  assert.equal(isTooLate(nodes, both, 0), false);
});

test('of the standbys those with the smallest delay are chosen, in the unit in force', () => {
  const nodes = tableOf([90, 2000], [10, 50_000], [10, 90_000]);
  assert.deepEqual(leastDelayed(nodes, bytes100, [0, 1, 2, 3]), [2, 3]);
  assert.deepEqual(leastDelayed(nodes, ms100, [0, 1, 2, 3]), [1]);
  assert.deepEqual(leastDelayed(nodes, both, [0, 1, 2, 3]), [1]);
});

test('a standby that is too late, down, without weight or no candidate is not chosen, and the primary never is', () => {
  const nodes = tableOf([20, 0], [10, 0], [101, 0]);
  assert.deepEqual(leastDelayed(nodes, bytes100, [0, 1, 3]), [1]);
  assert.deepEqual(leastDelayed(nodes, settingsOf(100, 0, [1, 1, 0, 1]), [0, 1, 2, 3]), [1]);
  nodes.setStatus(2, NodeStatus.down);
  assert.deepEqual(leastDelayed(nodes, bytes100, [0, 1, 2, 3]), [1]);
  assert.deepEqual(leastDelayed(nodes, bytes100, [0, 2, 3]), []);
  assert.deepEqual(leastDelayed(tableOf([200, 0], [300, 0]), bytes100, [0, 1, 2]), []);
});

test('a standby whose time is not told but which has replayed everything is the least delayed', () => {
  assert.deepEqual(leastDelayed(tableOf([10, 500], [0, delayUnknown]), ms100, [1, 2]), [2]);
});

test('the delay shown is the one in force, in bytes where the time is not known, 0 where nothing is', () => {
  assert.deepEqual(delayInForce(tableOf([2 ** 33 + 7, 5]), bytes100, 1), { isTime: false, value: 2 ** 33 + 7 });
  assert.deepEqual(delayInForce(tableOf([7, 5]), ms100, 1), { isTime: true, value: 5 });
  assert.deepEqual(delayInForce(tableOf([7, delayUnknown]), ms100, 1), { isTime: false, value: 7 });
  assert.deepEqual(delayInForce(tableOf([delayUnknown, delayUnknown]), bytes100, 1), { isTime: false, value: 0 });
  assert.deepEqual(delayInForce(tableOf([delayAwaited, delayAwaited]), ms100, 1), { isTime: true, value: 0 });
  assert.deepEqual(delayInForce(tableOf([7, 5]), { ...none, replication_delay_source_cmd: 'delays' }, 1), { isTime: true, value: 5 });
});
