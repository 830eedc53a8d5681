/** SHOW POOL_BACKEND_STATS: what was sent to each node since the start. */
import { CountedKind } from '../memory/statement-counts.js';
import { nodeFacts, roleText, statusText } from './node-facts.js';
import { type ReportTable, reportTable } from './report-table.js';
import type { ReportSources } from './sources.js';

const columns = ['node_id', 'hostname', 'port', 'status', 'role', 'select_cnt', 'insert_cnt', 'update_cnt', 'delete_cnt', 'ddl_cnt', 'other_cnt', 'panic_cnt', 'fatal_cnt', 'error_cnt'];
const counted = Object.values(CountedKind).toSorted((a, b) => a - b);

export function backendStats(sources: ReportSources): ReportTable {
  const rows = nodeFacts(sources).map((node) => [
    String(node.id), node.backend.hostname, String(node.backend.port), statusText[node.status], roleText[node.role],
    ...counted.map((kind) => String(node.count(kind))),
  ]);
  return reportTable(columns, rows);
}
