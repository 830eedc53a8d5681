/** `A`: setting a parameter of this connection; `F`, which once stopped an online recovery. */
import { AdministrationError } from '../../administration.js';
import { LogLevel } from '../../../shared/logger.js';
import { commandComplete, payloadStrings } from '../framing.js';
import type { PcpCommand } from '../session.js';

const failed = 'PCP: set configuration parameter failed';
const levels = ['debug5', 'debug4', 'debug3', 'debug2', 'debug1', 'log', 'commerror', 'info', 'notice', 'warning', 'error'];

/** client_min_messages is checked, and changes nothing: pgloom has no notices for PCP clients. */
export const setParameter: PcpCommand = async ({ send }, payload) => {
  const [name, value] = payloadStrings(payload);
  if (name === undefined || value === undefined) throw new AdministrationError(failed, 'invalid pcp packet received from client');
  if (name.toLowerCase() !== 'client_min_messages') throw new AdministrationError(failed, `invalid parameter "${name}"`);
  if (!levels.includes(value.toLowerCase())) throw new AdministrationError(failed, `invalid value "${value}" for parameter "${name}"`);
  await send(commandComplete('a'));
};

/** Nobody waits for an answer. */
export const nothing: PcpCommand = async ({ administration }) => {
  administration.log.log(LogLevel.debug1, 'PCP processing request, stop online recovery');
};
