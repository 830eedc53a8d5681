/**
 * A task file for tests of the worker pool: real threads that do on demand what a session should never do. The
 * descriptor of the hand-over, which is none, says what.
 */
import { parentPort, threadId, workerData } from 'node:worker_threads';
import { ChildTable } from '../../src/shared/memory/child-table.js';
import { WorkerTable } from '../../src/shared/memory/worker-table.js';
import type { Report, SessionEnd, Task, WorkerData } from '../../src/shared/messages.js';
import { demand } from './demands.js';

const data = workerData as WorkerData;
const children = new ChildTable(data.childTable.size, data.childTable.perWorker, data.childTable.buffer);
const row = new WorkerTable(data.workerTable.size, data.workerTable.buffer).claim(threadId);
const { from, to } = children.rowsOf(row);
for (let child = from; child < to; child++) children.start(child, child + 1, Date.now());
parentPort?.postMessage({ type: 'ready', worker: row, threadId } satisfies Report);

const tickets = new Int32Array(data.tickets);
/** Nobody counts children here: the word tells the first attempt from the second. */
const attempts = new Int32Array(data.childIds);

export default function serve({ fd, ticket }: Task): Promise<SessionEnd> {
  if (fd === demand.crashUntaken && Atomics.add(attempts, 0, 1) === 0) process.exit(4);
  Atomics.store(tickets, ticket, 0);
  return new Promise((resolve, reject) => {
    if (fd === demand.end || fd === demand.crashUntaken) resolve({ reason: `thread ${threadId}` });
    if (fd === demand.reject) reject(new Error('this session failed'));
    if (fd === demand.crash) setImmediate(() => {
      throw new Error('this thread crashes');
    });
    if (fd === demand.exit) process.exit(3);
    // Anything else stays until its thread ends.
  });
}
