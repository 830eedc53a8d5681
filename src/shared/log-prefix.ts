/**
 * log_line_prefix: %a application (or what the process is), %p child id or process id, %P process name, %t time,
 * %m time with milliseconds, %d database, %u user, %l line number, %%. A number between % and the letter pads: `%8p`
 * on the left, `%-8p` on the right. Anything else behind a % is left out, as in PostgreSQL.
 */

/** Who a line is about. A session fills it in as it learns; it is read when a line is made. */
export interface LogIdentity {
  /** Child id; the process id for everything that is no child. */
  id: number;
  /** What this is: `main`, `child`, `health_check0`, … */
  processName: string;
  /** '' while unknown, like the rest. */
  application: string;
  database: string;
  user: string;
  host: string;
}

/** Makes one prefix. */
export type LogPrefix = (identity: LogIdentity, timeMs: number, lineNumber: number) => string;

/** Pgpool-II's words for a process that has no client, or one that has not told who it is yet. */
const noClient = '[No Connection]';

const values: Readonly<Record<string, LogPrefix>> = {
  a: who => escapeControls(who.application || who.processName),
  p: who => String(who.id),
  P: who => escapeControls(who.processName),
  t: (_who, timeMs) => localSecond(timeMs),
  m: (_who, timeMs) => `${localSecond(timeMs)}.${String(timeMs % 1000).padStart(3, '0')}`,
  d: who => escapeControls(who.database || noClient),
  u: who => escapeControls(who.user || noClient),
  l: (_who, _timeMs, line) => String(line),
  '%': () => '%',
};

/** Reads the format once. */
export function compileLogPrefix(format: string): LogPrefix {
  const parts: LogPrefix[] = [];
  for (const [, literal, padding, letter] of format.matchAll(/([^%]+)|%(-?[0-9]*)(.?)/gs)) {
    if (literal !== undefined) {
      parts.push(() => literal);
      continue;
    }
    const value = values[letter ?? ''];
    if (value === undefined) continue;
    // Nobody means a prefix of a megabyte.
    const width = Math.max(-1000, Math.min(1000, Number.parseInt(padding ?? '', 10) || 0));
    parts.push(width === 0 ? value : (who, timeMs, line) => {
      const text = value(who, timeMs, line);
      return width > 0 ? text.padStart(width) : text.padEnd(-width);
    });
  }
  return (who, timeMs, line) => parts.reduce((text, part) => text + part(who, timeMs, line), '');
}

let lastSecond = Number.NaN;
let lastText = '';

/** YYYY-MM-DD HH:MM:SS in the local time zone; one text a second. */
export function localSecond(timeMs: number): string {
  const second = Math.floor(timeMs / 1000);
  if (second !== lastSecond) {
    const t = new Date(timeMs);
    const two = (n: number): string => String(n).padStart(2, '0');
    lastText = `${t.getFullYear()}-${two(t.getMonth() + 1)}-${two(t.getDate())} ${two(t.getHours())}:${two(t.getMinutes())}:${two(t.getSeconds())}`;
    lastSecond = second;
  }
  return lastText;
}

/** Control characters of C0 (but the tab) and C1, and Unicode's line ends: all that could look like the end of a line. */
// oxlint-disable-next-line no-control-regex
const controls = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029]/g;

/** A line of the log must not be made to look like two: `\n`, `\r`, `\x1b` and so on are written out. */
export function escapeControls(text: string): string {
  return text.replaceAll(controls, character => {
    if (character === '\n') return '\\n';
    if (character === '\r') return '\\r';
    const code = character.charCodeAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`;
  });
}
