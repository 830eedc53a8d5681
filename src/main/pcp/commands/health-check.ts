/** `H`: what the health checks of one node have found. */
import { AdministrationError } from '../../administration.js';
import { healthCheckStats } from '../../../shared/report/health-check-stats.js';
import { commandComplete, numberOf, payloadStrings } from '../framing.js';
import type { PcpCommand } from '../session.js';

const failed = 'informing health check stats info failed';

export const healthCheck: PcpCommand = async ({ administration, send }, payload) => {
  const id = numberOf(payloadStrings(payload)[0] ?? '');
  const sources = administration.sources();
  // One more than there are is let through here, as in Pgpool-II, and has no data.
  if (id < 0 || id > sources.nodes.count) throw new AdministrationError(failed, `invalid node ID ${id}`);
  const row = [...healthCheckStats(sources).rows].find(([node]) => node === String(id));
  if (row === undefined) throw new AdministrationError(failed, `stats data for node ID ${id} does not exist`);
  await send(commandComplete('h', ...row));
};
