import type { Login } from '../raw-client.js';

/** The servers and the size a target is started for. */
export interface Setup {
  /** Node 0 is the primary. More than one only with --balanced. */
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  readonly user: string;
  readonly database: string;
  /** Clients that must be served at the same time. */
  readonly clients: number;
}

/** A target that takes clients. */
export interface RunningTarget {
  readonly login: Login;
  /** Root of its process tree; null for the server itself, whose CPU is not a proxy's. */
  readonly pid: number | null;
  /** Ends it and everything it started. */
  stop(): Promise<void>;
}

/** Something to measure: a proxy, or the server with nothing in front. */
export interface Target {
  readonly name: string;
  /** Why it cannot run here, or null. */
  missing(): string | null;
  /** Name and version for the report. */
  version(): string;
  /** More clients than this are not feasible (a process for each, say). */
  readonly mostClients: number;
  /** True when a process stands ready for each client, so that it is counted whole as the client's memory. */
  readonly preforked: boolean;
  /** Starts it and waits until a query is answered. Throws with the end of its log when it does not come up. */
  start(setup: Setup): Promise<RunningTarget>;
}
