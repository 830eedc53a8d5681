import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { processTree, procIsThere } from '../proc-cpu.js';
import type { Account } from '../programs.js';
import { RawClient, type Login } from '../raw-client.js';
import { registerUndo } from '../scratch.js';
import type { RunningTarget } from './target.js';

/** How to run a proxy in the foreground. */
export interface ProxyCommand {
  readonly program: string;
  readonly args: readonly string[];
  /** Scratch directory for its log and files. */
  readonly directory: string;
  /** Whom to run it as; null = as we are. */
  readonly account: Account | null;
  /** The signal on which it drops its clients and ends. */
  readonly stopSignal: NodeJS.Signals;
  readonly login: Login;
}

/** A TCP port of 127.0.0.1 that nobody listens on at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

function endOf(logFile: string): string {
  return readFileSync(logFile, 'utf8').trim().split('\n').slice(-6).join('\n');
}

function killAll(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // ended by itself
    }
  }
}

/** One login and one query; the raw client knows no passwords. */
async function askOnce(login: Login): Promise<void> {
  if (login.password === undefined) {
    const client = await RawClient.connect(login, 5000);
    await client.query('SELECT 1');
    client.end();
    return;
  }
  const { encrypted, ...where } = login;
  const client = new Client({
    ...where, connectionTimeoutMillis: 5000, ssl: encrypted === true ? { rejectUnauthorized: false } : false,
  });
  client.on('error', () => {}); // a proxy that ends meanwhile; the query tells
  await client.connect();
  await client.query('SELECT 1');
  await client.end();
}

/**
 * Starts a proxy and waits until it answers a query.
 * @throws Error with the last lines of its log when it ends or stays silent for 30 s.
 */
export async function startProxy(command: ProxyCommand): Promise<RunningTarget> {
  const logFile = path.join(command.directory, 'log');
  const log = openSync(logFile, 'a');
  const owner = command.account === null ? {} : { uid: command.account.uid, gid: command.account.gid };
  // Its own process group: a Ctrl-C at the terminal reaches the bench alone, which stops things in order.
  const child = spawn(command.program, command.args, {
    cwd: command.directory, stdio: ['ignore', log, log], detached: true, ...owner,
  });
  closeSync(log);
  let failure: string | null = null;
  const exited = new Promise<void>((resolve) => {
    child.on('error', (error) => ((failure = String(error)), resolve()));
    child.on('exit', (code, signal) => ((failure = `ended with ${code ?? signal}`), resolve()));
  });
  const stop = registerUndo(async () => {
    if (failure !== null || child.pid === undefined) return;
    const pids = procIsThere ? processTree(child.pid).map((stat) => stat.pid) : [child.pid];
    child.kill(command.stopSignal);
    await Promise.race([exited, sleep(5000)]);
    if (failure === null) killAll(pids);
    await exited;
  });

  const deadline = Date.now() + 30_000;
  for (;;) {
    try {
      await askOnce(command.login);
      return { login: command.login, pid: child.pid ?? null, stop };
    } catch (error) {
      if (failure === null && Date.now() < deadline) {
        await sleep(100);
        continue;
      }
      await stop();
      throw new Error(`${command.program} ${failure ?? String(error)}\n${endOf(logFile)}`, { cause: error });
    }
  }
}
