import type { ClientAccess } from '../client-access.js';
import type { RunningTarget, Target } from '../targets/target.js';

/** What a workload counts, and what its CPU is divided by. */
export type Unit = 'transaction' | 'request' | 'MB' | 'connection';

/** One measurement of one target; null = not measured by this workload or on this system. */
export interface Measurement {
  /** Units (transactions, megabytes) a second. */
  readonly perSecond: number | null;
  /** CPU of all the proxy's processes and threads per unit, in microseconds. */
  readonly cpuUserUs: number | null;
  readonly cpuSystemUs: number | null;
  readonly cpuUs: number | null;
  /** CPU of pgbench per transaction, in microseconds: a client that takes a core whole is what bounds the rate. */
  readonly clientCpuUs: number | null;
  readonly p50Us: number | null;
  readonly p95Us: number | null;
  readonly p99Us: number | null;
  /** PSS of all the proxy's processes, taken right after (or, for connections, during) the load. */
  readonly memoryBytes: number | null;
  /** Memory of each connection. */
  readonly memoryEachBytes: number | null;
  /** What a reader must know to compare, such as fewer connections than the others. */
  readonly note: string | null;
}

/** A measurement of nothing, to be spread into a real one. */
export const nothingMeasured: Measurement = {
  perSecond: null, cpuUserUs: null, cpuSystemUs: null, cpuUs: null, clientCpuUs: null, p50Us: null, p95Us: null, p99Us: null,
  memoryBytes: null, memoryEachBytes: null, note: null,
};

/** What a workload gets to do its work with. */
export interface WorkloadContext {
  readonly pgbench: string;
  readonly seconds: number;
  /** Scratch directory for transaction logs. */
  readonly logDirectory: string;
}

/** One way of loading a target. */
export interface Workload {
  readonly name: string;
  readonly unit: Unit;
  /** The command, or a sentence that says what is done, for the report. */
  title(seconds: number): string;
  /** How its clients come in. */
  readonly access: ClientAccess;
  /** How many clients the target has to be started for. */
  readonly clients: number;
  /** True when the target is started for this measurement alone (memory of a process that has done nothing yet). */
  readonly fresh: boolean;
  /** False for what makes no sense without a proxy. */
  readonly suitsDirect: boolean;
  measure(context: WorkloadContext, target: Target, running: RunningTarget): Promise<Measurement>;
}
