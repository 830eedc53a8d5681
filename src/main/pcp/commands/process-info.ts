/** `N` and `P`: the children, and what each of them and its server connections do. */
import { AdministrationError } from '../../administration.js';
import { ChildState } from '../../../shared/memory/child-table.js';
import { poolPools } from '../../../shared/report/pool-pools.js';
import { commandComplete, numberOf, packet, payloadStrings } from '../framing.js';
import { sendAll } from '../row-stream.js';
import type { PcpCommand } from '../session.js';

export const processCount: PcpCommand = async ({ administration, send }) => {
  const { children } = administration.sources();
  const ids: string[] = [];
  for (let row = 0; row < children.size; row++) if (children.state(row) !== ChildState.stopped) ids.push(String(children.id(row)));
  await send(commandComplete('n', String(ids.length), ...ids));
};

/** All 21 fields of 4.7: older clients stop reading after the 17 or 18 that they know. */
export const processInfo: PcpCommand = async (session, payload) => {
  const { administration } = session;
  const text = payloadStrings(payload)[0] ?? '';
  const id = numberOf(text);
  const sources = administration.sources();
  const row = id === 0 ? undefined : sources.children.rowOfId(id);
  if (row === -1) throw new AdministrationError('informing process info failed', `invalid process ID : ${text}`);
  const { count, rows } = poolPools(sources, await administration.links(), row);
  await session.send(packet('p', 'ArraySize', String(count)));
  await sendAll(session, 'p', 'ProcessInfo', rows);
  await session.send(commandComplete('p'));
};
