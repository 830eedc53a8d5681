/** SHOW POOL_NODES. */
import { nodeFacts, type NodeFacts, pgRoleText, pgStatusText, roleText, statusText } from './node-facts.js';
import { CountedKind } from '../memory/statement-counts.js';
import { type ReportTable, reportTable } from './report-table.js';
import type { ReportSources } from './sources.js';
import { timestamp } from './time-text.js';

const columns = ['node_id', 'hostname', 'port', 'status', 'pg_status', 'lb_weight', 'role', 'pg_role', 'select_cnt', 'load_balance_node', 'replication_delay', 'replication_state', 'replication_sync_state', 'last_status_change'];

/** @param reader the node that the asking session reads from */
export function poolNodes(sources: ReportSources, reader: number): ReportTable {
  const rows = nodeFacts(sources).map((node) => [
    String(node.id), node.backend.hostname, String(node.backend.port), statusText[node.status], pgStatusText[node.pgStatus], node.weight.toFixed(6),
    roleText[node.role], pgRoleText[node.pgRole], String(node.count(CountedKind.select)), String(node.id === reader), delayText(node),
    node.replicationState, node.syncState, timestamp(node.changedMs),
  ]);
  return reportTable(columns, rows);
}

/** Bytes, or seconds when the delay is measured in time. */
function delayText({ delay: { isTime, value } }: NodeFacts): string {
  if (!isTime) return String(value);
  const seconds = value / 1_000_000;
  return `${seconds.toFixed(6)} ${seconds >= 2 ? 'seconds' : 'second'}`;
}
