/** A worker thread of shared-facts.test.ts: uses the relation cache as its orders say. */
import { parentPort, threadId, workerData } from 'node:worker_threads';
import { RelationCache, type RelationCacheData } from '../../src/shared/memory/relation-cache.js';
import { WorkerTable } from '../../src/shared/memory/worker-table.js';

export interface Orders {
  readonly cache: RelationCacheData;
  readonly workers: { readonly size: number; readonly buffer: SharedArrayBuffer };
  /**
   * write: puts names 0 to count - 1; read: looks for them; churn: both, for ever, in changing generations; clear: ends
   * while it empties the map.
   */
  readonly task: 'write' | 'read' | 'churn' | 'clear';
  readonly count: number;
}

/** What the thread has seen. A text that is not the name's own is wrong; one that is not there is none. */
export interface Seen {
  readonly found: number;
  readonly wrong: number;
  readonly shared: number;
}

export const nameOf = (i: number): string[] => ['db', 'relation', '', `table ${i}`];
/** Long enough to take a while to write, and different in every place. */
export const textOf = (generation: number, i: number): string => `${generation}/${i}/`.repeat(90).slice(0, 900);

if (parentPort !== null) obey(workerData as Orders);

function obey({ cache: data, workers, task, count }: Orders): void {
  const table = new WorkerTable(workers.size, workers.buffer);
  table.claim(threadId);
  const cache = new RelationCache(data, threadId, (thread) => table.rowOf(thread) >= 0);
  const words = new Int32Array(data.words);
  if (task === 'clear') {
    Atomics.store(words, 0, threadId);
    (data.map as { lockExclusive(): void }).lockExclusive();
  }
  let [found, wrong, shared] = [0, 0, 0];
  const look = (generation: number, i: number): void => {
    const text = cache.get(generation, nameOf(i));
    if (text === undefined) return;
    if (text === textOf(generation, i)) found++;
    else wrong++;
  };
  const put = (generation: number, i: number): void => {
    if (cache.put(generation, nameOf(i), textOf(generation, i))) shared++;
  };
  const report = (): void => parentPort?.postMessage({ found, wrong, shared } satisfies Seen);
  const churn = (round: number): void => {
    const generation = Atomics.load(words, 1) + (round % 50 === 0 ? 1 : 0);
    for (let i = 0; i < count; i++) {
      put(generation, (i * 7 + threadId) % count);
      look(generation, i);
    }
    report();
  };
  if (task === 'write') for (let i = 0; i < count; i++) put(0, i);
  if (task === 'read') for (let i = 0; i < count; i++) look(0, i);
  report();
  if (task === 'churn') for (let round = 1; ; round++) churn(round);
}
