/**
 * What an operator can do to a running pgloom, from wherever the order comes: PCP, the status page, SQL.
 */
import type { Logger } from '../shared/logger.js';
import type { ReportSources } from '../shared/report/sources.js';
import type { LinkRow } from '../shared/report/link-row.js';
import type { ShutdownMode } from './engine/shutdown.js';

/**
 * An order that cannot be carried out, in Pgpool-II's words. `severity` FATAL: whoever gave it is disconnected, as
 * Pgpool-II's PCP process ends.
 */
export class AdministrationError extends Error {
  override readonly name = 'AdministrationError';

  constructor(message: string, readonly detail?: string, readonly severity: 'ERROR' | 'FATAL' = 'ERROR') {
    super(message);
  }
}

export interface Administration {
  readonly log: Logger;
  /** Settings in force, shared tables; read anew for each use. */
  sources(): ReportSources;
  /** The server connections of all workers, asked of them now; at most a second later. */
  links(): Promise<readonly LinkRow[]>;
  /** @throws AdministrationError */
  attachNode(node: number): void;
  /**
   * Takes a node out of service until it is attached again.
   * @param gracefully lets no new client in and waits until all have left, for recovery_timeout at the most
   * @throws AdministrationError
   */
  detachNode(node: number, gracefully: boolean): Promise<void>;
  /**
   * Makes the node the primary in pgloom's eyes, and takes all others out of service; the servers are not told.
   * @param switchover for failover_command, which comes with the failover machinery
   * @throws AdministrationError
   */
  promoteNode(node: number, switchover: boolean, gracefully: boolean): Promise<void>;
  stop(mode: ShutdownMode): void;
  /** Resolves when the files have been read again; a faulty one is in the log only. */
  reload(): Promise<void>;
  /** Starts a new log file; does nothing without logging_collector. */
  rotateLog(): void;
}
