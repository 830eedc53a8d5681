/**
 * The task that a worker runs: one client, from the accepted socket to the end of its session.
 *
 *   HandOver ──▶ child row ──▶ ClientLink (startup, login) ──▶ Session (relay) ──▶ end ──▶ child row free
 */
import { workerData } from 'node:worker_threads';
import type { SessionEnd, Task, WorkerData } from '../shared/messages.js';
import { Session } from './session/session.js';
import { loadParser } from './sql/parse.js';
import { Worker } from './worker.js';

await loadParser();
// Piscina wraps nothing around workerData: it is what the primary thread gave.
const worker = new Worker(workerData as WorkerData);
const tickets = new Int32Array((workerData as WorkerData).tickets);

/** Serves one client. Never rejects: what goes wrong is told to the client and logged. */
export default function serve(task: Task): Promise<SessionEnd> {
  return new Promise((resolve) => {
    const session = new Session(worker, task, (reason) => resolve({ reason }));
    Atomics.store(tickets, task.ticket, 0); // the descriptor is the session's now
    session.start();
  });
}
