/** Metrics of the nodes: state, delay, health checks, statements, latency. */
import { exchangeClasses, ExchangeClass } from '../../shared/memory/latency-table.js';
import { CountedKind } from '../../shared/memory/statement-counts.js';
import { type NodeFacts, nodeFacts, roleText, statusText } from '../../shared/report/node-facts.js';
import type { ReportSources } from '../../shared/report/sources.js';
import type { Exposition } from './http-exposition.js';
import type { Observed } from './http-observed.js';
import type { Pace } from './http-pace.js';

const statementKinds = ['select', 'insert', 'update', 'delete', 'ddl', 'other'] as const;
const errorKinds = ['error', 'fatal', 'panic'] as const;

export async function nodeMetrics(text: Exposition, observed: Observed, pace: Pace): Promise<void> {
  const sources = observed.administration.sources();
  const nodes = nodeFacts(sources);
  for (const part of [stateMetrics, placeMetrics, healthMetrics]) {
    part(text, nodes, sources);
    if (pace.isDue) await pace.rest();
  }
  await statementMetrics(text, nodes, pace);
  if (observed.latencies === null) return;
  text.family('pgloom_query_duration_seconds', 'histogram',
    'From the message to the node to the end of its answer; queries that a client sends without waiting for answers count as one');
  for (const { id } of nodes) {
    for (const name of exchangeClasses) text.histogram(observed.latencies.histogram(id, ExchangeClass[name]), { node: id, class: name });
    if (pace.isDue) await pace.rest();
  }
}

function stateMetrics(text: Exposition, nodes: readonly NodeFacts[]): void {
  text.family('pgloom_node_status', 'gauge', '1 for the state that the node is in, 0 for the others');
  for (const { id, status } of nodes) for (const [number, name] of Object.entries(statusText)) text.sample(Number(Number(number) === status), { node: id, status: name });
  text.family('pgloom_node_role', 'gauge', '1 for the role that the node has, 0 for the others');
  for (const { id, role } of nodes) for (const [number, name] of Object.entries(roleText)) text.sample(Number(Number(number) === role), { node: id, role: name });
}

function placeMetrics(text: Exposition, nodes: readonly NodeFacts[], { nodes: table }: ReportSources): void {
  text.family('pgloom_node_info', 'gauge', 'Always 1; the labels tell where the node is');
  for (const { id, backend: { hostname, port } } of nodes) text.sample(1, { node: id, hostname, port });
  text.family('pgloom_node_detached', 'gauge', '1 when the operator has taken the node out of service');
  for (const { id, detached } of nodes) text.sample(Number(detached), { node: id });
  text.family('pgloom_node_weight_ratio', 'gauge', 'Share of the reads that the node is to get');
  for (const { id, weight } of nodes) text.sample(weight, { node: id });
  text.family('pgloom_node_status_change_time_seconds', 'gauge', 'Unix time of the last change of state');
  for (const { id, changedMs } of nodes) text.sample(changedMs / 1000, { node: id });
  // A delay that is not known has no sample.
  text.family('pgloom_node_replication_delay_bytes', 'gauge', 'How far the standby is behind');
  for (const { id } of nodes) if (table.delayBytes(id) >= 0) text.sample(table.delayBytes(id), { node: id });
  text.family('pgloom_node_replication_delay_seconds', 'gauge', 'How far the standby is behind, where it is measured in time');
  for (const { id } of nodes) if (table.delayUs(id) >= 0) text.sample(table.delayUs(id) / 1e6, { node: id });
}

function healthMetrics(text: Exposition, nodes: readonly NodeFacts[], { health }: ReportSources): void {
  const all = nodes.map(({ id }) => ({ id, ...health.counts(id) }));
  text.family('pgloom_health_checks_total', 'counter', 'Health checks of the node; skip: it was down and not checked');
  for (const { id, success, fail, skip } of all) {
    text.sample(success, { node: id, result: 'success' }).sample(fail, { node: id, result: 'fail' }).sample(skip, { node: id, result: 'skip' });
  }
  text.family('pgloom_health_check_retries_total', 'counter', 'Further attempts of health checks');
  for (const { id, retry } of all) text.sample(retry, { node: id });
  text.family('pgloom_health_check_duration_seconds', 'summary', 'Duration of the health checks, retries among them');
  for (const { id, success, fail, sumMs } of all) text.summary(success + fail, sumMs, { node: id });
  text.family('pgloom_health_check_duration_max_seconds', 'gauge', 'The longest health check since the start');
  for (const { id, maxMs } of all) text.sample(maxMs / 1000, { node: id });
}

async function statementMetrics(text: Exposition, nodes: readonly NodeFacts[], pace: Pace): Promise<void> {
  text.family('pgloom_statements_total', 'counter', 'Statements sent to the node, by kind, as SHOW POOL_BACKEND_STATS counts them');
  for (const node of nodes) {
    for (const kind of statementKinds) text.sample(node.count(CountedKind[kind]), { node: node.id, kind });
    if (pace.isDue) await pace.rest();
  }
  text.family('pgloom_node_errors_total', 'counter', 'Errors that the node has answered with');
  for (const node of nodes) for (const severity of errorKinds) text.sample(node.count(CountedKind[severity]), { node: node.id, severity });
}
