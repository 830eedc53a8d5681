/** `C`, `D`, `d`, `J`, `j`: taking nodes into and out of service, and making one the primary. */
import { commandComplete, orderedNode } from '../framing.js';
import type { PcpCommand } from '../session.js';

export const attach: PcpCommand = async ({ administration, send }, payload) => {
  administration.attachNode(orderedNode(payload));
  await send(commandComplete('c'));
};

export const detach = (gracefully: boolean): PcpCommand => async ({ administration, send }, payload) => {
  await administration.detachNode(orderedNode(payload), gracefully);
  await send(commandComplete('d'));
};

/** The payload is the id, a blank, NUL and `s` for a switchover; anything else is none. */
export const promote = (gracefully: boolean): PcpCommand => async ({ administration, send }, payload) => {
  const end = payload.indexOf(0);
  const isSwitchover = end >= 0 && payload[end + 1] === 's'.charCodeAt(0);
  await administration.promoteNode(orderedNode(payload), isSwitchover, gracefully);
  // Not 'j': libpcp takes the answer to both for that to a detach.
  await send(commandComplete('d'));
};
