/** One server connection, as its worker tells of it to other threads. */
export interface LinkRow {
  /** Row of the child that uses it, or that used it last; -1 when that is not known. */
  readonly childRow: number;
  readonly node: number;
  readonly database: string;
  readonly user: string;
  /** Unix milliseconds. */
  readonly openedMs: number;
  /** Unix milliseconds; 0 while a client uses it. */
  readonly idleSinceMs: number;
  /** Sessions that have used it. */
  readonly sessions: number;
  /** Process id at the server. */
  readonly backendPid: number;
  /** A client uses it now. */
  readonly connected: boolean;
  /** The pooled entry it belongs to: links with the same number (and worker) serve the same user, database and options. */
  readonly entry: number;
  /** What was sent to it last, at most 1023 bytes. */
  readonly statement: string;
}
