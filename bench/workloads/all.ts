import { bigResult, bigResultOverTls } from './big-result.js';
import { idleSessions, silentConnections } from './connections.js';
import { guardedLoads, pgbenchLoads } from './pgbench-load.js';
import type { Workload } from './workload.js';

const known: readonly Workload[] = [
  ...pgbenchLoads, bigResult, silentConnections, idleSessions, ...guardedLoads, bigResultOverTls,
];

/**
 * The workloads asked for, all when none is named.
 * @throws Error when a name is none of the known ones.
 */
export function chooseFrom(all: readonly Workload[], names: readonly string[]): Workload[] {
  for (const name of names) {
    if (!all.some((workload) => workload.name === name)) throw new Error(`--workloads: there is no workload "${name}"`);
  }
  return all.filter((workload) => names.length === 0 || names.includes(workload.name));
}

/** Of what `npm run bench` runs. */
export function chooseWorkloads(names: readonly string[]): Workload[] {
  return chooseFrom(known, names);
}
