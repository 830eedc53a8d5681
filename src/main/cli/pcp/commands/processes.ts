/** pcp_proc_count and pcp_proc_info. */
import { readComplete, readInteger, readRows } from '../client/replies.js';
import type { PcpCommand } from '../command.js';
import { malformed } from '../failure.js';
import { records, splitTimeNote, type Cell } from '../layout.js';

export const procCount: PcpCommand = {
  name: 'pcp_proc_count',
  summary: 'lists the processes that serve clients',
  options: [],
  async run(connection, { verbose }) {
    connection.send('N');
    const [countText, ...texts] = await readComplete(connection, 'n');
    const count = readInteger(countText, 'the number of processes');
    if (count !== texts.length) throw malformed(`${count} processes announced and ${texts.length} sent`);
    const pids = texts.map((text) => readInteger(text, 'a process id'));
    const rows = pids.map((pid, index) => `${index} \t | \t ${pid}\n`).join('');
    const text = verbose
      ? `No \t | \t PID\n${'_'.repeat(21)}\n${rows}\nTotal Processes:${count}\n`
      : `${pids.map((pid) => `${pid} `).join('')}\n`;
    return { text, json: { process_count: count, process_ids: pids } };
  },
};

/** 17 fields up to 4.4, 18 up to 4.6, 21 since 4.7; a column whose field is not there is not printed. */
const fewestFields = 17;
/** The columns in the order of printing, with the number of their field on the wire. */
const columns: readonly (readonly [title: string, field: number])[] = [
  ['Database', 5], ['Username', 6], ['Start time', 1], ['Client connection count', 2], ['Major', 11], ['Minor', 12],
  ['Backend connection time', 7], ['Client connection time', 8], ['Client idle duration', 10], ['Client disconnection time', 9],
  ['Pool Counter', 13], ['Backend PID', 14], ['Connected', 15], ['PID', 0], ['Backend ID', 4], ['Status', 16],
  ['Load balance node', 17], ['client_host', 18], ['client_port', 19], ['statement', 20],
];
const databaseField = 5;

export const procInfo: PcpCommand = {
  name: 'pcp_proc_info',
  summary: 'shows processes and their connections to the nodes',
  options: ['process-id', 'all'],
  id: 'process-id',
  async run(connection, { id, all, verbose }) {
    connection.send('P', Buffer.from(`${id ?? 0}\0`));
    const received = await readRows(connection, 'p', 'ProcessInfo');
    const short = received.find((row) => row.length < fewestFields);
    if (short !== undefined) throw malformed(`a process with ${short.length} fields`);
    const rows = received.filter((row) => all || row[databaseField] !== '');
    const json = { processes: rows.map(processJson) };
    if (received.length === 0) return { text: 'pcp_proc_info -- Command Successful\n', json };
    if (rows.length === 0) return { text: 'No process information available\n\n', json };
    return { text: records(rows.map(processCells), verbose), json };
  },
};

function processCells(row: readonly string[]): Cell[] {
  return columns.flatMap(([title, field]): Cell[] => {
    const value = row[field];
    return value === undefined ? [] : [[title, value]];
  });
}

function processJson(row: readonly string[]): Record<string, unknown> {
  const text = (field: number): string | null => row[field] || null;
  const integer = (field: number, what: string): number => readInteger(row[field], what);
  const flag = (field: number, what: string): boolean | null => (row[field] === undefined ? null : integer(field, what) !== 0);
  const start = splitTimeNote(row[1] ?? '');
  const idle = splitTimeNote(row[10] ?? '');
  return {
    process_id: integer(0, 'a process id'),
    start_time: start.text,
    seconds_before_restart: start.noteSeconds,
    client_connection_count: integer(2, 'a connection count'),
    pool_id: integer(3, 'a pool id'),
    backend_id: integer(4, 'a backend id'),
    database: text(databaseField),
    username: text(6),
    backend_connection_time: text(7),
    client_connection_time: text(8),
    client_disconnection_time: text(9),
    client_idle_seconds: readInteger(idle.text ?? undefined, 'an idle duration'),
    seconds_before_disconnect: idle.noteSeconds,
    protocol_major: integer(11, 'a protocol version'),
    protocol_minor: integer(12, 'a protocol version'),
    pool_counter: integer(13, 'a pool counter'),
    backend_pid: integer(14, 'a backend pid'),
    connected: flag(15, 'a connected flag'),
    status: text(16),
    load_balance_node: flag(17, 'a load balance flag'),
    client_host: text(18),
    client_port: text(19) === null ? null : integer(19, 'a client port'),
    statement: text(20),
  };
}
