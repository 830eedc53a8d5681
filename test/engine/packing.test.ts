/** Which worker gets the next client. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Packing, type WorkerThread } from '../../src/main/engine/packing.js';
import { threadPlan } from '../../src/main/engine/shared-tables.js';
import { ChildTable } from '../../src/shared/memory/child-table.js';
import { WorkerTable } from '../../src/shared/memory/worker-table.js';

/** Threads 11, 12, … that have claimed rows 0, 1, …; the last has only as many children as are left. */
function setUp(children: number, perWorker: number): { packing: Packing; workers: WorkerTable; threads: WorkerThread[] } {
  const childTable = new ChildTable(children, perWorker);
  const workers = new WorkerTable(Math.ceil(children / perWorker));
  const threads = Array.from({ length: workers.size }, (_, row) => ({ id: 11 + row, currentUsage: 0 }));
  for (const { id } of threads) workers.claim(id);
  return { packing: new Packing(workers, childTable), workers, threads };
}

test('clients go to the first worker while its loop is not busy', () => {
  const { packing, workers, threads } = setUp(200, 100);
  workers.setUtilization(0, 0.6);
  assert.equal(packing.choose(threads, 0)?.worker.id, 11);
  workers.setUtilization(0, 0.75);
  assert.equal(packing.choose(threads, 0)?.worker.id, 12);
});

test('when all are busy the least busy gets it', () => {
  const { packing, workers, threads } = setUp(300, 100);
  workers.setUtilization(0, 0.95);
  workers.setUtilization(1, 0.8);
  workers.setUtilization(2, 0.9);
  assert.deepEqual(packing.choose(threads, 0), { worker: threads[1], busy: true });
});

test('a worker without a free child is passed over, and null means that none has one', () => {
  const { packing, threads } = setUp(5, 3);
  assert.equal(packing.choose([{ id: 11, currentUsage: 3 }, { id: 12, currentUsage: 1 }], 0)?.worker.id, 12);
  assert.equal(packing.choose([{ id: 11, currentUsage: 3 }, { id: 12, currentUsage: 2 }], 0), null);
  assert.equal(packing.choose(threads, 0)?.worker.id, 11);
});

test('clients that are there since the last sample count, so that a burst does not land on one worker', () => {
  const { packing, workers, threads } = setUp(400, 200);
  workers.setUtilization(0, 0.5);
  let first = 0;
  for (let client = 0; client < 60; client++) {
    const choice = packing.choose(threads, 0);
    assert.ok(choice !== null);
    const at = choice.worker.id - 11;
    threads[at] = { id: choice.worker.id, currentUsage: choice.worker.currentUsage + 1 };
    if (choice.worker.id === 11) first += 1;
  }
  assert.ok(first >= 20 && first <= 21, `${first} of 60`);
  workers.setUtilization(0, 0.4);
  assert.equal(packing.choose(threads, 0)?.worker.id, 11);
});

test('clients that come and go between two samples do not make a worker look busy', () => {
  const { packing, workers, threads } = setUp(400, 200);
  workers.setUtilization(0, 0.5);
  for (let client = 0; client < 1000; client++) assert.equal(packing.choose(threads, 0)?.worker.id, 11);
});

test('a thread that has not claimed its row yet counts as empty and as small as the smallest', () => {
  const workers = new WorkerTable(2);
  const packing = new Packing(workers, new ChildTable(5, 3));
  assert.equal(packing.room({ id: 99, currentUsage: 1 }), 1);
  workers.claim(98);
  workers.setUtilization(0, 0.9);
  assert.equal(packing.choose([{ id: 98, currentUsage: 0 }, { id: 99, currentUsage: 0 }], 0)?.worker.id, 99);
});

test('children are dealt in equal blocks and no thread is left without one', () => {
  assert.deepEqual(threadPlan({ num_init_children: 32, worker_threads: 2 }), { threads: 2, perWorker: 16 });
  assert.deepEqual(threadPlan({ num_init_children: 9, worker_threads: 4 }), { threads: 3, perWorker: 3 });
  assert.deepEqual(threadPlan({ num_init_children: 1, worker_threads: 64 }), { threads: 1, perWorker: 1 });
  assert.deepEqual(threadPlan({ num_init_children: 10, worker_threads: 4 }), { threads: 4, perWorker: 3 });
});
