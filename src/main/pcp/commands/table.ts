/** The commands by the letter of their packet (reference/wire.md 3). Logging in and the end are the connection's own. */
import type { PcpCommand } from '../session.js';
import { healthCheck } from './health-check.js';
import { reload, rotate, stop } from './instance.js';
import { invalidateCache, recover, watchdogInfo } from './later.js';
import { nodeCount, nodeInfo } from './node-info.js';
import { attach, detach, promote } from './node-orders.js';
import { processCount, processInfo } from './process-info.js';
import { poolStatus } from './pool-status.js';
import { nothing, setParameter } from './parameters.js';

export const commands: Readonly<Record<string, PcpCommand>> = {
  A: setParameter,
  B: poolStatus,
  C: attach,
  D: detach(false),
  d: detach(true),
  F: nothing,
  G: invalidateCache,
  H: healthCheck,
  I: nodeInfo,
  J: promote(false),
  j: promote(true),
  L: nodeCount,
  N: processCount,
  O: recover,
  P: processInfo,
  T: stop,
  // Without a watchdog the whole cluster is this pgloom.
  t: stop,
  V: rotate,
  W: watchdogInfo,
  Z: reload,
};
