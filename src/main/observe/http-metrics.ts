/** GET /metrics: everything that is counted or measured. Counters live in shared memory and outlive their threads. */
import { ChildState } from '../../shared/memory/child-table.js';
import { version } from '../../shared/version.js';
import { Exposition } from './http-exposition.js';
import { nodeMetrics } from './http-node-metrics.js';
import type { Observed } from './http-observed.js';
import { Pace } from './http-pace.js';

export const metricsType = 'text/plain; version=0.0.4; charset=utf-8';

/** Names of the states of a child, in labels. */
export const childStateName: Readonly<Record<ChildState, string>> = {
  [ChildState.stopped]: 'stopped', [ChildState.waiting]: 'waiting', [ChildState.connecting]: 'connecting', [ChildState.idle]: 'idle',
  [ChildState.idleInTransaction]: 'idle in transaction', [ChildState.executing]: 'executing',
};

/** The whole text. */
export async function metricsText(observed: Observed): Promise<string> {
  const pace = new Pace();
  const text = new Exposition();
  processMetrics(text, observed);
  clientMetrics(text, observed);
  await childMetrics(text, observed, pace);
  await nodeMetrics(text, observed, pace);
  workerMetrics(text, observed);
  return text.toString();
}

function processMetrics(text: Exposition, { startedMs, loopDelays }: Observed): void {
  const { user, system } = process.cpuUsage();
  text.family('pgloom_info', 'gauge', 'Always 1; the labels tell the versions').sample(1, { version, node: process.version });
  text.family('pgloom_start_time_seconds', 'gauge', 'Unix time of the start').sample(startedMs / 1000);
  text.family('pgloom_uptime_seconds', 'gauge', 'Time since the start').sample((Date.now() - startedMs) / 1000);
  text.family('pgloom_resident_memory_bytes', 'gauge', 'Memory of the whole process, all threads').sample(process.memoryUsage.rss());
  text.family('pgloom_cpu_seconds_total', 'counter', 'CPU time of the whole process, all threads')
    .sample(user / 1e6, { mode: 'user' }).sample(system / 1e6, { mode: 'system' });
  const { medianMs, p99Ms, maxMs } = loopDelays();
  text.family('pgloom_primary_event_loop_delay_seconds', 'gauge', 'Lateness of the primary thread over the last 10 to 20 seconds; quantile 1 is the maximum')
    .sample(medianMs / 1000, { quantile: 0.5 }).sample(p99Ms / 1000, { quantile: 0.99 }).sample(maxMs / 1000, { quantile: 1 });
}

function clientMetrics(text: Exposition, { administration, admission, engine, loginFailures }: Observed): void {
  const { settings, workers } = administration.sources();
  const { counts } = admission;
  const { hits, misses } = workers.checkOuts();
  text.family('pgloom_clients_connected', 'gauge', 'Clients being served').sample(engine.sessions);
  text.family('pgloom_clients_max', 'gauge', 'Clients that can be served at the same time (num_init_children)').sample(settings.num_init_children);
  text.family('pgloom_clients_waiting', 'gauge', 'Clients in the queue for a free child').sample(admission.length);
  text.family('pgloom_clients_waiting_max', 'gauge', 'Places in the queue').sample(admission.capacity);
  text.family('pgloom_client_connections_total', 'counter', 'Client connections accepted, the refused ones among them').sample(counts.accepted);
  text.family('pgloom_client_refusals_total', 'counter', 'Clients told that there is no place, or that pgloom stops').sample(counts.refused);
  text.family('pgloom_client_login_failures_total', 'counter', 'Logins of clients refused for want of the right proof').sample(loginFailures.totals().failed);
  text.family('pgloom_client_wait_seconds', 'histogram', 'Time in the queue, of clients that had to wait and then were served').histogram(counts.waits);
  text.family('pgloom_pool_checkouts_total', 'counter', 'Server connections wanted: hit, an idle one was there; miss, one was opened')
    .sample(hits, { result: 'hit' }).sample(misses, { result: 'miss' });
}

async function childMetrics(text: Exposition, { administration }: Observed, pace: Pace): Promise<void> {
  const counts = await childCounts(administration.sources().children, pace);
  text.family('pgloom_children', 'gauge', 'Children by state; waiting is free for a client');
  for (const state of Object.values(ChildState)) text.sample(counts[state] ?? 0, { state: childStateName[state] });
}

/** How many children are in each state. */
export async function childCounts(children: { readonly size: number; state(row: number): ChildState }, pace: Pace): Promise<number[]> {
  const counts = Object.values(ChildState).map(() => 0);
  for (let row = 0; row < children.size; row++) {
    const state = children.state(row);
    counts[state] = (counts[state] ?? 0) + 1;
    if (row % 1024 === 1023 && pace.isDue) await pace.rest();
  }
  return counts;
}

function workerMetrics(text: Exposition, { administration }: Observed): void {
  const { workers } = administration.sources();
  const running = Array.from({ length: workers.size }, (_, row) => row).filter((row) => workers.threadOf(row) !== 0);
  text.family('pgloom_workers_running', 'gauge', 'Worker threads').sample(running.length);
  text.family('pgloom_worker_sessions', 'gauge', 'Clients that the worker serves');
  for (const row of running) text.sample(workers.sessions(row), { worker: row });
  text.family('pgloom_worker_utilization_ratio', 'gauge', 'Share of the time in which the worker was busy, lately');
  for (const row of running) text.sample(workers.utilization(row), { worker: row });
  text.family('pgloom_worker_heap_bytes', 'gauge', 'JavaScript heap in use');
  for (const row of running) text.sample(workers.threadHealth(row).heapBytes, { worker: row });
  text.family('pgloom_worker_event_loop_delay_seconds', 'gauge', 'Lateness of the worker over the last 10 to 20 seconds; quantile 1 is the maximum');
  for (const row of running) {
    const { medianMs, p99Ms, maxMs } = workers.threadHealth(row);
    text.sample(medianMs / 1000, { worker: row, quantile: 0.5 }).sample(p99Ms / 1000, { worker: row, quantile: 0.99 });
    text.sample(maxMs / 1000, { worker: row, quantile: 1 });
  }
}
