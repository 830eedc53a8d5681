/** The parameter table: every parameter of pgpool.conf, the one source of truth. */
import { authentication } from './authentication.js';
import { backendNode } from './backends.js';
import { clustering } from './clustering.js';
import { failover } from './failover.js';
import { fileLocations } from './file-locations.js';
import { healthCheck, healthCheckNode } from './health-check.js';
import { type Group, highestIndex, type IndexGroup, type Parameter } from './kinds.js';
import { listening } from './listening.js';
import { loadBalancing } from './load-balancing.js';
import { logging } from './logging.js';
import { own } from './own.js';
import { pooling } from './pooling.js';
import { processManagement } from './process-management.js';
import { queryCache } from './query-cache.js';
import { recovery } from './recovery.js';
import { replication } from './replication.js';
import { ssl } from './ssl.js';
import { streamingCheck } from './streaming-check.js';
import { heartbeatNode, watchdog, watchdogNode } from './watchdog.js';

/** Parameters written without an index. health_check_* and connect_timeout are here as the default of every node. */
export const scalarParameters = {
  ...listening,
  ...authentication,
  ...processManagement,
  ...clustering,
  ...replication,
  ...pooling,
  ...logging,
  ...fileLocations,
  ...loadBalancing,
  ...healthCheck,
  ...failover,
  ...recovery,
  ...streamingCheck,
  ...queryCache,
  ...watchdog,
  ...ssl,
  ...own,
};

/** Parameters written with an index, such as backend_port0. */
export const indexedParameters = { backend: backendNode, health_check: healthCheckNode, watchdog: watchdogNode, heartbeat: heartbeatNode };

/** A part of the sample file and of the README's table. */
export interface Section {
  readonly title: string;
  readonly parameters: Group;
  readonly indexed?: IndexGroup;
}

export const sections: readonly Section[] = [
  { title: 'Connections: listening', parameters: listening },
  { title: 'Connections: authentication', parameters: authentication },
  { title: 'Process management', parameters: processManagement },
  { title: 'Clustering mode', parameters: clustering },
  { title: 'Replication', parameters: replication },
  { title: 'Nodes', parameters: backendNode, indexed: 'backend' },
  { title: 'Connection pooling', parameters: pooling },
  { title: 'Logs', parameters: logging },
  { title: 'File locations', parameters: fileLocations },
  { title: 'Load balancing', parameters: loadBalancing },
  { title: 'Health check', parameters: healthCheck },
  { title: 'Failover and failback', parameters: failover },
  { title: 'Online recovery', parameters: recovery },
  { title: 'Streaming replication check', parameters: streamingCheck },
  { title: 'Query cache and relation cache', parameters: queryCache },
  { title: 'Watchdog', parameters: watchdog },
  { title: 'Watchdog nodes', parameters: watchdogNode, indexed: 'watchdog' },
  { title: 'Watchdog heartbeats', parameters: heartbeatNode, indexed: 'heartbeat' },
  { title: 'TLS', parameters: ssl },
  { title: "pgloom's own", parameters: own },
];

/** Where a key of the file belongs. */
export interface KeyTarget {
  readonly name: string;
  readonly parameter: Parameter;
  /** Undefined for the form without an index. */
  readonly index?: { readonly group: IndexGroup; readonly number: number };
}

const scalars: ReadonlyMap<string, Parameter> = new Map(Object.entries(scalarParameters));
const indexed: readonly { name: string; group: IndexGroup; parameter: Parameter }[] = (Object.entries(indexedParameters) as [IndexGroup, Group][])
  .flatMap(([group, members]) => Object.entries(members).map(([name, parameter]) => ({ name, group, parameter })))
  .toSorted((a, b) => b.name.length - a.name.length);

/** Every name of the table once, indexed ones without an index. */
export const parameterNames: readonly string[] = [...new Set([...scalars.keys(), ...indexed.map(({ name }) => name)])];

/**
 * Finds what a key of the file means. Names are case-sensitive, an index is decimal.
 * Returns null for an unknown name and a sentence when the index is what is wrong.
 */
export function findParameter(key: string): KeyTarget | string | null {
  const scalar = scalars.get(key);
  if (scalar !== undefined) return { name: key, parameter: scalar };
  const found = indexed.find(({ name }) => key.startsWith(name));
  if (found === undefined) return null;
  const { name, group, parameter } = found;
  const ending = key.slice(name.length);
  if (ending === '') return `parameter "${name}" expects the index value`;
  if (!/^\d+$/.test(ending)) return `invalid index value for parameter "${name}": "${ending}"`;
  const number = Number(ending);
  if (number > highestIndex[group]) return `index ${ending} of parameter "${name}" is outside the valid range (0 .. ${highestIndex[group]})`;
  return { name, parameter, index: { group, number } };
}
