/** `G`, `W`, `O`: what the query cache, the watchdog and recovery answer as long as pgloom has none of them. */
import { AdministrationError } from '../../administration.js';
import { orderedNode } from '../framing.js';
import type { PcpCommand } from '../session.js';

export const invalidateCache: PcpCommand = () => {
  throw new AdministrationError('query cache is not enabled');
};

export const watchdogInfo: PcpCommand = () => {
  throw new AdministrationError('PCP: informing watchdog info failed', 'watchdog is not enabled');
};

export const recover: PcpCommand = ({ administration }, payload) => {
  const failed = 'process recovery request failed';
  const node = orderedNode(payload);
  const { nodes, settings } = administration.sources();
  if (node < 0 || node >= nodes.count) throw new AdministrationError(failed, `node id ${node} is not valid`);
  if (settings.backend_clustering_mode !== 'streaming_replication') throw new AdministrationError(failed, 'recovery request is only allowed in replication and streaming replication modes.');
  if (node === nodes.primary) throw new AdministrationError(failed, 'primary server cannot be recovered by online recovery.');
  if (nodes.isAlive(node)) throw new AdministrationError(`node recovery failed, node id: ${node} is alive`);
  throw new AdministrationError(failed, 'online recovery is not available in this version of pgloom');
};
