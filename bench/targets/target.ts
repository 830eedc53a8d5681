import type { Certificate } from '../certificate.js';
import type { ClientAccess } from '../client-access.js';
import type { Login } from '../raw-client.js';

/** The servers and the size a target is started for. */
export interface Setup {
  /** Node 0 is the primary. More than one only with --balanced. */
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  readonly user: string;
  readonly database: string;
  /** Clients that must be served at the same time. */
  readonly clients: number;
  /** For TLS with the clients; null = in clear. */
  readonly certificate: Certificate | null;
  /** Clients of `user` log in with it by scram-sha-256; null = everybody is trusted. */
  readonly password: string | null;
  /** A server with the same tables that takes clients over TLS; null when there is none. */
  readonly tlsServer: { readonly host: string; readonly port: number } | null;
}

/** Where and how clients log in at a target that was set up this way. */
export function loginTo(setup: Setup, host: string, port: number): Login {
  return {
    host, port, user: setup.user, database: setup.database, encrypted: setup.certificate !== null,
    ...(setup.password === null ? {} : { password: setup.password }),
  };
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
  /** False when clients cannot come in this way. */
  takes(access: ClientAccess): boolean;
  /** Starts it and waits until a query is answered. Throws with the end of its log when it does not come up. */
  start(setup: Setup): Promise<RunningTarget>;
}
