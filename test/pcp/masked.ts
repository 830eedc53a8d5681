/**
 * Outputs of pcp_* with what no two servers can have in common masked, field by field: times, ids of processes, and
 * counts that grow with time. Everything else stays.
 */

/** Time stamps, with the count-down that may follow one. */
export function maskTimes(text: string): string {
  return text.replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d( \(\d+:\d\d before process restarting\))?/g, (_all, countdown?: string) => (countdown === undefined ? '<time>' : '<time-to-go>'));
}

/** Grows with time: only whether it is zero counts. */
const counter = (text: string | undefined): string => (Number(text) === 0 ? '0' : '<some>');

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

/** pcp_health_check_stats: fields by place. The longest, shortest and average durations are masked altogether: 0 ms is one, too. */
export function healthFields(text: string): string[] {
  return maskTimes(text.trimEnd()).split(' ').map((field, at) => (at >= 6 && at <= 12 ? counter(field) : at >= 13 && at <= 15 ? '<ms>' : field));
}

const titles = [
  'Database', 'Username', 'Start time', 'Client connection count', 'Major', 'Minor', 'Backend connection time', 'Client connection time',
  'Client idle duration', 'Client disconnection time', 'Pool Counter', 'Backend PID', 'Connected', 'PID', 'Backend ID', 'Status',
];

/** One row of pcp_proc_info by the titles of its verbose form. */
export type ProcessRow = Readonly<Record<string, string>>;

/** pcp_proc_info; the rows are sorted, for which child serves whom is chance. */
export function processRows(text: string): ProcessRow[] {
  return sorted(lines(maskTimes(text)).map((line) => {
    const fields = line.split(' ');
    // A status may have blanks in it; nothing else does any more.
    return masked(titles.map((title, at) => [title, at < titles.length - 1 ? (fields[at] ?? '') : fields.slice(at).join(' ')]));
  }));
}

/** The same of pcp_proc_info -v: `Title : value` lines, a blank line behind each row. */
export function verboseRows(text: string): ProcessRow[] {
  return sorted(text.split('\n\n').filter((block) => block.trim() !== '')
    .map((block) => masked(lines(maskTimes(block)).map((line) => /^(.*?)\s*: ?(.*)$/.exec(line)?.slice(1) ?? [line]))));
}

function masked(fields: readonly (readonly string[])[]): ProcessRow {
  const row = Object.fromEntries(fields);
  row['PID'] = '<child>';
  // Pgpool-II counts it only with client_idle_limit.
  row['Client idle duration'] = '<idle>';
  if (row['Connected'] === '1') {
    // Pgpool-II shows when the one before it left this place.
    row['Client disconnection time'] = '<time or nothing>';
    row['Client connection count'] = '<of the child>';
  }
  if (row['Database'] !== '') {
    // pgloom opens a connection to a node when a statement goes there, Pgpool-II all of them at once. So of a node's
    // connection in a place that is used there may be something to tell, or not.
    for (const title of ['Backend connection time', 'Pool Counter', 'Backend PID']) row[title] = '<of the connection>';
  }
  return row;
}

function sorted(rows: readonly ProcessRow[]): ProcessRow[] {
  return rows.toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
}

export interface StatusItem {
  readonly name: string;
  readonly value: string;
  readonly description: string;
}

/** pcp_pool_status, plain or verbose. */
export function statusItems(text: string): StatusItem[] {
  const value = (line: string | undefined): string => line?.replace(/^[^:]*:[ \t]*/, '') ?? '';
  return text.split('\n\n').filter((block) => block.trim() !== '').map((block) => {
    const [name, shown, description] = block.split('\n');
    return { name: value(name), value: value(shown), description: value(description) };
  });
}
