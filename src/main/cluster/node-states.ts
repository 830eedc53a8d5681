/**
 * The states of the nodes: the only writer of the node table. Each change is logged once, here.
 *
 *   unused ──configured──▶ waiting ──answered──▶ up ──failed──▶ down ──answered, role fits──▶ up
 *                             └────no answer──▶ down
 */
import { type Logger, LogLevel } from '../../shared/logger.js';
import { delayUnknown, NodeRole, NodeStatus, type NodeTable, PgRole, PgStatus } from '../../shared/memory/node-table.js';
import type { Backend } from '../../shared/settings.js';
import type { StoredStatus } from './status-file.js';

export class NodeStates {
  /** Things said about a node, so that a lasting condition is logged once and not with every check. */
  private readonly said = new Map<number, string>();
  private expectedBytes: number = delayUnknown;
  private expectedUs: number = delayUnknown;

  /** @param kept is told the states after each change, by node id */
  constructor(
    private readonly table: NodeTable,
    private readonly streaming: boolean,
    private readonly log: Logger,
    private readonly kept: (states: readonly StoredStatus[]) => void = () => undefined,
  ) {}

  /** Adds a node; it may be used before the first check has been made when `status` is waiting. */
  configure(backend: Backend, status: typeof NodeStatus.waiting | typeof NodeStatus.down): void {
    if (this.table.count <= backend.id) this.table.setCount(backend.id + 1);
    this.setStatus(backend.id, status);
    this.forgetReplication(backend.id);
    this.setRoles();
  }

  get primary(): number {
    return this.table.primary;
  }

  isAlive(node: number): boolean {
    return this.table.isAlive(node);
  }

  /** The node answered: it may serve clients. */
  up(node: number): void {
    const before = this.table.status(node);
    if (before === NodeStatus.up) return;
    this.said.delete(node);
    this.setStatus(node, NodeStatus.up);
    this.setRoles();
    if (before === NodeStatus.down) this.log.log(LogLevel.log, `node ${node} answers again and is back in service`, { node });
  }

  /** The node is not used any more. When it was the primary there is none until another is found. */
  down(node: number, reason: string): void {
    if (this.table.status(node) === NodeStatus.down) return;
    this.forgetReplication(node);
    this.setStatus(node, NodeStatus.down);
    if (this.table.primary === node) this.table.setPrimary(-1);
    this.setRoles();
    this.log.log(LogLevel.log, `node ${node} is down: ${reason}`, { node });
    if (this.table.main < 0) this.log.log(LogLevel.warning, 'all nodes are down');
  }

  /** An operator has taken the node out of service, or lets it in again: then it is used as soon as it answers. */
  setDetached(node: number, detached: boolean): void {
    if (this.table.isDetached(node) === detached) return;
    this.table.setDetached(node, detached);
    this.keep();
  }

  isDetached(node: number): boolean {
    return this.table.isDetached(node);
  }

  /** Makes the node the primary; -1 when the one there was is not primary any more. */
  setPrimary(node: number): void {
    if (this.table.primary === node) return;
    this.table.setPrimary(node);
    if (node >= 0) this.forgetReplication(node);
    this.setRoles();
    this.log.log(LogLevel.log, node < 0 ? 'there is no primary node' : `node ${node} is the primary`, node < 0 ? {} : { node });
  }

  /** What the server said of itself. */
  setPg(node: number, status: PgStatus, role: PgRole): void {
    this.table.setPg(node, status, role);
  }

  /** The server answered; its role as it was when this answer does not tell. */
  setPgUp(node: number, role: PgRole): void {
    this.table.setPg(node, PgStatus.up, role === PgRole.unknown ? this.table.pgRole(node) : role);
  }

  /**
   * What stands for a delay of which nothing is known: `delayAwaited` when it is measured from now on, `delayUnknown`
   * when it is not. Delays that are known stay as long as they are still measured.
   */
  expectDelays(delayBytes: number, delayUs: number): void {
    this.expectedBytes = delayBytes;
    this.expectedUs = delayUs;
    for (let node = 0; node < this.table.count; node++) {
      if (delayBytes === delayUnknown || this.table.delayBytes(node) < 0) this.table.setDelayBytes(node, delayBytes);
      if (delayUs === delayUnknown || this.table.delayUs(node) < 0) this.table.setDelayUs(node, delayUs);
    }
  }

  delayBytes(node: number): number {
    return this.table.delayBytes(node);
  }

  delayUs(node: number): number {
    return this.table.delayUs(node);
  }

  setDelayBytes(node: number, delayBytes: number): void {
    this.table.setDelayBytes(node, delayBytes);
  }

  setDelayUs(node: number, delayUs: number): void {
    this.table.setDelayUs(node, delayUs);
  }

  /** pg_stat_replication.state and .sync_state. */
  setReplication(node: number, state: string, syncState: string): void {
    this.table.setReplication(node, state, syncState);
  }

  /** Logs a remark about the node unless it was the last one made about it. */
  remark(node: number, level: LogLevel, text: string, log = this.log): void {
    if (this.said.get(node) === text) return;
    this.said.set(node, text);
    log.log(level, text, { node });
  }

  private setStatus(node: number, status: NodeStatus): void {
    this.table.setStatus(node, status);
    this.keep();
  }

  /** Tells what a restart should know. */
  private keep(): void {
    const { table } = this;
    this.kept(Array.from({ length: table.count }, (_, node) => {
      if (table.status(node) === NodeStatus.unused) return 'unused';
      if (table.isAlive(node)) return 'up';
      return table.isDetached(node) ? 'detached' : 'down';
    }));
  }

  private forgetReplication(node: number): void {
    this.table.setDelayBytes(node, this.expectedBytes);
    this.table.setDelayUs(node, this.expectedUs);
    this.table.setReplication(node, '', '');
  }

  private setRoles(): void {
    const { table } = this;
    const main = table.main;
    for (let node = 0; node < table.count; node++) {
      if (this.streaming) table.setRole(node, node === table.primary ? NodeRole.primary : NodeRole.standby);
      else table.setRole(node, node === main ? NodeRole.main : NodeRole.replica);
    }
  }
}
