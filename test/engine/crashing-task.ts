/**
 * A task file for tests of the worker pool: real threads that do on demand what a session should never do. The
 * descriptor of the hand-over, which is none, says what.
 */
import { parentPort, threadId, workerData } from 'node:worker_threads';
import { ChildTable } from '../../src/shared/memory/child-table.js';
import { WorkerTable } from '../../src/shared/memory/worker-table.js';
import type { HandOver, Report, SessionEnd, WorkerData } from '../../src/shared/messages.js';
import { demand } from './demands.js';

const data = workerData as WorkerData;
const children = new ChildTable(data.childTable.size, data.childTable.perWorker, data.childTable.buffer);
const row = new WorkerTable(data.workerTable.size, data.workerTable.buffer).claim(threadId);
const { from, to } = children.rowsOf(row);
for (let child = from; child < to; child++) children.start(child, child + 1, Date.now());
parentPort?.postMessage({ type: 'ready', worker: row, threadId } satisfies Report);

export default function serve({ fd }: HandOver): Promise<SessionEnd> {
  return new Promise((resolve, reject) => {
    if (fd === demand.end) resolve({ reason: `thread ${threadId}` });
    if (fd === demand.reject) reject(new Error('this session failed'));
    if (fd === demand.crash) setImmediate(() => {
      throw new Error('this thread crashes');
    });
    if (fd === demand.exit) process.exit(3);
    // Anything else stays until its thread ends.
  });
}
