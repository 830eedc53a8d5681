import type { NodeTable } from '../../shared/memory/node-table.js';
import type { Settings } from '../../shared/settings.js';

const shortestMs = 100;

/**
 * dml_adaptive_global: how long, in ms, the standbys may lack what is written now: the delay of the slowest that is
 * read from, times track_table_mutation_ttl_factor, and 100 ms at least. Where bytes are missing and no time is known, it
 * may be as long as the time between two checks.
 */
export function staleTime(nodes: NodeTable, settings: Pick<Settings, 'backends' | 'sr_check_period' | 'track_table_mutation_ttl_factor'>): number {
  let longestMs = 0;
  for (const { id, weight } of settings.backends) {
    if (weight <= 0 || id === nodes.primary || !nodes.isAlive(id)) continue;
    const delayUs = nodes.delayUs(id);
    if (delayUs >= 0) longestMs = Math.max(longestMs, delayUs / 1000);
    else if (nodes.delayBytes(id) !== 0) longestMs = Math.max(longestMs, settings.sr_check_period * 1000);
  }
  return Math.max(shortestMs, longestMs * settings.track_table_mutation_ttl_factor);
}
