/** log_standby_delay: which lines a measurement is worth. Pure. */
import { isDelayTimed } from '../../shared/replication-delay.js';
import type { Settings } from '../../shared/settings.js';

type DelayLogSettings = Pick<Settings, 'log_standby_delay' | 'delay_threshold' | 'delay_threshold_by_time' | 'replication_delay_source_cmd'>;

function line(node: number, distance: string, primary: number): string {
  return `Replication of node: ${node} is behind ${distance} from the primary server (node: ${primary})`;
}

/**
 * The line for a measurement by SQL, null for none. `always` tells the delay in force if there is one,
 * `if_over_threshold` the first of the two that is over its own threshold.
 * @param delayUs negative when it is not known or comes from replication_delay_source_cmd
 */
export function measuredLine(settings: DelayLogSettings, node: number, primary: number, delayBytes: number, delayUs: number): string | null {
  const { log_standby_delay: when, delay_threshold: thresholdBytes, delay_threshold_by_time: thresholdMs } = settings;
  if (when === 'none') return null;
  const isTimed = isDelayTimed(settings) && delayUs >= 0;
  const timeLine = line(node, `${(delayUs / 1_000_000).toFixed(6)} second(s)`, primary);
  const bytesLine = line(node, `${delayBytes} bytes`, primary);
  if (thresholdMs > 0 && delayUs > thresholdMs * 1000) return timeLine;
  if (thresholdBytes > 0 && delayBytes > thresholdBytes) return bytesLine;
  if (when !== 'always' || settings.replication_delay_source_cmd !== '') return null;
  if (isTimed) return delayUs > 0 ? timeLine : null;
  return delayBytes > 0 ? bytesLine : null;
}

/** The line for a delay that replication_delay_source_cmd has told, null for none. */
export function toldLine(settings: DelayLogSettings, node: number, primary: number, delayUs: number): string | null {
  const { log_standby_delay: when, delay_threshold_by_time: thresholdMs } = settings;
  const isOver = thresholdMs > 0 && delayUs > thresholdMs * 1000;
  if (when === 'none' || delayUs === 0 || (when === 'if_over_threshold' && !isOver)) return null;
  return `${line(node, `${(delayUs / 1_000_000).toFixed(3)} second(s)`, primary)} [external command]`;
}
