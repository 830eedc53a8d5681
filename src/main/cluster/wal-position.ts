/** How far a server has come in the WAL, and whom a primary sends it to: the questions and their answers. Pure. */
import { delayUnknown, PgRole } from '../../shared/memory/node-table.js';
import type { Row } from './node-client.js';

/**
 * One question for every node, whatever it is at the moment: in recovery or not, the position (replayed on a standby,
 * written on a primary), and a row for each walsender. Without pg_monitor the senders' state and lag are NULL.
 */
export const positionSql = `SELECT p.standby, p.lsn, r.application_name, r.state, r.sync_state,
    (EXTRACT(epoch FROM r.replay_lag) * 1000000)::bigint
  FROM (SELECT s AS standby, CASE WHEN s THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_lsn() END AS lsn
    FROM pg_catalog.pg_is_in_recovery() s) p
  LEFT JOIN pg_catalog.pg_stat_replication r ON NOT p.standby`;

/** A row of pg_stat_replication. */
export interface WalSender {
  readonly applicationName: string;
  readonly state: string;
  readonly syncState: string;
  /** Microseconds; null: nothing was sent lately that is not replayed, or we may not see it. */
  readonly replayLagUs: number | null;
}

export interface WalPosition {
  readonly role: PgRole;
  /** Byte position in the WAL; null when the server has none to tell. */
  readonly lsn: bigint | null;
  readonly senders: readonly WalSender[];
  /** performance.now() before the question was sent: the position is not older. */
  readonly askedMs: number;
}

/** `16/B374D848` as a byte position; null when it is no such text. */
export function parseLsn(text: string | null | undefined): bigint | null {
  const parts = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text ?? '');
  return parts === null ? null : (BigInt(`0x${parts[1]}`) << 32n) + BigInt(`0x${parts[2]}`);
}

/** The answer to `positionSql`; null when it is none. */
export function readPosition(rows: readonly Row[], askedMs: number): WalPosition | null {
  const [first] = rows;
  if (first === undefined || (first[0] !== 't' && first[0] !== 'f')) return null;
  return { role: first[0] === 'f' ? PgRole.primary : PgRole.standby, lsn: parseLsn(first[1]), senders: rows.flatMap(readSender), askedMs };
}

function readSender([, , applicationName, state, syncState, lag]: Row): WalSender[] {
  if (typeof applicationName !== 'string') return [];
  const isNumber = typeof lag === 'string' && /^-?\d{1,18}$/.test(lag);
  return [{ applicationName, state: state ?? '', syncState: syncState ?? '', replayLagUs: isNumber ? Math.max(0, Number(lag)) : null }];
}

/** The sender with this name; of several the one that is furthest behind. */
export function senderNamed(position: WalPosition, applicationName: string): WalSender | undefined {
  if (applicationName === '') return undefined;
  const lagOf = (sender: WalSender): number => sender.replayLagUs ?? Number.POSITIVE_INFINITY;
  const [first, ...others] = position.senders.filter((sender) => sender.applicationName === applicationName);
  return others.reduce((worst, sender) => (lagOf(sender) > lagOf(worst as WalSender) ? sender : worst), first);
}

/** Bytes that the standby has yet to replay. */
export function bytesBetween(ahead: bigint, behind: bigint): number {
  return ahead > behind ? Number(ahead - behind) : 0;
}

/**
 * The delay as a time. A standby that has replayed everything is in time: replay_lag may then be NULL, or for some
 * wal_receiver_status_intervals still be that of the last burst. NULL for a standby that is behind says nothing, nor
 * does the absence of its sender (it is disconnected, cascades, or has another name).
 * @param leastUs what is known without the primary's word, for that may be an old one
 */
export function microsecondsBehind(sender: WalSender | undefined, delayBytes: number, leastUs: number): number {
  if (delayBytes === 0) return 0;
  return sender === undefined || sender.replayLagUs === null ? delayUnknown : Math.max(sender.replayLagUs, leastUs);
}
