/**
 * The worker pool: Piscina, with a session as a task.
 *
 * Piscina's own queue stays empty. It would start a thread for every task that finds no place, and hand tasks out
 * in another order than they came; so clients wait in the admission queue until `hasRoom()`, and `run` always finds
 * a worker. The one use made of the queue: a token task that no worker takes makes Piscina start one more thread
 * (dynamic mode), and the queue forgets the token.
 *
 * Piscina 5.3, each trap seen: `atomics` must be disabled (the default stops a worker's loop while it has no task),
 * no AbortSignal (an aborted task kills its thread), `idleTimeout: Infinity` in static mode, and a thread that
 * fails while it loads is never replaced, which is noticed here as `onDead`.
 */
import { Socket } from 'node:net';
import { BroadcastChannel } from 'node:worker_threads';
import { Piscina, type PoolWorker, type QueuedTask, type TaskQueue } from './piscina-types.js';
import { broadcastName, type Broadcast, type HandOver, type Report, type SessionEnd, type Task, type WorkerData } from '../../shared/messages.js';
import type { ClientSink } from '../listen/admission-queue.js';
import { Packing, type WorkerThread } from './packing.js';
import type { SharedTables } from './shared-tables.js';
import { CrashLog } from './crash-log.js';
import { Tickets } from './tickets.js';
import type { Logger } from '../../shared/logger.js';

const startTimeoutMs = 30_000;
/** How many threads may die under a client before it is given up. */
const handOverAttempts = 3;

export interface WorkerPoolOptions {
  /** Path of the task file (src/workers/child). A path and not an import: the primary thread runs none of it. */
  readonly taskFile: string;
  readonly threads: number;
  readonly perWorker: number;
  readonly dynamic: boolean;
  /** How long an idle thread is kept in dynamic mode, beyond the first. */
  readonly idleThreadMs: number;
  readonly workerData: WorkerData;
}

export interface WorkerPoolEvents {
  readonly log: Logger;
  /** A client may find room now that did not before. */
  readonly onRoom: () => void;
  readonly onReport: (report: Report) => void;
  /** A worker has told everybody something. */
  readonly onBroadcast: (message: Broadcast) => void;
  /** No thread is left and none will come: nobody can be served any more. */
  readonly onDead: () => void;
}

interface ThreadState extends WorkerThread {
  readonly id: number;
  currentUsage: number;
}

/** Piscina's queue: forgets tokens, and holds nothing in practice. */
class TokenQueue implements TaskQueue {
  private readonly tasks: QueuedTask[] = [];
  forgetting = false;

  get size(): number {
    return this.tasks.length;
  }
  shift(): QueuedTask | null {
    return this.tasks.shift() ?? null;
  }
  push(task: QueuedTask): void {
    if (!this.forgetting) this.tasks.push(task);
  }
  remove(task: QueuedTask): void {
    const at = this.tasks.indexOf(task);
    if (at >= 0) this.tasks.splice(at, 1);
  }
}

export class WorkerPool implements ClientSink {
  private readonly pool: Piscina<Task | null, SessionEnd>;
  private readonly queue = new TokenQueue();
  private readonly channel = new BroadcastChannel(broadcastName);
  private readonly packing: Packing;
  private readonly tickets: Tickets;
  private readonly crashes: CrashLog;
  /** Threads that take tasks, by thread id. */
  private readonly threads = new Map<number, ThreadState>();
  private assignedTo: ThreadState | null = null;
  private growing = false;
  private stopping = false;
  private readyCount = 0;
  private onStarted: ((failure: Error | null) => void) | null = null;
  /** Clients being served. */
  sessions = 0;

  constructor(private readonly options: WorkerPoolOptions, private readonly tables: SharedTables, private readonly events: WorkerPoolEvents) {
    this.packing = new Packing(tables.workers, tables.children);
    this.tickets = new Tickets(tables.tickets);
    this.crashes = new CrashLog(events.log);
    this.pool = new Piscina<Task | null, SessionEnd>({
      filename: options.taskFile,
      minThreads: options.dynamic ? 1 : options.threads,
      maxThreads: options.threads,
      concurrentTasksPerWorker: options.perWorker,
      idleTimeout: options.dynamic ? options.idleThreadMs : Number.POSITIVE_INFINITY,
      atomics: 'disabled',
      recordTiming: false,
      // Sockets arrive as bare descriptors and become net.Sockets at once; Node's list of fs descriptors is of no use.
      trackUnmanagedFds: false,
      taskQueue: this.queue,
      workerData: options.workerData,
      loadBalancer: (_task, workers) => this.place(workers),
    });
    this.pool.on('workerCreate', (worker: PoolWorker) => this.threadReady(worker.id));
    this.pool.on('workerDestroy', () => queueMicrotask(() => this.sweep()));
    this.pool.on('message', (report: Report) => this.receive(report));
    this.pool.on('error', (error: Error) => this.idleThreadFailed(error));
    this.channel.onmessage = (event: unknown): void => this.events.onBroadcast((event as { data: Broadcast }).data);
    this.channel.unref();
  }

  /**
   * Resolves when the threads of the start have all said that they are ready.
   * @throws Error when one fails or the start takes longer than 30 s; the pool is destroyed then
   */
  async started(): Promise<void> {
    const wanted = this.options.dynamic ? 1 : this.options.threads;
    if (this.readyCount >= wanted) return;
    const failure = await new Promise<Error | null>((resolve) => {
      const timer = setTimeout(() => resolve(new Error(`worker threads did not start within ${startTimeoutMs / 1000} s`)), startTimeoutMs);
      this.onStarted = (error): void => {
        if (error === null && this.readyCount < wanted) return;
        clearTimeout(timer);
        resolve(error);
      };
    });
    this.onStarted = null;
    if (failure === null) return;
    await this.destroy();
    throw failure;
  }

  hasRoom(): boolean {
    for (const thread of this.threads.values()) if (this.packing.room(thread) > 0) return true;
    if (this.options.dynamic) this.grow();
    return false;
  }

  /**
   * Gives the client to a worker. Call only when `hasRoom()`. Settles when the session is over. A thread that dies before it
   * has taken the client does the client no harm: another one gets it.
   */
  async run(handOver: HandOver): Promise<SessionEnd> {
    this.sessions += 1;
    const ticket = this.tickets.take();
    try {
      for (let attempt = 1; ; attempt++) {
        try {
          return await this.runOnce({ ...handOver, ticket });
        } catch (error) {
          if (!this.tickets.isOpen(ticket)) throw error;
          if (this.stopping || attempt === handOverAttempts) {
            new Socket({ fd: handOver.fd }).destroy(); // nobody else owns it
            throw error;
          }
        }
      }
    } finally {
      this.tickets.giveBack(ticket);
      this.sessions -= 1;
    }
  }

  private async runOnce(task: Task): Promise<SessionEnd> {
    this.assignedTo = null;
    this.tickets.open(task.ticket);
    const end = this.pool.run(task);
    const thread = this.assignedTo as ThreadState | null;
    if (thread !== null) thread.currentUsage += 1;
    try {
      return await end;
    } catch (error) {
      if (!this.stopping) this.crashes.sessionFailed(error);
      throw error;
    } finally {
      if (thread !== null) thread.currentUsage -= 1;
    }
  }

  broadcast(message: Broadcast): void {
    this.channel.postMessage(message);
  }

  /** Ends the threads; whoever is still served is cut off. */
  async destroy(): Promise<void> {
    this.stopping = true;
    this.onStarted?.(new Error('the worker pool was stopped while it started'));
    this.channel.close();
    await this.pool.destroy();
    this.threads.clear();
  }

  /** Piscina's load balancer. */
  private place(workers: PoolWorker[]): PoolWorker | null {
    if (this.queue.forgetting) return null;
    const choice = this.packing.choose(workers, performance.now());
    if (choice === null) return null;
    this.assignedTo = this.threads.get(choice.worker.id) ?? null;
    // The client is served by the busy worker; the next ones find a new thread.
    if (choice.busy && this.options.dynamic) setImmediate(() => this.grow());
    return choice.worker;
  }

  /** Starts one more thread, if there may be more. */
  private grow(): void {
    if (this.growing || this.stopping || this.pool.threads.length >= this.options.threads) return;
    this.growing = true;
    this.queue.forgetting = true;
    void this.pool.run(null); // never settles
    this.queue.forgetting = false;
  }

  private threadReady(id: number): void {
    this.growing = false;
    this.threads.set(id, { id, currentUsage: 0 });
    this.events.onRoom();
  }

  private receive(report: Report): void {
    if (report.type === 'ready') {
      this.readyCount += 1;
      this.onStarted?.(null);
    }
    if (report.type === 'crashed') this.crashes.reported(report);
    this.events.onReport(report);
  }

  private idleThreadFailed(error: Error): void {
    if (this.stopping) return;
    this.growing = false;
    if (this.onStarted === null) this.crashes.threadFailed(error);
    else this.onStarted(error);
  }

  /** A thread has gone: its rows are free for the one that replaces it. */
  private sweep(): void {
    const alive = new Set(this.pool.threads.map((thread) => thread.threadId));
    for (const id of this.threads.keys()) if (!alive.has(id)) this.threads.delete(id);
    for (const worker of this.tables.workers.releaseGone(alive)) {
      const { from, to } = this.tables.children.rowsOf(worker);
      for (let row = from; row < to; row++) this.tables.children.stop(row);
    }
    // A start that fails is told by started().
    if (alive.size === 0 && !this.stopping && this.readyCount > 0) this.events.onDead();
  }
}
