/** GET /status.json: what the page shows of nodes, workers and totals. Counters are given as they are; the page makes rates of them. */
import { bucketEndsSeconds, exchangeClasses, ExchangeClass, type Histogram } from '../../shared/memory/latency-table.js';
import { ChildState } from '../../shared/memory/child-table.js';
import { CountedKind } from '../../shared/memory/statement-counts.js';
import { type NodeFacts, nodeFacts, pgRoleText, pgStatusText, roleText, statusText } from '../../shared/report/node-facts.js';
import { version } from '../../shared/version.js';
import { childCounts, childStateName } from './http-metrics.js';
import type { Observed } from './http-observed.js';
import { Pace } from './http-pace.js';
import { readiness } from './http-readiness.js';

export async function statusFacts(observed: Observed): Promise<object> {
  const pace = new Pace();
  const { administration, admission, engine, startedMs, latencies } = observed;
  const sources = administration.sources();
  const { settings, workers, children } = sources;
  const counts = await childCounts(children, pace);
  const nodes: object[] = [];
  for (const node of nodeFacts(sources)) {
    nodes.push(nodeStatus(node, observed));
    if (pace.isDue) await pace.rest();
  }
  return {
    version,
    nowMs: Date.now(),
    startedMs,
    mode: settings.backend_clustering_mode,
    ...readiness(observed),
    measures: latencies !== null,
    bucketEndsSeconds,
    clients: {
      connected: engine.sessions, max: settings.num_init_children, waiting: admission.length, waitingMax: admission.capacity,
      accepted: admission.counts.accepted, refused: admission.counts.refused, waits: histogramStatus(admission.counts.waits),
    },
    children: Object.fromEntries(Object.values(ChildState).map((state) => [childStateName[state], counts[state] ?? 0])),
    pool: workers.checkOuts(),
    memoryBytes: process.memoryUsage.rss(),
    primaryThread: observed.loopDelays(),
    workers: workerStatus(observed),
    nodes,
  };
}

function nodeStatus(node: NodeFacts, { latencies, administration }: Observed): object {
  const { id, backend, status, role, pgStatus, pgRole, weight, delay, detached, changedMs, replicationState, syncState } = node;
  const { total, success, fail, skip, retry, sumMs, maxMs, lastMs, lastFailMs } = administration.sources().health.counts(id);
  const made = success + fail;
  return {
    id, host: backend.hostname, port: backend.port, status: statusText[status], role: roleText[role], pgStatus: pgStatusText[pgStatus],
    pgRole: pgRoleText[pgRole], weight, delay, detached, changedMs, replicationState, syncState,
    counts: Object.fromEntries(Object.entries(CountedKind).map(([name, kind]) => [name, node.count(kind)])),
    health: { total, success, fail, skip, retry, averageMs: made === 0 ? 0 : sumMs / made, maxMs, lastMs, lastFailMs },
    latency: latencies === null ? {} : Object.fromEntries(exchangeClasses.map((name) => [name, histogramStatus(latencies.histogram(id, ExchangeClass[name]))])),
  };
}

/** Without the zeros at the end. */
function histogramStatus({ counts, count, sumMs }: Histogram): object {
  return { counts: counts.slice(0, counts.findLastIndex((inBucket) => inBucket > 0) + 1), count, sumMs };
}

function workerStatus({ administration }: Observed): object[] {
  const { workers } = administration.sources();
  const rows: object[] = [];
  for (let row = 0; row < workers.size; row++) {
    if (workers.threadOf(row) === 0) continue;
    rows.push({ worker: row, sessions: workers.sessions(row), utilization: workers.utilization(row), ...workers.threadHealth(row) });
  }
  return rows;
}
