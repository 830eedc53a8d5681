/** SHOW POOL_STATUS and pcp_pool_status. */
import { poolStatusRows } from '../parameters/pool-status.js';
import { delayInForce } from '../replication-delay.js';
import { type ReportTable, reportTable } from './report-table.js';
import type { ReportSources } from './sources.js';

export function poolStatus({ settings, nodes }: ReportSources): ReportTable {
  const rows = poolStatusRows(settings, {
    nodeStatus: (id) => nodes.status(id),
    standbyDelay: (id) => {
      const { isTime, value } = delayInForce(nodes, settings, id);
      return isTime ? value / 1_000_000 : value;
    },
  });
  return reportTable(['item', 'value', 'description'], rows);
}
