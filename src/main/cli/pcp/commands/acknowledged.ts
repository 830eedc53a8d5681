/** The commands that are answered by an acknowledgement only. */
import { readComplete } from '../client/replies.js';
import type { PcpConnection } from '../client/connection.js';
import type { PcpCommand, PcpResult } from '../command.js';
import type { PcpOptions } from '../options.js';

/** Sends a request and waits for the reply with its letter. */
async function request(connection: PcpConnection, name: string, letter: string, payload: string, replyLetter: string): Promise<PcpResult> {
  connection.send(letter, Buffer.from(payload, 'latin1'));
  await readComplete(connection, replyLetter);
  return { text: `${name} -- Command Successful\n`, json: { command: name, successful: true } };
}

/** `id` is set: getting here without it is refused by the options. */
const idText = ({ id }: PcpOptions): string => String(id ?? 0);

export const attachNode: PcpCommand = {
  name: 'pcp_attach_node',
  summary: 'attaches a node',
  options: ['node-id'],
  id: 'node-id',
  idRequired: true,
  run: (connection, options) => request(connection, 'pcp_attach_node', 'C', `${idText(options)}\0`, 'c'),
};

export const detachNode: PcpCommand = {
  name: 'pcp_detach_node',
  summary: 'detaches a node',
  options: ['node-id', 'gracefully'],
  id: 'node-id',
  idRequired: true,
  run: (connection, options) => request(connection, 'pcp_detach_node', options.gracefully ? 'd' : 'D', `${idText(options)}\0`, 'd'),
};

export const promoteNode: PcpCommand = {
  name: 'pcp_promote_node',
  summary: 'makes a node the primary',
  options: ['node-id', 'gracefully', 'switchover'],
  id: 'node-id',
  idRequired: true,
  run: (connection, options) => request(
    connection, 'pcp_promote_node', options.gracefully ? 'j' : 'J',
    // A blank stands between the number and its end, and the kind of promotion behind it.
    `${idText(options)} \0${options.switchover ? 's' : 'n'}`, 'd',
  ),
};

export const recoveryNode: PcpCommand = {
  name: 'pcp_recovery_node',
  summary: 'recovers a node online and attaches it',
  options: ['node-id'],
  id: 'node-id',
  idRequired: true,
  // The acknowledgement has the letter of attaching.
  run: (connection, options) => request(connection, 'pcp_recovery_node', 'O', `${idText(options)}\0`, 'c'),
};

export const stopPgpool: PcpCommand = {
  name: 'pcp_stop_pgpool',
  summary: 'stops pgpool',
  // Pgpool-II takes -a and does nothing with it.
  options: ['mode', 'scope', 'all'],
  async run(connection, { scope, mode }) {
    return request(connection, 'pcp_stop_pgpool', scope === 'c' ? 't' : 'T', mode, 't');
  },
};

export const reloadConfig: PcpCommand = {
  name: 'pcp_reload_config',
  summary: 'makes pgpool read its configuration again',
  options: ['scope'],
  run: (connection, { scope }) => request(connection, 'pcp_reload_config', 'Z', scope, 'z'),
};

export const logRotate: PcpCommand = {
  name: 'pcp_log_rotate',
  summary: 'makes pgpool begin a new log file',
  options: ['scope'],
  run: (connection, { scope }) => request(connection, 'pcp_log_rotate', 'V', scope, 'v'),
};

export const invalidateQueryCache: PcpCommand = {
  name: 'pcp_invalidate_query_cache',
  summary: 'empties the query cache',
  options: [],
  run: (connection) => request(connection, 'pcp_invalidate_query_cache', 'G', '', 'g'),
};
