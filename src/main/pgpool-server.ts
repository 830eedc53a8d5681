/**
 * One running pgloom: puts the parts of the primary thread together, starts them in order and stops them.
 *
 *   settings ▶ log ▶ pid file ▶ access files ▶ shared tables ▶ nodes asked + worker threads ▶ listeners ▶ ready
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Logger, LogLevel } from '../shared/logger.js';
import { LinkCollector } from '../shared/link-collector.js';
import type { AccessFiles, Broadcast, Report } from '../shared/messages.js';
import type { Settings } from '../shared/settings.js';
import { loadAccess } from './access/load.js';
import { Cluster, type NodeMemory } from './cluster/cluster.js';
import { loadConfig } from './config/load.js';
import { createSharedTables, type SharedTables, threadPlan, workerDataOf } from './engine/shared-tables.js';
import { Shutdown, type ShutdownMode } from './engine/shutdown.js';
import { patienceOf, SpareChildren } from './engine/spare-children.js';
import { WorkerPool } from './engine/worker-pool.js';
import { Operator } from './operator.js';
import { HttpServer } from './observe/http-server.js';
import { SqlAdministration } from './sql-administration.js';
import type { LogFile } from './observe/log-file.js';
import { type OpenLog, openLog } from './observe/open-log.js';
import { AdmissionQueue } from './listen/admission-queue.js';
import { forwardCancel } from './listen/cancel.js';
import { Listeners, maxBacklog } from './listen/listener.js';
import { handOverWay } from './listen/socket-handover.js';
import { PcpServer } from './pcp/server.js';
import { readStatusFile, removeStatusFile, StatusFile, statusFileOf } from './cluster/status-file.js';
import type { Lifecycle } from './lifecycle.js';
import { PidFileError, removePidFile, writePidFile } from './pid-file.js';
import { readAgain, ReloadQueue, withDebug } from './reload.js';
import { TicketKeyRotation } from './tls/ticket-keys.js';

export interface PgpoolOptions {
  readonly configFile: string;
  readonly pcpFile?: string | undefined;
  readonly hbaFile?: string | undefined;
  readonly foreground: boolean;
  /** -d: log from DEBUG1 on, whatever log_min_messages says. */
  readonly debug?: boolean;
  /** -k: holds the key for AES passwords in pool_passwd. */
  readonly keyFile?: string;
  /** -D: forgets the states that the nodes had. */
  readonly discardStatus?: boolean;
  /** -C: clears the query cache's table maps in memcached. */
  readonly clearOidmaps?: boolean;
  readonly lifecycle?: Lifecycle;
  /** For tests: a day is the default. */
  readonly ticketKeyPeriodMs?: number;
}

export interface RunningPgpool {
  /** What is listened on: `127.0.0.1:9999`, a path. */
  readonly addresses: readonly string[];
  /** Ends it. A smart stop under way can be hurried with a fast one. */
  stop(mode: ShutdownMode): Promise<void>;
  /**
   * Reads the files again. A faulty file changes nothing; the log says so.
   * @returns resolves when that is done, or given up by a stop
   */
  reload(): Promise<void>;
  /** Resolves when it has stopped: 0, or 1 when it had to stop for want of worker threads. */
  readonly ended: Promise<number>;
}

const taskFile = fileURLToPath(new URL('../workers/child.js', import.meta.url));

/**
 * Starts pgloom and resolves when it accepts clients.
 * @throws ConfigError, AccessFileError, PidFileError, LogFileError, ListenError: texts meant for people; nothing is left running
 */
export async function runPgpool(options: PgpoolOptions): Promise<RunningPgpool> {
  const { settings: written, warnings, notActedOn } = loadConfig(options.configFile);
  const settings = withDebug(written, options.debug);
  const { access, warnings: accessWarnings } = await loadAccess(settings, options.hbaFile, options.keyFile);
  // First the pid file: a second pgloom must not write into the log of the one that runs.
  const predecessor = writePidFile(settings.pid_file_name);
  const { log, logFile } = openLogOrGiveUp(settings);
  for (const warning of [...warnings, ...accessWarnings]) log.log(LogLevel.warning, warning);
  if (notActedOn.length > 0) log.log(LogLevel.warning, `parameters set but not acted on yet: ${notActedOn.join(', ')}`);
  if (predecessor !== null) log.log(LogLevel.notice, `pid file of process ${predecessor} was left behind; it does not run any more`);
  if (options.discardStatus === true) discardStatus(settings);

  const server = new PgpoolServer(options, settings, access, log, logFile);
  try {
    await server.start();
    logFile?.letGo();
  } catch (error) {
    if (logFile !== null) log.log(LogLevel.fatal, `pgpool could not start: ${(error as Error).message}`);
    logFile?.restore();
    await server.abort();
    throw error;
  }
  return server;
}

function nodeMemory(settings: Settings, log: Logger): NodeMemory {
  const file = statusFileOf(settings);
  return { stored: readStatusFile(file, log), file: new StatusFile(file, log) };
}

function openLogOrGiveUp(settings: Settings): OpenLog {
  try {
    return openLog(settings);
  } catch (error) {
    removePidFile(settings.pid_file_name);
    throw error;
  }
}

/** @throws PidFileError when there is a file and it cannot be removed: the states must not come back then */
function discardStatus(settings: Settings): void {
  const file = statusFileOf(settings);
  try {
    removeStatusFile(file);
  } catch (error) {
    removePidFile(settings.pid_file_name);
    throw new PidFileError(`could not remove "${file}": ${(error as NodeJS.ErrnoException).code ?? 'unknown reason'}`);
  }
}

class PgpoolServer implements RunningPgpool {
  private readonly tables: SharedTables;
  private readonly cluster: Cluster;
  private readonly pool: WorkerPool;
  private readonly spareChildren: SpareChildren;
  private readonly admission: AdmissionQueue;
  private readonly shutdown: Shutdown;
  private readonly links: LinkCollector;
  /** Carries out what comes by PCP, from the status page or by SQL. */
  readonly operator: Operator;
  /** Carries out what sessions ask for with the functions of pgpool_adm. */
  private readonly sql: SqlAdministration;
  private listeners: Listeners | null = null;
  private pcp: PcpServer | null = null;
  private http: HttpServer | null = null;
  private readonly startedMs = Date.now();
  private stopped: Promise<void> | null = null;
  private status = 0;
  /** What the last reload told the workers, and what has come since. */
  private told: readonly Broadcast[] = [];
  private readonly reloads = new ReloadQueue(() => this.reloadOnce());
  /** Ends a reload that is under way. */
  private readonly giveUp = new AbortController();
  private readonly ticketKeys: TicketKeyRotation;
  private onEnded: (status: number) => void = () => undefined;
  readonly ended = new Promise<number>((resolve) => {
    this.onEnded = resolve;
  });

  constructor(
    private readonly options: PgpoolOptions,
    private settings: Settings,
    access: AccessFiles,
    private readonly log: Logger,
    private readonly logFile: LogFile | null,
  ) {
    this.tables = createSharedTables(settings);
    this.cluster = new Cluster(this.tables.nodes, this.tables.health, settings, access, log, nodeMemory(settings, log));
    this.pool = this.createPool(access);
    const { children, workers } = this.tables;
    this.spareChildren = new SpareChildren(settings, children, workers, (message) => this.pool.broadcast(message));
    this.shutdown = new Shutdown(this.pool);
    this.links = new LinkCollector((message) => this.pool.broadcast(message), () => workers.running);
    this.admission = new AdmissionQueue(this.pool, {
      numInitChildren: settings.num_init_children,
      listenBacklogMultiplier: settings.listen_backlog_multiplier,
      reservedConnections: settings.reserved_connections,
      tls: access.tls.server,
    }, (childId, secret) => {
      forwardCancel(children, childId, secret, (message) => this.pool.broadcast(message));
    }, (error, times) => log.log(LogLevel.error, `${error.message} (${times} times)`));
    this.ticketKeys = new TicketKeyRotation((keys) => this.spreadTicketKeys(keys), options.ticketKeyPeriodMs);
    this.ticketKeys.start(access.tls.server);
    this.operator = this.createOperator();
    this.sql = new SqlAdministration(this.operator, this.pcpFile);
  }

  private createOperator(): Operator {
    const { tables, cluster, admission, pool, log } = this;
    return new Operator({
      log,
      cluster,
      admission,
      engine: pool,
      sources: () => ({ settings: this.settings, ...tables }),
      links: () => new Promise((resolve) => this.links.collect([], resolve)),
      stop: (mode) => void this.stop(mode),
      reload: () => this.reload(),
      rotateLog: () => this.logFile?.rotate(),
    });
  }

  private get pcpFile(): string {
    return this.options.pcpFile ?? path.join(this.settings.configDirectory, 'pcp.conf');
  }

  get addresses(): readonly string[] {
    return this.listeners?.addresses ?? [];
  }

  async start(): Promise<void> {
    await Promise.all([this.cluster.start(), this.pool.started()]);
    this.pcp = await PcpServer.open(this.operator, this.pcpFile);
    this.http = await this.openHttp(this.pcpFile);
    this.listeners = await this.listen();
    this.spareChildren.start();
    this.log.log(LogLevel.log, handOverWay);
    if (this.pcp.addresses.length > 0) this.log.log(LogLevel.log, `PCP listens on ${this.pcp.addresses.join(', ')}`);
    if (this.http !== null) this.log.log(LogLevel.log, `metrics and the status page: ${this.http.addresses.map((address) => `http://${address}/`).join(', ')}`);
    this.log.log(LogLevel.log, `pgloom is ready, listening on ${this.addresses.join(', ')}`);
    this.options.lifecycle?.ready(this.settings, this.addresses);
  }

  /** After a failed start: leaves nothing behind. */
  async abort(): Promise<void> {
    await this.stop('fast').catch(() => undefined);
  }

  stop(mode: ShutdownMode): Promise<void> {
    if (this.stopped !== null) void this.shutdown.run(mode);
    this.stopped ??= this.finish(mode);
    return this.stopped;
  }

  reload(): Promise<void> {
    return this.reloads.request();
  }

  private async reloadOnce(): Promise<void> {
    if (this.stopped !== null) return;
    this.options.lifecycle?.reloading();
    try {
      await this.readFilesAgain();
    } finally {
      // Whoever started us has been told of the stop already.
      if (!this.giveUp.signal.aborted) this.options.lifecycle?.reloaded(this.settings);
    }
  }

  private async readFilesAgain(): Promise<void> {
    const again = await readAgain(this.settings, this.options, (node) => !this.tables.nodes.isAlive(node), this.log, this.giveUp.signal);
    if (again === null || this.giveUp.signal.aborted) return;
    this.settings = again.settings;
    this.log.setLevel(again.settings);
    this.logFile?.reload(again.settings);
    this.cluster.reload(again.settings, again.access, again.newBackends);
    this.spareChildren.reload(again.settings);
    this.admission.offerTls(again.access.tls.server);
    this.ticketKeys.start(again.access.tls.server);
    const message: Broadcast = { type: 'settings', settings: again.settings, access: again.access };
    this.told = [message];
    this.pool.broadcast(message);
  }

  private spreadTicketKeys(keys: Uint8Array): void {
    const message: Broadcast = { type: 'ticketKeys', keys };
    this.admission.changeTicketKeys(keys);
    this.told = [...this.told.filter(({ type }) => type !== 'ticketKeys'), message];
    this.pool.broadcast(message);
  }

  private async finish(mode: ShutdownMode): Promise<void> {
    if (this.listeners !== null) this.log.log(LogLevel.log, `received ${mode} shutdown request`);
    this.options.lifecycle?.stopping();
    this.giveUp.abort();
    this.spareChildren.stop();
    this.ticketKeys.stop();
    this.cluster.stop();
    try {
      await this.listeners?.close();
      this.admission.close();
      // PCP stays until the clients have left: a smart stop can be hurried.
      await this.shutdown.run(mode);
      await this.pcp?.close();
      await this.http?.close();
      this.admission.destroy();
    } finally {
      this.options.lifecycle?.ended();
      removePidFile(this.settings.pid_file_name);
      if (this.listeners !== null) this.log.log(LogLevel.log, 'pgloom is shut down');
      this.log.flush();
      this.logFile?.stop();
      this.onEnded(this.status);
    }
  }

  private createPool(access: AccessFiles): WorkerPool {
    const { settings, tables, log } = this;
    return new WorkerPool({
      ...threadPlan(settings),
      taskFile,
      dynamic: settings.process_management_mode === 'dynamic',
      idleThreadMs: patienceOf[settings.process_management_strategy].idleThreadMs,
      workerData: workerDataOf(tables, settings, access),
    }, tables, {
      log,
      onRoom: () => this.admission.advance(),
      onBroadcast: (message) => {
        if (message.type === 'rows') this.links.received(message);
      },
      onReport: (report) => {
        if (report.type === 'nodeFailed') this.cluster.nodeFailed(report.node, report.reason);
        if (report.type === 'administer') void this.administer(report);
        // A thread that starts later begins with the settings of pgloom's start.
        if (report.type === 'ready') for (const message of this.told) this.pool.broadcast(message);
      },
      onDead: () => {
        log.log(LogLevel.panic, 'no worker thread is left and none can be started; pgloom stops');
        this.status = 1;
        void this.stop('fast');
      },
    });
  }

  private async administer({ worker, request, packed }: Extract<Report, { type: 'administer' }>): Promise<void> {
    const answer = await this.sql.answer(packed);
    try {
      this.pool.broadcast({ type: 'administered', worker, request, packed: answer });
    } catch {
      // All workers have ended meanwhile.
    }
  }

  private openHttp(pcpFile: string): Promise<HttpServer | null> {
    const { operator: administration, admission, pool: engine, tables: { latencies, loginFailures }, startedMs } = this;
    return HttpServer.open({
      administration, admission, engine, latencies, loginFailures, startedMs, isAccepting: () => this.listeners !== null && this.stopped === null,
    }, pcpFile);
  }

  private listen(): Promise<Listeners> {
    const { settings, log } = this;
    return Listeners.open({
      listenAddresses: settings.listen_addresses,
      port: settings.port,
      unixSocketDirectories: settings.unix_socket_directories,
      unixSocketGroup: settings.unix_socket_group,
      unixSocketPermissions: settings.unix_socket_permissions,
      backlog: Math.min(settings.num_init_children * settings.listen_backlog_multiplier, maxBacklog),
    }, {
      onClient: (client) => this.admission.admit(client),
      onAcceptError: (error, times) => log.log(LogLevel.error, `clients could not be accepted (${times} times): ${error.message}`),
    });
  }
}
