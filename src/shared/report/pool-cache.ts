/** SHOW POOL_CACHE. The query cache is not there yet: it has no entries, and nothing was looked up in it. */
import { type ReportTable, reportTable } from './report-table.js';

const columns = [
  'num_cache_hits', 'num_selects', 'cache_hit_ratio', 'num_hash_entries', 'used_hash_entries', 'num_cache_entries', 'used_cache_entries_size',
  'free_cache_entries_size', 'fragment_cache_entries_size',
];

export function poolCache(): ReportTable {
  return reportTable(columns, [['0', '0', '0.00', '0', '0', '0', '0', '0', '0']]);
}
