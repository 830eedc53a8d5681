/**
 * One running pgloom: puts the parts of the primary thread together, starts them in order and stops them.
 *
 *   settings ▶ log ▶ pid file ▶ access files ▶ shared tables ▶ nodes asked + worker threads ▶ listeners ▶ ready
 */
import { fileURLToPath } from 'node:url';
import { createLogger, type Logger, LogLevel } from '../shared/logger.js';
import type { AccessFiles, Broadcast } from '../shared/messages.js';
import type { Settings } from '../shared/settings.js';
import { loadAccess } from './access/load.js';
import { Cluster } from './cluster/cluster.js';
import { loadConfig } from './config/load.js';
import { createSharedTables, type SharedTables, threadPlan, workerDataOf } from './engine/shared-tables.js';
import { Shutdown, type ShutdownMode } from './engine/shutdown.js';
import { patienceOf, SpareChildren } from './engine/spare-children.js';
import { WorkerPool } from './engine/worker-pool.js';
import { AdmissionQueue } from './listen/admission-queue.js';
import { forwardCancel } from './listen/cancel.js';
import { Listeners } from './listen/listener.js';
import { handOverWay } from './listen/socket-handover.js';
import { removePidFile, writePidFile } from './pid-file.js';
import { readAgain, withDebug } from './reload.js';

export interface PgpoolOptions {
  readonly configFile: string;
  readonly pcpFile?: string | undefined;
  readonly hbaFile?: string | undefined;
  readonly foreground: boolean;
  /** -d: log from DEBUG1 on, whatever log_min_messages says. */
  readonly debug?: boolean;
}

export interface RunningPgpool {
  /** What is listened on: `127.0.0.1:9999`, a path. */
  readonly addresses: readonly string[];
  /** Ends it. A smart stop under way can be hurried with a fast one. */
  stop(mode: ShutdownMode): Promise<void>;
  /** Reads the files again. A faulty file changes nothing; the log says so. */
  reload(): void;
  /** Resolves when it has stopped: 0, or 1 when it had to stop for want of worker threads. */
  readonly ended: Promise<number>;
}

const taskFile = fileURLToPath(new URL('../workers/child.js', import.meta.url));

/**
 * Starts pgloom and resolves when it accepts clients.
 * @throws ConfigError, AccessFileError, PidFileError, ListenError: texts meant for people; nothing is left running
 */
export async function runPgpool(options: PgpoolOptions): Promise<RunningPgpool> {
  const { settings: written, warnings, notActedOn } = loadConfig(options.configFile);
  const settings = withDebug(written, options.debug);
  const log = createLogger(settings);
  for (const warning of warnings) log.log(LogLevel.warning, warning);
  if (notActedOn.length > 0) log.log(LogLevel.warning, `parameters set but not acted on yet: ${notActedOn.join(', ')}`);
  const { access, warnings: accessWarnings } = loadAccess(settings, options.hbaFile);
  for (const warning of accessWarnings) log.log(LogLevel.warning, warning);
  const predecessor = writePidFile(settings.pid_file_name);
  if (predecessor !== null) log.log(LogLevel.notice, `pid file of process ${predecessor} was left behind; it does not run any more`);

  const server = new PgpoolServer(options, settings, access, log);
  try {
    await server.start();
  } catch (error) {
    await server.abort();
    throw error;
  }
  return server;
}

class PgpoolServer implements RunningPgpool {
  private readonly tables: SharedTables;
  private readonly cluster: Cluster;
  private readonly pool: WorkerPool;
  private readonly spareChildren: SpareChildren;
  private readonly admission: AdmissionQueue;
  private readonly shutdown: Shutdown;
  private listeners: Listeners | null = null;
  private stopped: Promise<void> | null = null;
  private status = 0;
  /** What the last reload told the workers. */
  private reloaded: Broadcast | null = null;
  private onEnded: (status: number) => void = () => undefined;
  readonly ended = new Promise<number>((resolve) => {
    this.onEnded = resolve;
  });

  constructor(private readonly options: PgpoolOptions, private settings: Settings, access: AccessFiles, private readonly log: Logger) {
    this.tables = createSharedTables(settings);
    this.cluster = new Cluster(this.tables.nodes, settings, access, log);
    this.pool = this.createPool(access);
    const { children, workers } = this.tables;
    this.spareChildren = new SpareChildren(settings, children, workers, (message) => this.pool.broadcast(message));
    this.shutdown = new Shutdown(this.pool);
    this.admission = new AdmissionQueue(this.pool, {
      numInitChildren: settings.num_init_children,
      listenBacklogMultiplier: settings.listen_backlog_multiplier,
      reservedConnections: settings.reserved_connections,
      refuseEncryption: !settings.ssl,
    }, (childId, secret) => {
      forwardCancel(children, childId, secret, (message) => this.pool.broadcast(message));
    }, (error, times) => log.log(LogLevel.error, `${error.message} (${times} times)`));
  }

  get addresses(): readonly string[] {
    return this.listeners?.addresses ?? [];
  }

  async start(): Promise<void> {
    await Promise.all([this.cluster.start(), this.pool.started()]);
    this.listeners = await this.listen();
    this.spareChildren.start();
    this.log.log(LogLevel.log, handOverWay);
    this.log.log(LogLevel.log, `pgloom is ready, listening on ${this.addresses.join(', ')}`);
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

  reload(): void {
    const again = readAgain(this.settings, this.options, (node) => !this.tables.nodes.isAlive(node), this.log);
    if (again === null) return;
    this.settings = again.settings;
    this.log.setLevel(again.settings);
    this.cluster.reload(again.settings, again.access, again.newBackends);
    this.spareChildren.reload(again.settings);
    this.reloaded = { type: 'settings', settings: again.settings, access: again.access };
    this.pool.broadcast(this.reloaded);
  }

  private async finish(mode: ShutdownMode): Promise<void> {
    if (this.listeners !== null) this.log.log(LogLevel.log, `received ${mode} shutdown request`);
    this.spareChildren.stop();
    this.cluster.stop();
    try {
      await this.listeners?.close();
      this.admission.close();
      await this.shutdown.run(mode);
      this.admission.destroy();
    } finally {
      removePidFile(this.settings.pid_file_name);
      if (this.listeners !== null) this.log.log(LogLevel.log, 'pgloom is shut down');
      this.log.flush();
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
      onReport: (report) => {
        if (report.type === 'nodeFailed') this.cluster.nodeFailed(report.node, report.reason);
        // A thread that starts later begins with the settings of pgloom's start.
        if (report.type === 'ready' && this.reloaded !== null) this.pool.broadcast(this.reloaded);
      },
      onDead: () => {
        log.log(LogLevel.panic, 'no worker thread is left and none can be started; pgloom stops');
        this.status = 1;
        void this.stop('fast');
      },
    });
  }

  private listen(): Promise<Listeners> {
    const { settings, log } = this;
    return Listeners.open({
      listenAddresses: settings.listen_addresses,
      port: settings.port,
      unixSocketDirectories: settings.unix_socket_directories,
      unixSocketGroup: settings.unix_socket_group,
      unixSocketPermissions: settings.unix_socket_permissions,
      numInitChildren: settings.num_init_children,
      listenBacklogMultiplier: settings.listen_backlog_multiplier,
    }, {
      onClient: (client) => this.admission.admit(client),
      onAcceptError: (error, times) => log.log(LogLevel.error, `clients could not be accepted (${times} times): ${error.message}`),
    });
  }
}
