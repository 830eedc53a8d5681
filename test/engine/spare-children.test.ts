/** Dynamic process management: when children are started and stopped. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpareChildren, type SpareSettings } from '../../src/main/engine/spare-children.js';
import { ChildState, ChildTable } from '../../src/shared/memory/child-table.js';
import { WorkerTable } from '../../src/shared/memory/worker-table.js';
import type { Broadcast } from '../../src/shared/messages.js';

const settings: SpareSettings = { process_management_mode: 'dynamic', process_management_strategy: 'aggressive', min_spare_children: 5, max_spare_children: 10 };

function setUp(waiting: number): { spare: SpareChildren; children: ChildTable; sent: Broadcast[] } {
  const children = new ChildTable(40, 20);
  const workers = new WorkerTable(2);
  workers.claim(1);
  workers.claim(2);
  for (let row = 0; row < waiting; row++) children.start(row, row + 1, 0);
  const sent: Broadcast[] = [];
  return { spare: new SpareChildren(settings, children, workers, (message) => sent.push(message)), children, sent };
}

test('too few waiting children: the missing ones and a quarter of max_spare_children are started', () => {
  const { spare, sent } = setUp(2);
  spare.cycle();
  assert.deepEqual(sent, [{ type: 'children', worker: 0, start: 5, stop: 0 }]);
});

test('what does not fit on the first worker is started on the next, and never more than there are', () => {
  const { spare, children, sent } = setUp(18);
  for (let row = 0; row < 18; row++) children.setState(row, ChildState.idle);
  spare.cycle();
  assert.deepEqual(sent, [{ type: 'children', worker: 0, start: 2, stop: 0 }, { type: 'children', worker: 1, start: 5, stop: 0 }]);
});

test('between min_spare_children and max_spare_children nothing happens', () => {
  const { spare, sent } = setUp(7);
  for (let cycle = 0; cycle < 100; cycle++) spare.cycle();
  assert.deepEqual(sent, []);
});

test('too many waiting children are stopped only after the patience of the strategy, and a few at a time', () => {
  const { spare, children, sent } = setUp(30);
  for (let cycle = 0; cycle < 24; cycle++) spare.cycle();
  assert.deepEqual(sent, []);
  spare.cycle();
  assert.deepEqual(sent, [{ type: 'children', worker: 1, start: 0, stop: 8 }]);
  for (let row = 22; row < 30; row++) children.stop(row);
  spare.cycle();
  assert.equal(sent.length, 1);
  spare.cycle();
  assert.deepEqual(sent.slice(1), [{ type: 'children', worker: 1, start: 0, stop: 2 }, { type: 'children', worker: 0, start: 0, stop: 6 }]);
});
