/**
 * What the two delays in the node table mean under the settings (reference/semantics.md 13). Pure; for both sides.
 *
 *   unit in force   microseconds with delay_threshold_by_time or replication_delay_source_cmd, else bytes
 *   over            each number is held against its own threshold, and one threshold that is passed is enough
 *
 * Pgpool-II has one number and holds it against both thresholds, so that with both set microseconds are compared
 * with bytes; that is not repeated here.
 */
import { delayAwaited, delayUnknown, type NodeTable } from './memory/node-table.js';
import type { Settings } from './settings.js';

type Thresholds = Pick<Settings, 'delay_threshold' | 'delay_threshold_by_time'>;
type Source = Pick<Settings, 'delay_threshold_by_time' | 'replication_delay_source_cmd'>;

/** Is the delay that is shown and logged a time? */
export function isDelayTimed(settings: Source): boolean {
  return settings.delay_threshold_by_time > 0 || settings.replication_delay_source_cmd !== '';
}

/**
 * Is a standby with these delays too far behind to be read from?
 *
 * `delayAwaited` counts as over: it was asked in vain. `delayUnknown` does not, for nobody measures; only where the
 * time is unknown to a primary that does not see the standby as its own is any distance in bytes over.
 * @param delayBytes as in the node table, @param delayUs likewise
 */
export function isOverThreshold(settings: Thresholds, delayBytes: number, delayUs: number): boolean {
  const { delay_threshold: thresholdBytes, delay_threshold_by_time: thresholdMs } = settings;
  if (thresholdMs > 0) {
    if (delayUs === delayAwaited || delayUs > thresholdMs * 1000) return true;
    if (delayUs === delayUnknown && (delayBytes > 0 || delayBytes === delayAwaited)) return true;
  }
  return thresholdBytes > 0 && (delayBytes === delayAwaited || delayBytes > thresholdBytes);
}

/** The delay to show: in the unit in force, in bytes where the time is not known, 0 where nothing is. */
export function delayInForce(nodes: NodeTable, settings: Source, node: number): { readonly isTime: boolean; readonly value: number } {
  const isTimed = isDelayTimed(settings);
  const delayUs = nodes.delayUs(node);
  if (isTimed && delayUs >= 0) return { isTime: true, value: delayUs };
  const delayBytes = nodes.delayBytes(node);
  return delayBytes >= 0 ? { isTime: false, value: delayBytes } : { isTime: isTimed, value: 0 };
}
