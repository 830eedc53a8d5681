/** pcp_pool_status. */
import { escapeControls } from '../../../../shared/log-prefix.js';
import { readRows } from '../client/replies.js';
import type { PcpCommand } from '../command.js';
import { malformed } from '../failure.js';

export const poolStatus: PcpCommand = {
  name: 'pcp_pool_status',
  summary: 'shows the parameters and their values',
  options: [],
  async run(connection, { verbose }) {
    connection.send('B');
    const rows = await readRows(connection, 'b', 'ProcessConfig', 'binary');
    const settings = rows.map(([name, value, description]) => {
      if (name === undefined || value === undefined || description === undefined) throw malformed('a parameter without its value or description');
      // Pgpool-II's memqcache_stats_start_time ends with a line end.
      return { name, value: value.replace(/\n$/, ''), description };
    });
    if (rows.length === 0) return { text: 'pcp_pool_status -- Command Successful\n', json: { settings } };
    const text = settings.map((setting, index) => {
      const [name, value, description] = [setting.name, setting.value, setting.description].map(escapeControls);
      return verbose
        ? `Name [${String(index).padStart(3)}]:\t${name}\nValue:      \t${value}\nDescription:\t${description}\n\n`
        : `name : ${name}\nvalue: ${value}\ndesc : ${description}\n\n`;
    });
    return { text: text.join(''), json: { settings } };
  },
};
