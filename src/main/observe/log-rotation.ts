/** When the log goes on in another file, as PostgreSQL's syslogger decides it. */
import { zoneSeconds } from './log-file-name.js';

/**
 * The next time at which a file has become too old: the next multiple of the age in local time, so that with an age
 * of a day it is midnight.
 * @param ageMinutes log_rotation_age @returns ms; Infinity when files never grow old
 */
export function nextRotationMs(nowMs: number, ageMinutes: number): number {
  if (ageMinutes <= 0) return Number.POSITIVE_INFINITY;
  const ageMs = ageMinutes * 60_000;
  const zoneMs = zoneSeconds(new Date(nowMs)) * 1000;
  const local = nowMs + zoneMs;
  return local - (local % ageMs) + ageMs - zoneMs;
}
