/** `T`, `t`, `Z`, `V`: orders to this pgloom as a whole. The scope byte of Z and V means something only with a watchdog. */
import { AdministrationError } from '../../administration.js';
import { commandComplete } from '../framing.js';
import type { PcpCommand } from '../session.js';

/** The answer is sent before the end begins. */
export const stop: PcpCommand = async ({ administration, send }, payload) => {
  const mode = payload.toString('latin1', 0, 1);
  if (mode !== 's' && mode !== 'f' && mode !== 'i') {
    throw new AdministrationError('PCP: error while processing shutdown request', `invalid shutdown mode "${mode}"`);
  }
  await send(commandComplete('t'));
  administration.stop(mode === 's' ? 'smart' : 'fast');
};

export const reload: PcpCommand = async ({ administration, send }) => {
  await administration.reload();
  await send(commandComplete('z'));
};

export const rotate: PcpCommand = async ({ administration, send }) => {
  administration.rotateLog();
  await send(commandComplete('v'));
};
