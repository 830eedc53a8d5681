/** The operator's orders, carried out on the running pgloom. */
import { setTimeout as pause } from 'node:timers/promises';
import { type Logger, LogLevel } from '../shared/logger.js';
import { maxNodes, PgStatus } from '../shared/memory/node-table.js';
import type { LinkRow } from '../shared/report/link-row.js';
import type { ReportSources } from '../shared/report/sources.js';
import { type Administration, AdministrationError } from './administration.js';
import type { Cluster } from './cluster/cluster.js';
import type { ShutdownMode } from './engine/shutdown.js';

/** What the orders act on. */
export interface Operated {
  readonly log: Logger;
  readonly cluster: Cluster;
  readonly admission: { hold(): void; resume(): void };
  /** Clients being served. */
  readonly engine: { readonly sessions: number };
  sources(): ReportSources;
  links(): Promise<readonly LinkRow[]>;
  stop(mode: ShutdownMode): void;
  reload(): Promise<void>;
  rotateLog(): void;
}

const lookMs = 50;

export class Operator implements Administration {
  private draining = 0;

  constructor(private readonly pgpool: Operated) {}

  get log(): Logger {
    return this.pgpool.log;
  }

  sources(): ReportSources {
    return this.pgpool.sources();
  }

  links(): Promise<readonly LinkRow[]> {
    return this.pgpool.links();
  }

  attachNode(node: number): void {
    if (node < 0 || node >= maxNodes) {
      throw new AdministrationError(`invalid failback request, node id: ${node} is out of range. node id must be between [0 and ${maxNodes}]`);
    }
    this.log.log(LogLevel.log, `received failback request for node_id: ${node}`, { node });
    this.pgpool.cluster.attach(node);
  }

  async detachNode(node: number, gracefully: boolean): Promise<void> {
    this.checkDetach(node);
    this.log.log(LogLevel.log, `received degenerate backend request for node_id: ${node}`, { node });
    if (!gracefully) return this.pgpool.cluster.detach(node, 'detached by the operator');
    await this.whenClientsHaveLeft(() => {
      if (this.isValid(node)) this.pgpool.cluster.detach(node, 'detached by the operator');
    });
  }

  async promoteNode(node: number, _switchover: boolean, gracefully: boolean): Promise<void> {
    this.checkPromote(node);
    this.log.log(LogLevel.log, `received promote backend request for node_id: ${node}`, { node });
    const act = async (): Promise<void> => {
      await this.checkAnswers(node);
      // It may have been detached meanwhile.
      this.checkPromote(node);
      this.promote(node);
    };
    await (gracefully ? this.whenClientsHaveLeft(act) : act());
  }

  stop(mode: ShutdownMode): void {
    this.pgpool.stop(mode);
  }

  reload(): Promise<void> {
    return this.pgpool.reload();
  }

  rotateLog(): void {
    this.pgpool.rotateLog();
  }

  /**
   * The other nodes are taken out with it, as in Pgpool-II: they are, or follow, another primary, and what they would answer may
   * be anything. Whoever follows the new one is attached again.
   */
  private promote(node: number): void {
    const { cluster } = this.pgpool;
    const { settings } = this.sources();
    for (const { id } of settings.backends) {
      if (id !== node && this.isValid(id)) cluster.detach(id, `node ${id} is another database than the new primary, node ${node}, until it is attached`);
    }
    cluster.promote(node);
  }

  /** Up or waiting, and configured. */
  private isValid(node: number): boolean {
    return this.sources().nodes.isAlive(node);
  }

  private checkDetach(node: number): void {
    const { nodes, settings } = this.sources();
    if (node < 0 || node >= maxNodes) {
      throw new AdministrationError(`invalid degenerate backend request, node id: ${node} is out of range. node id must be between [0 and ${maxNodes}]`);
    }
    if (!this.isValid(node)) {
      throw new AdministrationError(`invalid degenerate backend request, node id : ${node} status: [${nodes.status(node)}] is not valid for failover`);
    }
    if (settings.backends.find(({ id }) => id === node)?.allowToFailover === false) {
      throw new AdministrationError(`degenerate backend request for node_id: ${node} from pid [${process.pid}] is canceled because failover is disallowed on the node`);
    }
  }

  private checkPromote(node: number): void {
    const { nodes, settings } = this.sources();
    if (settings.backend_clustering_mode !== 'streaming_replication') {
      throw new AdministrationError('invalid pgpool mode for process promote request', undefined, 'FATAL');
    }
    if (node < 0 || node >= nodes.count) throw new AdministrationError('could not process promote request', `node id ${node} is not valid`);
    if (node === nodes.primary) {
      throw new AdministrationError('invalid promote request', `specified node is already primary node, can't promote node id ${node}`, 'FATAL');
    }
    // Also one that is not used because it says that it is a primary beside the one that is known.
    const answers = nodes.pgStatus(node) === PgStatus.up && !nodes.isDetached(node);
    if (!this.isValid(node) && !answers) throw new AdministrationError('could not process promote request', `node id ${node} is not in service`);
  }

  /** A dead primary helps nobody: the node is asked now. @throws AdministrationError */
  private async checkAnswers(node: number): Promise<void> {
    if (!await this.pgpool.cluster.answers(node)) throw new AdministrationError('could not process promote request', `node id ${node} does not answer`);
  }

  /**
   * Lets no new client in, waits for the others, for recovery_timeout at the most; then, if they have left, acts.
   * @throws AdministrationError when they have not (Pgpool-II says that all is well)
   */
  private async whenClientsHaveLeft(act: () => void | Promise<void>): Promise<void> {
    const { admission, engine } = this.pgpool;
    const limitMs = performance.now() + this.sources().settings.recovery_timeout * 1000;
    this.draining++;
    admission.hold();
    try {
      while (engine.sessions > 0 && performance.now() < limitMs) await pause(lookMs);
      if (engine.sessions > 0) throw new AdministrationError('clients did not leave within recovery_timeout', 'nothing was done');
      await act();
    } finally {
      this.draining--;
      if (this.draining === 0) admission.resume();
    }
  }
}
