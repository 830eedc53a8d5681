/** The fifteen commands. */
import type { PcpCommand } from '../command.js';
import {
  attachNode, detachNode, invalidateQueryCache, logRotate, promoteNode, recoveryNode, reloadConfig, stopPgpool,
} from './acknowledged.js';
import { healthCheckStats } from './health-check-stats.js';
import { nodeCount } from './node-count.js';
import { nodeInfo } from './node-info.js';
import { poolStatus } from './pool-status.js';
import { procCount, procInfo } from './processes.js';
import { watchdogInfo } from './watchdog-info.js';

export const pcpCommands: readonly PcpCommand[] = [
  attachNode, detachNode, nodeCount, nodeInfo, healthCheckStats, poolStatus, procCount, procInfo, promoteNode, recoveryNode,
  stopPgpool, reloadConfig, logRotate, invalidateQueryCache, watchdogInfo,
];
