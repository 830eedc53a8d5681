/**
 * Standbys that are too far behind to be read from, and those that are the least so. Pure functions of the node table
 * and the settings; the rule for one pair of numbers is in src/shared/replication-delay.ts.
 */
import type { NodeTable } from '../../shared/memory/node-table.js';
import { isDelayTimed, isOverThreshold } from '../../shared/replication-delay.js';
import type { Settings } from '../../shared/settings.js';

type LatenessSettings = Pick<Settings, 'backends' | 'delay_threshold' | 'delay_threshold_by_time' | 'replication_delay_source_cmd'>;

/**
 * Must reads stay away from this node because of its delay? Never true of the primary, nor without a threshold.
 * A standby whose delay is checked but could not be found out, or not yet, is too late as well.
 */
export function isTooLate(nodes: NodeTable, settings: LatenessSettings, node: number): boolean {
  if (settings.delay_threshold === 0 && settings.delay_threshold_by_time === 0) return false;
  return node !== nodes.primary && isOverThreshold(settings, nodes.delayBytes(node), nodes.delayUs(node));
}

/**
 * prefer_lower_delay_standby: of the candidates the live standbys with a weight that are not too late and have the
 * smallest delay, in the order given. The caller picks one by weight; when there is none, the primary reads.
 * @param candidates ids of the nodes that this session can use
 */
export function leastDelayed(nodes: NodeTable, settings: LatenessSettings, candidates: readonly number[]): number[] {
  let least = Number.POSITIVE_INFINITY;
  let chosen: number[] = [];
  for (const { id, weight } of settings.backends) {
    if (weight <= 0 || !candidates.includes(id) || id === nodes.primary || !nodes.isAlive(id) || isTooLate(nodes, settings, id)) continue;
    const delay = comparableDelay(nodes, settings, id);
    if (delay > least) continue;
    if (delay < least) chosen = [];
    least = delay;
    chosen.push(id);
  }
  return chosen;
}

/** In the unit in force. No time is known of a standby that is not over without one: then it has replayed everything. */
function comparableDelay(nodes: NodeTable, settings: LatenessSettings, node: number): number {
  return Math.max(0, isDelayTimed(settings) ? nodes.delayUs(node) : nodes.delayBytes(node));
}
