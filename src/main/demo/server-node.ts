/** One PostgreSQL server that is our child process. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { serverEnvironment } from './data-directory.js';
import { childrenOf, isRunning, signalProcess, sleepBlocking } from './processes.js';
import { queryServer, type Row } from './sql.js';
import { spawnIdentity, type Identity } from './unprivileged.js';

/** PostgreSQL's shutdown modes and the postmaster's signals for them. */
const stopSignals = { smart: 'SIGTERM', fast: 'SIGINT', immediate: 'SIGQUIT' } as const;
export type StopMode = keyof typeof stopSignals;

export interface ServerNodeOptions {
  readonly id: number;
  /** The data directory. */
  readonly directory: string;
  readonly socketDirectory: string;
  readonly logFile: string;
  readonly postgres: string;
  readonly user: string;
  readonly identity: Identity | undefined;
}

const startLimitMs = 60_000;
const stopLimitMs = 30_000;

export class ServerNode {
  readonly id: number;
  readonly host = '127.0.0.1';
  readonly directory: string;
  readonly socketDirectory: string;
  readonly logFile: string;
  /** TCP port, and the number in the name of the Unix socket. */
  port = 0;
  readonly #options: ServerNodeOptions;
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  #paused: number[] = [];

  constructor(options: ServerNodeOptions) {
    this.#options = options;
    this.id = options.id;
    this.directory = options.directory;
    this.socketDirectory = options.socketDirectory;
    this.logFile = options.logFile;
  }

  /** Process id of the postmaster; undefined while the server does not run. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get running(): boolean {
    return this.#child !== undefined;
  }

  /** Resolves when the server accepts connections. Throws with the end of its log when it gives up before. */
  async start(): Promise<void> {
    if (this.#child !== undefined) return;
    const child = this.#spawn();
    const deadline = Date.now() + startLimitMs;
    while (!await this.#isReady(child)) {
      if (this.#child !== child) throw new Error(`server ${this.id} did not start:\n${await this.logTail()}`);
      if (Date.now() > deadline) {
        await this.stop('immediate');
        throw new Error(`server ${this.id} did not start in ${startLimitMs / 1000} s:\n${await this.logTail()}`);
      }
      await sleep(10);
    }
  }

  /** Stops the server and resolves when it is gone; one that does not end in time is killed. */
  async stop(mode: StopMode = 'fast'): Promise<void> {
    if (this.pid === undefined) return;
    this.resume();
    signalProcess(this.pid, stopSignals[mode]);
    const timer = setTimeout(() => this.#killAll(), stopLimitMs);
    await this.#exited;
    clearTimeout(timer);
  }

  async restart(mode: StopMode = 'fast'): Promise<void> {
    await this.stop(mode);
    await this.start();
  }

  /** A crash: the postmaster and all its processes die at once, clients see their connections reset. */
  async kill(): Promise<void> {
    this.#killAll();
    await this.#exited;
  }

  /** Makes a standby the primary and resolves when it is one. The other standbys do not follow it by themselves. */
  async promote(): Promise<void> {
    const [row] = await this.query<{ promoted: boolean }>('select pg_promote(true, 60) as promoted');
    if (row?.promoted !== true) throw new Error(`server ${this.id} was not promoted:\n${await this.logTail()}`);
  }

  /** A hang: the processes of the server stop, the system still accepts connections for it. */
  pause(): void {
    if (this.pid === undefined) throw new Error(`server ${this.id} does not run`);
    // The postmaster first, so that it starts no child that the list would miss.
    signalProcess(this.pid, 'SIGSTOP');
    this.#paused = [this.pid, ...childrenOf(this.pid)];
    for (const pid of this.#paused) signalProcess(pid, 'SIGSTOP');
  }

  resume(): void {
    for (const pid of this.#paused.splice(0)) signalProcess(pid, 'SIGCONT');
  }

  /** Runs SQL on this server, over its Unix socket, as the superuser; returns the last statement's rows. */
  query<R extends Row = Row>(sql: string, database = 'postgres'): Promise<R[]> {
    return queryServer<R>({ host: this.socketDirectory, port: this.port, user: this.#options.user, database }, sql);
  }

  /** The last lines that the server logged. */
  async logTail(): Promise<string> {
    const text = await readFile(this.logFile, 'utf8').catch(() => '');
    return text.split('\n').slice(-15).join('\n');
  }

  /** Ends the server while our event loop no longer turns, at the end of the process. Blocks for up to 3 s. */
  endNow(): void {
    const { pid } = this;
    if (pid === undefined) return;
    this.resume();
    signalProcess(pid, 'SIGQUIT');
    for (let waitedMs = 0; waitedMs < 3000 && isRunning(pid); waitedMs += 10) sleepBlocking(10);
    if (isRunning(pid)) this.#killAll();
  }

  /** Not detached: a Ctrl-C in a terminal reaches the server too, and means a fast shutdown to it. */
  #spawn(): ChildProcess {
    const log = openSync(this.logFile, 'a');
    const child = spawn(this.#options.postgres, ['-D', this.directory, '-p', String(this.port)], {
      cwd: this.directory, env: serverEnvironment, stdio: ['ignore', log, log], ...spawnIdentity(this.#options.identity),
    });
    closeSync(log);
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      const gone = (): void => {
        if (this.#child === child) this.#child = undefined;
        this.#paused = [];
        resolve();
      };
      child.once('exit', gone);
      child.once('error', gone);
    });
    return child;
  }

  /**
   * postmaster.pid: line 1 the process id (an old file may be left from a crash), line 8 the state, as pg_ctl reads
   * it (src/include/utils/pidfile.h). "ready" means that connections are accepted, on a standby too.
   */
  async #isReady(child: ChildProcess): Promise<boolean> {
    const lines = (await readFile(join(this.directory, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
    return Number(lines[0]) === child.pid && lines[7]?.trim() === 'ready';
  }

  #killAll(): void {
    if (this.pid === undefined) return;
    const pids = [this.pid, ...childrenOf(this.pid)];
    for (const pid of pids) signalProcess(pid, 'SIGKILL');
  }
}
