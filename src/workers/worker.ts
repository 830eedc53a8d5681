/**
 * One worker thread: what its sessions share. Made once, when the thread loads child.ts.
 *
 * The thread's clock (`nowMs`) is coarse: it moves once a second, with the tick that also looks after all time limits.
 */
import { hostname } from 'node:os';
import { performance } from 'node:perf_hooks';
import { isDeepStrictEqual } from 'node:util';
import { getHeapStatistics } from 'node:v8';
import { BroadcastChannel, parentPort, threadId } from 'node:worker_threads';
import { createLogger, LogLevel, newLogIdentity, type Logger } from '../shared/logger.js';
import { ChildTable } from '../shared/memory/child-table.js';
import { HealthTable } from '../shared/memory/health-table.js';
import { LatencyTable } from '../shared/memory/latency-table.js';
import { LoginFailures } from '../shared/memory/login-failures.js';
import { MutationTable } from '../shared/memory/mutation-table.js';
import { NodeTable } from '../shared/memory/node-table.js';
import { PasswordDoubts } from '../shared/memory/password-doubts.js';
import { RelationCache } from '../shared/memory/relation-cache.js';
import { WorkerTable } from '../shared/memory/worker-table.js';
import { broadcastName, type AccessFiles, type Broadcast, type Report, type WorkerData } from '../shared/messages.js';
import type { Settings } from '../shared/settings.js';
import { LoopDelay } from '../shared/loop-delay.js';
import { errors } from '../shared/errors.js';
import { forgetScramKeys } from '../shared/auth/scram-keys.js';
import { ServerMethods } from './authentication/server-methods.js';
import { StoredPasswords } from './authentication/stored-passwords.js';
import { BackendPool } from './backend/pool.js';
import { withTicketKeys } from '../shared/tls/materials.js';
import { WorkerTls } from './worker-tls.js';
import { Children } from './children.js';
import { PcpDesk } from './commands/pcp-desk.js';
import { RoutingRules } from './route/routing-rules.js';
import { HostNames } from './session/host-names.js';
import { LateAnswers } from './session/late-answers.js';
import { PoolRows } from './session/pool-rows.js';
import type { Session } from './session/session.js';
import { unreadablePlan } from './sql/make-plan.js';
import { PlanCache } from './sql/plan-cache.js';
import { RelationFacts } from './sql/relation-facts.js';
import { SharedFacts } from './sql/shared-facts.js';

const tickMs = 1000;
/** How often the event loop's utilization is measured for the packing of new clients. */
const utilizationMs = 200;

export class Worker {
  nowMs = Date.now();
  settings: Settings;
  access: AccessFiles;
  /** What new connections are encrypted with. */
  tls: WorkerTls;
  readonly nodes: NodeTable;
  readonly childTable: ChildTable;
  readonly workerTable: WorkerTable;
  readonly health: HealthTable;
  /** Null when there is no HTTP port: nobody measures then. */
  readonly latencies: LatencyTable | null;
  private readonly loopDelay: LoopDelay | null;
  /** Our row in the worker table. */
  readonly row: number;
  readonly children: Children;
  readonly pool: BackendPool;
  readonly plans = new PlanCache();
  /** What is too long to be looked at. */
  readonly bigPlan = unreadablePlan();
  /** The lists of the settings that decide about routes. */
  rules: RoutingRules;
  /** For dml_adaptive_global. */
  readonly mutations: MutationTable;
  readonly loginFailures: LoginFailures;
  readonly log: Logger;
  readonly sessions = new Set<Session>();
  readonly poolRows: PoolRows;
  readonly pcpDesk: PcpDesk;
  readonly hostname = hostname();
  readonly hostNames = new HostNames();
  /** What is known of users' passwords. */
  readonly passwords: StoredPasswords;
  readonly lateAnswers = new LateAnswers();
  /** What servers have asked for lately (relay mode). */
  readonly serverMethods = new ServerMethods();
  /** Set by a shutdown: 'smart' lets sessions go on, 'fast' ends them. */
  stopping: 'no' | 'smart' | 'fast' = 'no';
  private readonly facts = new Map<string, RelationFacts>();
  /** Null when enable_shared_relcache is off. */
  private readonly relationCache: RelationCache | null;
  private readonly channel = new BroadcastChannel(broadcastName);
  private lastLoop = performance.eventLoopUtilization();

  constructor(data: WorkerData) {
    this.settings = data.settings;
    this.access = data.access;
    this.tls = new WorkerTls(data.access.tls);
    this.nodes = new NodeTable(data.nodeTable);
    this.childTable = new ChildTable(data.childTable.size, data.childTable.perWorker, data.childTable.buffer);
    this.workerTable = new WorkerTable(data.workerTable.size, data.workerTable.buffer);
    this.health = new HealthTable(data.healthTable);
    this.latencies = data.latencyTable === null ? null : new LatencyTable(data.workerTable.size, data.latencyTable);
    this.loopDelay = data.latencyTable === null ? null : new LoopDelay();
    this.row = this.workerTable.claim(threadId);
    const isAlive = (thread: number): boolean => this.workerTable.rowOf(thread) >= 0;
    this.relationCache = data.relationCache === null ? null : new RelationCache(data.relationCache, threadId, isAlive);
    this.log = createLogger(data.settings, 2, newLogIdentity('worker'));
    const now = (): number => this.nowMs;
    this.children = new Children(this.childTable, this.row, new Int32Array(data.childIds), now, () => this.settings, (row) => this.pool.closeOfChild(row));
    const capacity = (): number => this.settings.max_pool * Math.max(1, this.children.running);
    this.pool = new BackendPool(now, () => this.settings, capacity, (isHit) => this.workerTable.countCheckOut(this.row, isHit), () => this.tls.backend);
    this.poolRows = new PoolRows(this);
    this.pcpDesk = new PcpDesk(this);
    this.rules = new RoutingRules(this.settings);
    this.mutations = new MutationTable(data.mutations.size, data.mutations.buffer);
    this.passwords = new StoredPasswords(this, data.loginSecret, new PasswordDoubts(data.passwordDoubts));
    this.loginFailures = new LoginFailures(data.loginFailures);
    this.startChildren(data.workerTable.size);
    this.channel.onmessage = (event: unknown): void => this.heard((event as { data: Broadcast }).data);
    (this.channel as unknown as { unref(): void }).unref();
    setInterval(() => this.tick(), tickMs).unref();
    setInterval(() => this.measure(), utilizationMs).unref();
    process.on('uncaughtExceptionMonitor', (error) => this.crash(error));
    this.report({ type: 'ready', worker: this.row, threadId });
  }

  private startChildren(workers: number): void {
    const { settings } = this;
    const dynamic = settings.process_management_mode === 'dynamic';
    const first = settings.process_management_strategy === 'aggressive' ? settings.max_spare_children : settings.min_spare_children;
    if (!dynamic) return this.children.start(this.childTable.size);
    // Dynamic mode begins with one thread, which has them all; a thread that comes later starts children as clients come.
    let threads = 0;
    for (let row = 0; row < workers; row++) if (this.workerTable.threadOf(row) !== 0) threads++;
    if (threads <= 1) this.children.start(first);
  }

  report(report: Report): void {
    parentPort?.postMessage(report);
  }

  broadcast(message: Broadcast): void {
    this.channel.postMessage(message);
  }

  /** Facts about the relations and functions of one database. */
  factsOf(database: string): RelationFacts {
    let facts = this.facts.get(database);
    if (facts === undefined) {
      if (this.facts.size >= 256) this.facts.clear();
      const shared = this.relationCache === null ? null : new SharedFacts(this.relationCache, database);
      facts = new RelationFacts(() => this.settings, shared);
      this.facts.set(database, facts);
    }
    return facts;
  }

  private heard(message: Broadcast): void {
    switch (message.type) {
      case 'settings':
        this.settings = message.settings;
        // Links to servers that were made before do not hold to what is asked for now.
        if (!isDeepStrictEqual(this.access.tls.backend, message.access.tls.backend)) this.pool.retireAll();
        this.access = message.access;
        this.renewTls();
        this.serverMethods.clear();
        this.pool.closeTrusted();
        this.passwords.reloaded();
        forgetScramKeys();
        // A reload forgets what is known of relations; the shared facts go with their generation.
        this.nodes.noteDdl();
        this.log.setLevel(message.settings);
        this.rules = new RoutingRules(this.settings);
        return;
      case 'ticketKeys':
        this.access = { ...this.access, tls: withTicketKeys(this.access.tls, message.keys) };
        this.renewTls();
        return;
      case 'children':
        if (message.worker !== this.row) return;
        this.children.start(message.start);
        this.children.stop(message.stop);
        return;
      case 'cancel':
        if (message.worker === this.row) this.cancel(message.childRow, message.childId, message.key);
        return;
      case 'wantRows':
        this.broadcast(this.poolRows.answer(message.request));
        return;
      case 'rows':
        this.poolRows.received(message);
        return;
      case 'administered':
        if (message.worker === this.row) this.pcpDesk.received(message);
        return;
      case 'shutdown':
        this.stop(message.mode);
    }
  }

  /** What has been proved does not fail, but if it does it must not end the thread, and with it the one that comes next. */
  private renewTls(): void {
    try {
      this.tls = new WorkerTls(this.access.tls);
    } catch (error) {
      this.log.log(LogLevel.error, `TLS goes on with the certificates and parameters of before: ${(error as Error).message}`);
    }
  }

  /** Cancels what the session of a child of ours runs now, if it is still the one whose key begins so. */
  cancel(childRow: number, childId: number, key: number): void {
    if (Buffer.from(this.childTable.secret(childRow)).readInt32BE(0) !== key) return;
    for (const session of this.sessions) {
      if (session.childRow === childRow && this.childTable.id(childRow) === childId) session.cancel();
    }
  }

  private stop(mode: 'smart' | 'fast'): void {
    this.stopping = mode;
    this.pool.closeAll();
    if (mode === 'fast') for (const session of this.sessions) session.fail(errors.adminShutdown());
  }

  private tick(): void {
    this.nowMs = Date.now();
    for (const session of this.sessions) session.tick(this.nowMs);
    this.children.sweep();
    this.pool.sweep((node) => this.nodes.isAlive(node));
    this.workerTable.setSessions(this.row, this.sessions.size);
    if (this.loopDelay !== null) this.workerTable.setThreadHealth(this.row, { ...this.loopDelay.tick(), heapBytes: getHeapStatistics().used_heap_size });
  }

  private measure(): void {
    const loop = performance.eventLoopUtilization();
    this.workerTable.setUtilization(this.row, performance.eventLoopUtilization(loop, this.lastLoop).utilization);
    this.lastLoop = loop;
  }

  /** The thread is about to die of an exception: say so to the clients while there is still a thread to do it. */
  private crash(error: Error): void {
    this.report({ type: 'crashed', worker: this.row, stack: error.stack ?? error.message, sessions: this.sessions.size });
    for (const session of this.sessions) {
      try {
        session.fail(errors.workerCrashed());
      } catch {
        // Whatever broke the thread may have broken the session as well; the socket closes with the thread.
      }
    }
    this.log.log(LogLevel.panic, `worker ${this.row} died: ${error.message}`);
    this.log.flush();
  }
}
