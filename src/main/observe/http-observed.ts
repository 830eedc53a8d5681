/** What metrics and the status page tell about: the running pgloom, as far as the primary thread knows it. */
import type { LatencyTable } from '../../shared/memory/latency-table.js';
import type { LoginFailures } from '../../shared/memory/login-failures.js';
import type { LoopDelays } from '../../shared/loop-delay.js';
import type { Administration } from '../administration.js';
import type { AdmissionCounts } from '../listen/admission-counts.js';

export interface Observed {
  readonly administration: Administration;
  /** Null when nobody measures. */
  readonly latencies: LatencyTable | null;
  readonly loginFailures: LoginFailures;
  readonly admission: {
    /** Clients that wait for a child, and how many may. */
    readonly length: number;
    readonly capacity: number;
    readonly counts: AdmissionCounts;
  };
  /** Clients being served. */
  readonly engine: { readonly sessions: number };
  /** Unix milliseconds. */
  readonly startedMs: number;
  /** Clients are let in: false before the listeners are open, and from the beginning of a stop on. */
  isAccepting(): boolean;
  /** Of the primary thread. */
  loopDelays(): LoopDelays;
}
