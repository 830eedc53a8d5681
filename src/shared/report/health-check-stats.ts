/** SHOW POOL_HEALTH_CHECK_STATS and pcp_health_check_stats. */
import { nodeFacts, roleText, statusText } from './node-facts.js';
import { type ReportTable, reportTable } from './report-table.js';
import type { ReportSources } from './sources.js';
import { timestamp } from './time-text.js';

const columns = [
  'node_id', 'hostname', 'port', 'status', 'role', 'last_status_change', 'total_count', 'success_count', 'fail_count', 'skip_count', 'retry_count',
  'average_retry_count', 'max_retry_count', 'max_duration', 'min_duration', 'average_duration', 'last_health_check', 'last_successful_health_check',
  'last_skip_health_check', 'last_failed_health_check',
];

export function healthCheckStats(sources: ReportSources): ReportTable {
  const rows = nodeFacts(sources).map((node) => {
    const { id, backend } = node;
    const counts = sources.health.counts(id);
    const made = counts.total - counts.skip;
    // Where nothing has been checked Pgpool-II divides by zero and shows -nan.
    const average = (sum: number): string => (made === 0 ? 0 : sum / made).toFixed(6);
    return [
      String(id), backend.hostname, String(backend.port), statusText[node.status], roleText[node.role], timestamp(node.changedMs),
      String(counts.total), String(counts.success), String(counts.fail), String(counts.skip), String(counts.retry),
      average(counts.retry), String(counts.maxRetry), String(Math.round(counts.maxMs)), String(Math.round(counts.minMs)), average(counts.sumMs),
      timestamp(counts.lastMs), timestamp(counts.lastSuccessMs), timestamp(counts.lastSkipMs), timestamp(counts.lastFailMs),
    ];
  });
  return reportTable(columns, rows);
}
