/** pcp_node_count. */
import { readComplete, readInteger } from '../client/replies.js';
import type { PcpCommand } from '../command.js';

export const nodeCount: PcpCommand = {
  name: 'pcp_node_count',
  summary: 'shows how many nodes are configured',
  options: [],
  async run(connection, { verbose }) {
    connection.send('L');
    const [text] = await readComplete(connection, 'l');
    const count = readInteger(text, 'the number of nodes');
    return { text: verbose ? `Node Count\n____________\n ${count}\n` : `${count}\n`, json: { node_count: count } };
  },
};
