/**
 * What the primary thread does about the nodes: ask them at the start, check them, find the primary, take nodes out
 * of service and back. The states themselves are in node-states.ts.
 *
 * A node that failed is taken back as soon as it answers; one that the operator has detached is not, until it is attached.
 * failover_command, promotion of servers and follow_primary_command come with the failover machinery.
 */
import { type Logger, LogLevel, newLogIdentity } from '../../shared/logger.js';
import type { HealthTable } from '../../shared/memory/health-table.js';
import { NodeStatus, type NodeTable, PgRole, PgStatus } from '../../shared/memory/node-table.js';
import type { AccessFiles } from '../../shared/messages.js';
import type { Backend, Settings } from '../../shared/settings.js';
import { DelayCheck } from './delay-check.js';
import { HealthCheck } from './health-check.js';
import { askAlive, askRole, connectLimitOf, healthLogin, limitOf, type NodeAnswer, roleLogin } from './node-question.js';
import { NodeStates } from './node-states.js';
import { PrimarySearch } from './primary-search.js';
import { pause } from './repeat.js';
import type { StatusFile, StoredStatus } from './status-file.js';

/** Nobody waits longer than this for pgloom to start because a node does not answer. */
const startLimitMs = 5_000;
/** Nor longer than this for the first measurement of the delay. */
const firstDelayMs = 1_000;
/** A node is not verified again for this long after it has just answered. */
const verifyPauseMs = 1_000;

/** What is known from the last run, and where it goes. */
export interface NodeMemory {
  readonly stored: readonly StoredStatus[] | null;
  readonly file: StatusFile;
}

export class Cluster {
  private readonly states: NodeStates;
  private readonly streaming: boolean;
  private readonly checks = new Map<number, HealthCheck>();
  private readonly search: PrimarySearch;
  private delayCheck: DelayCheck;
  /** Nodes being verified after a worker's report, or verified just now. */
  private readonly verified = new Map<number, number>();
  /** Nodes that say they are a second primary, while the first is asked. */
  private readonly doubts = new Map<number, Promise<void>>();
  /** The operator made this node the primary, whatever it says of itself; -1 = none. */
  private ordered = -1;
  /** All nodes are configured: the states may be kept. */
  private keeps = false;
  private stopped = false;

  /** @param memory the states of the nodes when pgloom last ran, and where they are kept; null when nowhere */
  constructor(
    table: NodeTable,
    private readonly health: HealthTable,
    private settings: Settings,
    private access: AccessFiles,
    private readonly log: Logger,
    memory: NodeMemory | null = null,
  ) {
    this.streaming = settings.backend_clustering_mode === 'streaming_replication';
    const stored = memory?.stored ?? [];
    this.states = new NodeStates(table, this.streaming, log, (states) => {
      if (this.keeps) memory?.file.write(states);
    });
    for (const backend of settings.backends) {
      const isDetached = stored[backend.id] === 'detached';
      this.states.configure(backend, isDetached ? NodeStatus.down : NodeStatus.waiting);
      this.states.setDetached(backend.id, isDetached);
      if (isDetached) log.log(LogLevel.log, `node ${backend.id} was detached when pgpool last ran, and still is`, { node: backend.id });
    }
    this.keeps = true;
    this.search = new PrimarySearch(() => this.lookForPrimary(), () => this.settings.search_primary_node_timeout * 1000, log);
    this.delayCheck = this.createDelayCheck();
  }

  /** Asks all nodes at once, for 5 s at the most, then begins with the checks. Never throws. */
  async start(): Promise<void> {
    const { backends } = this.settings;
    const answers = await Promise.all(backends.map((backend) => this.ask(backend, startLimitMs)));
    if (this.stopped) return;
    backends.forEach((backend, at) => {
      const answer = answers[at];
      if (answer !== undefined && !answer.alive) this.failed(backend, answer.reason);
    });
    const primary = this.streaming ? this.choosePrimary(backends, answers) : -1;
    if (primary >= 0) this.states.setPrimary(primary);
    backends.forEach((backend, at) => {
      const answer = answers[at];
      if (answer?.alive === true) this.observe(backend, answer);
    });
    await Promise.all(this.doubts.values());
    if (this.stopped) return;
    for (const backend of backends) this.beginChecks(backend);
    await this.startDelayCheck();
    if (this.stopped) return;
    if (this.streaming && this.states.primary < 0) this.search.start();
  }

  stop(): void {
    this.stopped = true;
    for (const check of this.checks.values()) check.stop();
    this.search.stop();
    this.delayCheck.stop();
  }

  /** New settings and passwords; nodes that are new begin as down and are taken in when they answer. */
  reload(settings: Settings, access: AccessFiles, newBackends: readonly number[]): void {
    if (this.stopped) return;
    this.settings = settings;
    this.access = access;
    for (const check of this.checks.values()) check.stop();
    this.checks.clear();
    for (const backend of settings.backends) {
      if (newBackends.includes(backend.id)) this.states.configure(backend, NodeStatus.down);
      this.beginChecks(backend, newBackends.includes(backend.id));
    }
    this.delayCheck.stop();
    this.delayCheck = this.createDelayCheck();
    void this.delayCheck.start();
  }

  /** A worker could not reach the node. It is believed only after an attempt of our own. */
  nodeFailed(node: number, reason: string): void {
    const backend = this.settings.backends.find(({ id }) => id === node);
    if (backend === undefined || !this.settings.failover_on_backend_error || !this.states.isAlive(node)) return;
    const nowMs = performance.now();
    if (nowMs < (this.verified.get(node) ?? 0)) return;
    this.verified.set(node, Number.POSITIVE_INFINITY);
    this.log.log(LogLevel.debug1, `a worker could not reach node ${node}: ${reason}`, { node });
    void askAlive(backend, this.access, Math.min(limitOf(backend), connectLimitOf(backend))).then((answer) => {
      this.verified.set(node, performance.now() + verifyPauseMs);
      if (!answer.alive && !this.stopped) this.failed(backend, answer.reason);
    });
  }

  /** The operator lets the node in again: it is asked at once, and used when it answers. */
  attach(node: number): void {
    const backend = this.settings.backends.find(({ id }) => id === node);
    if (backend === undefined) return;
    this.states.setDetached(node, false);
    if (this.states.isAlive(node)) return;
    void this.ask(backend, limitOf(backend)).then((answer) => {
      if (this.stopped || this.states.isDetached(node)) return;
      if (answer.alive) this.observe(backend, answer);
      else this.states.remark(node, LogLevel.log, `node ${node} was attached but does not answer: ${answer.reason}`);
    });
  }

  /** The operator takes the node out of service. */
  detach(node: number, reason: string): void {
    const wasPrimary = this.states.primary === node;
    if (this.ordered === node) this.ordered = -1;
    this.states.setDetached(node, true);
    this.states.down(node, reason);
    if (wasPrimary && !this.stopped) this.search.start();
  }

  /** Does the node answer, asked now? */
  async answers(node: number): Promise<boolean> {
    const backend = this.settings.backends.find(({ id }) => id === node);
    return backend !== undefined && (await askAlive(backend, this.access, Math.min(limitOf(backend), startLimitMs))).alive;
  }

  /**
   * The operator says that the node is the primary. It is, whatever the server says, until another node in service says
   * that it is one.
   */
  promote(node: number): void {
    this.ordered = node;
    this.search.stop();
    this.states.setDetached(node, false);
    this.states.up(node);
    this.states.setPrimary(node);
    void this.delayCheck.round();
  }

  private ask(backend: Backend, limitMs: number): Promise<NodeAnswer> {
    const login = this.streaming ? roleLogin(backend, this.settings, this.access) : healthLogin(backend, this.access);
    return askRole(backend, login, Math.min(limitMs, limitOf(backend)));
  }

  private beginChecks(backend: Backend, atOnce = false): void {
    const log = this.log.child(newLogIdentity(`health_check${backend.id}`));
    const check = new HealthCheck(backend, this.states, this.health, log, {
      alive: () => askAlive(backend, this.access),
      role: () => this.ask(backend, limitOf(backend)),
      failed: (reason) => this.failed(backend, reason),
      answered: (answer) => this.observe(backend, answer),
    });
    this.checks.set(backend.id, check);
    check.start(atOnce);
  }

  /** With a threshold a standby is not read from until its delay is known: clients are better not there before. */
  private async startDelayCheck(): Promise<void> {
    const { delay_threshold: thresholdBytes, delay_threshold_by_time: thresholdMs } = this.settings;
    const started = this.delayCheck.start();
    if (thresholdBytes > 0 || thresholdMs > 0) await Promise.race([started, pause(firstDelayMs)]);
  }

  private createDelayCheck(): DelayCheck {
    return new DelayCheck(this.settings, this.access, this.states, this.log.child(newLogIdentity('sr_check_worker')), (backend, role) => {
      this.observe(backend, { alive: true, role, remark: null });
    });
  }

  /** The node does not answer, finally. */
  private failed(backend: Backend, reason: string): void {
    const { id } = backend;
    this.states.setPg(id, PgStatus.down, PgRole.unknown);
    if (!backend.allowToFailover) {
      this.states.remark(id, LogLevel.log, `node ${id} does not answer (${reason}) but is kept in service: DISALLOW_TO_FAILOVER`);
      return;
    }
    const wasPrimary = this.states.primary === id;
    this.states.down(id, reason);
    if (wasPrimary && !this.stopped) this.search.start();
  }

  /** The node has answered: what follows for its state and for the primary. */
  private observe(backend: Backend, answer: Extract<NodeAnswer, { alive: true }>): void {
    const { id } = backend;
    if (this.stopped) return;
    if (answer.remark !== null) this.states.remark(id, LogLevel.warning, `node ${id} answers, but not the question for its role: ${answer.remark}`);
    this.states.setPgUp(id, answer.role);
    if (this.states.isDetached(id)) return;
    if (!this.streaming) {
      this.states.up(id);
      return;
    }
    const role = this.roleOf(backend, answer.role);
    const { primary } = this.states;
    if (role === PgRole.primary && primary >= 0 && primary !== id) {
      if (this.doubts.has(id)) return;
      this.doubts.set(id, this.secondPrimary(backend, primary).finally(() => this.doubts.delete(id)));
      return;
    }
    const isNews = !this.states.isAlive(id) || (role === PgRole.primary && primary !== id);
    this.states.up(id);
    if (role === PgRole.primary) {
      this.ordered = -1;
      this.states.setPrimary(id);
      this.search.stop();
    } else if (primary === id && role === PgRole.standby && this.ordered !== id) {
      this.log.log(LogLevel.warning, `node ${id}, the primary until now, is in recovery`, { node: id });
      this.states.setPrimary(-1);
      this.search.start();
    }
    // The delay of a standby that is back, or of all behind a new primary, is another one now.
    if (isNews) void this.delayCheck.round();
  }

  /**
   * Two nodes seem to take writes: then they are two databases. The one that is known stays, the other serves nobody,
   * for its rows may be anything. (One that may not be taken out of service stays as a reader.) But the known one may
   * just have died, with the other promoted in its place, so it is asked first.
   */
  private async secondPrimary(backend: Backend, primary: number): Promise<void> {
    const known = this.settings.backends.find(({ id }) => id === primary);
    if (known === undefined || this.stopped) return;
    const answer = await this.ask(known, startLimitMs);
    if (this.stopped || this.states.primary !== primary) return;
    if (!answer.alive) {
      this.failed(known, answer.reason);
    } else if (this.roleOf(known, answer.role) === PgRole.standby) {
      this.ordered = -1;
      this.observe(known, answer);
    } else {
      const text = `node ${backend.id} is a primary beside node ${primary}, which is up, and is not used`;
      if (this.states.isAlive(backend.id) && backend.allowToFailover) this.states.down(backend.id, text);
      else this.states.remark(backend.id, LogLevel.warning, text);
    }
  }

  /** Flag and, where nobody can be asked, convention stand in for what the server says. */
  private roleOf(backend: Backend, said: PgRole): PgRole {
    if (backend.alwaysPrimary) return PgRole.primary;
    if (said !== PgRole.unknown || roleLogin(backend, this.settings, this.access) !== null) return said;
    return backend.id === this.conventionalPrimary() ? PgRole.primary : PgRole.standby;
  }

  /** ALWAYS_PRIMARY, else the node with the lowest id. */
  private conventionalPrimary(): number {
    const { backends } = this.settings;
    return (backends.find(({ alwaysPrimary }) => alwaysPrimary) ?? backends[0])?.id ?? -1;
  }

  private choosePrimary(backends: readonly Backend[], answers: readonly NodeAnswer[]): number {
    const asked = backends.some((backend) => roleLogin(backend, this.settings, this.access) !== null);
    if (!asked) {
      this.log.log(LogLevel.warning, `sr_check_user and health_check_user are empty, so no node can be asked whether it is the primary: node ${this.conventionalPrimary()} is taken for it`);
    }
    const found = backends.filter((backend, at) => {
      const answer = answers[at];
      return answer?.alive === true && this.roleOf(backend, answer.role) === PgRole.primary;
    });
    return (found.find(({ alwaysPrimary }) => alwaysPrimary) ?? found[0])?.id ?? -1;
  }

  /**
   * One round of the search: all nodes are asked at once. A live one that has been promoted is preferred to one that
   * was down and comes back. @returns whether there is a primary now
   */
  private async lookForPrimary(): Promise<boolean> {
    const { backends } = this.settings;
    const asked = backends.map(async (backend) => ({ backend, answer: await this.ask(backend, Math.min(limitOf(backend), startLimitMs)) }));
    const answers = await Promise.all(asked);
    const alive = ({ backend }: { backend: Backend }): number => (this.states.isAlive(backend.id) ? 0 : 1);
    for (const { backend, answer } of answers.toSorted((a, b) => alive(a) - alive(b))) {
      if (this.states.primary >= 0 || this.stopped) return true;
      if (answer.alive && !this.states.isDetached(backend.id) && this.roleOf(backend, answer.role) === PgRole.primary) this.observe(backend, answer);
    }
    return this.states.primary >= 0;
  }
}
