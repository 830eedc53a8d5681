/** `B`: the rows of SHOW POOL_STATUS. */
import { poolStatus as report } from '../../../shared/report/pool-status.js';
import { commandComplete, packet } from '../framing.js';
import { sendAll } from '../row-stream.js';
import type { PcpCommand } from '../session.js';

export const poolStatus: PcpCommand = async (session) => {
  const { rows, count: rowCount } = report(session.administration.sources());
  const count = Buffer.alloc(4);
  count.writeInt32BE(rowCount);
  await session.send(packet('b', 'ArraySize', count));
  await sendAll(session, 'b', 'ProcessConfig', rows);
  await session.send(commandComplete('b'));
};
