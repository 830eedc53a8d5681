/**
 * The settings in force: what pgpool.conf says, parsed once at the edge (src/main/config) into a frozen object.
 *
 * Every parameter has its own name and the type that the table in ./parameters gives it; numbers are in the unit
 * of the table (`authentication_timeout` in seconds, `connect_timeout` in milliseconds, sizes in bytes). The object holds plain data
 * only and so may be posted to a worker; a clone is no longer frozen, but nobody changes it.
 */
import type { ValuesOf } from './parameters/kinds.js';
import type { scalarParameters } from './parameters/table.js';

/** One value for each parameter without an index. health_check_* and connect_timeout: the default of all nodes. */
export type ScalarSettings = ValuesOf<typeof scalarParameters>;

/** What holds for the checks of one node: its own values, or the defaults where it has none. */
export interface HealthCheckSettings {
  /** Seconds; 0 is no checks. */
  readonly period: number;
  /** Seconds; 0 leaves it to TCP. */
  readonly timeout: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly max_retries: number;
  /** Seconds. */
  readonly retry_delay: number;
  /** Milliseconds; for every connection to the node, not only checks. */
  readonly connect_timeout: number;
}

/** A node: a slot that has a backend_portN. */
export interface Backend {
  /** Node number; ids may have gaps. */
  readonly id: number;
  /** Host name, address, or the directory of a Unix socket when it starts with '/'. */
  readonly hostname: string;
  readonly port: number;
  /** As written; see `normalizedWeights`. */
  readonly weight: number;
  readonly data_directory: string;
  readonly allowToFailover: boolean;
  readonly alwaysPrimary: boolean;
  readonly application_name: string;
  readonly health_check: HealthCheckSettings;
}

/** A host of the watchdog: a slot that has a wd_portN. */
export interface WatchdogNode {
  readonly id: number;
  readonly hostname: string;
  readonly wd_port: number;
  readonly pgpool_port: number;
}

/** A heartbeat slot: one that has a heartbeat_portN. */
export interface HeartbeatNode {
  readonly id: number;
  /** Addresses joined by ';', as written. */
  readonly hostname: string;
  readonly port: number;
  /** Interfaces joined by ';', as written. */
  readonly device: string;
}

export interface Settings extends ScalarSettings {
  /** Nodes by ascending id. */
  readonly backends: readonly Backend[];
  readonly watchdogNodes: readonly WatchdogNode[];
  readonly heartbeatNodes: readonly HeartbeatNode[];
  /** Number in the file pgpool_node_id, -1 when use_watchdog is off. */
  readonly pgpoolNodeId: number;
  /** Absolute path of pgpool.conf. */
  readonly configFile: string;
  /** Its directory: relative file names in the settings have been resolved against it. */
  readonly configDirectory: string;
}

/** Node id → share of the reads; the shares sum to 1, or are all 0 when every weight is 0. */
export function normalizedWeights(backends: readonly Backend[]): ReadonlyMap<number, number> {
  const sum = backends.reduce((total, backend) => total + backend.weight, 0);
  return new Map(backends.map(({ id, weight }) => [id, sum === 0 ? 0 : weight / sum]));
}
