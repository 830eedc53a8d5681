/**
 * One entry of the log as datagrams for syslogd: what glibc's syslog() would send (RFC 3164), of the text that
 * PostgreSQL's write_syslog makes.
 *
 *   <158>Nov 23 02:38:12 pgpool[17391]: [14-2] …      14th entry of this thread, 2nd piece of it
 */
import { LogLevel } from './log-level.js';

/** PG_SYSLOG_LIMIT of PostgreSQL's elog.c: so many bytes of text stand in one datagram. */
const pieceBytes = 900;
/** A datagram with JSON is not cut in pieces; syslogd would not take one much longer than this. */
const maxJsonBytes = 60_000;

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Severity of syslog(3) for a level, as in elog.c. */
export function syslogSeverity(level: LogLevel): number {
  if (level <= LogLevel.debug1) return 7;
  switch (level) {
    case LogLevel.info:
    case LogLevel.log: return 6;
    case LogLevel.notice:
    case LogLevel.warning: return 5;
    case LogLevel.error: return 4;
    case LogLevel.fatal: return 3;
    default: return 2;
  }
}

export interface SyslogEntry {
  /** LOG_LOCAL0 … 7, in the bits above the severity. */
  readonly facility: number;
  readonly ident: string;
  readonly level: LogLevel;
  /** What stands in the brackets. */
  readonly id: number;
  readonly timeMs: number;
}

function header({ facility, ident, level, id, timeMs }: SyslogEntry): string {
  const t = new Date(timeMs);
  const two = (n: number, fill = '0'): string => String(n).padStart(2, fill);
  const day = `${months[t.getMonth()]} ${two(t.getDate(), ' ')} ${two(t.getHours())}:${two(t.getMinutes())}:${two(t.getSeconds())}`;
  return `<${facility + syslogSeverity(level)}>${day} ${ident}[${id}]: `;
}

/** @param entryNumber counted from 1 @param text whole lines */
export function syslogDatagrams(entry: SyslogEntry, entryNumber: number, text: string): string[] {
  const start = header(entry);
  return pieces(text).map((piece, at) => `${start}[${entryNumber}-${at + 1}] ${piece}`);
}

/** JSON in pieces would be no JSON: it goes as one datagram, without a number. */
export function syslogJson(entry: SyslogEntry, json: string): string {
  return header(entry) + Buffer.from(json.trimEnd()).subarray(0, maxJsonBytes).toString();
}

/** Every line in pieces of at most `pieceBytes`, cut between words where there are any, never within a character. */
function pieces(text: string): string[] {
  const found: string[] = [];
  for (const line of text.split('\n')) {
    let rest = Buffer.from(line);
    while (rest.length > pieceBytes) {
      const length = cutAt(rest);
      found.push(rest.toString('utf8', 0, length));
      rest = rest.subarray(length);
    }
    if (rest.length > 0) found.push(rest.toString());
  }
  return found;
}

/** The blank at which it is cut begins the next piece. */
function cutAt(rest: Buffer): number {
  let end = pieceBytes;
  // 10xxxxxx: not the first byte of a character.
  while (((rest[end] ?? 0) & 0xc0) === 0x80) end--;
  for (let at = end; at > 0; at--) if (rest[at] === 0x20 || rest[at] === 0x09) return at;
  return end;
}
