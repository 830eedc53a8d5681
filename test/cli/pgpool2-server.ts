/** Debian's Pgpool-II in front of the shared cluster, with a PCP port. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, chownSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../src/main/demo/free-port.js';
import { onProcessEnd } from '../../src/main/demo/process-end.js';
import { serverIdentity, spawnIdentity } from '../../src/main/demo/unprivileged.js';
import { sharedCluster } from '../support/cluster.js';

const program = '/usr/sbin/pgpool';
const startLimitMs = 30_000;
const stopLimitMs = 10_000;

export const pcpUser = 'operator';
export const pcpPassword = 'a secret';

export interface Pgpool2Server {
  readonly port: number;
  readonly pcpPort: number;
  /** Holds the Unix socket of the PCP port. */
  readonly directory: string;
  /** All that it has logged. */
  log(): string;
  /** Resolves when it has ended. */
  readonly exited: Promise<void>;
  stop(): Promise<void>;
}

/** Resolves when it accepts connections. */
export async function startPgpool2Server(settings: Readonly<Record<string, string | number>> = {}): Promise<Pgpool2Server> {
  const directory = mkdtempSync(join(tmpdir(), 'pgloom-pcp-server-'));
  chmodSync(directory, 0o755);
  const [port, pcpPort] = [await freePort(), await freePort()];
  const file = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  };
  const conf = file('pgpool.conf', confText({ ...defaultSettings(directory, port, pcpPort), ...settings }));
  const pcp = file('pcp.conf', `${pcpUser}:${createHash('md5').update(pcpPassword).digest('hex')}\n`);
  const hba = file('pool_hba.conf', '');
  const logFile = file('log', '');
  const log = openSync(logFile, 'a');
  const account = serverIdentity();
  if (account !== undefined) for (const path of [directory, conf, pcp, hba, logFile]) chownSync(path, account.uid, account.gid);
  const child = spawn(program, ['-n', '-D', '-f', conf, '-F', pcp, '-a', hba], { cwd: directory, stdio: ['ignore', log, log], detached: true, ...spawnIdentity(account) });
  closeSync(log);
  const exited = new Promise<void>((resolve) => { child.once('exit', () => resolve()); child.once('error', () => resolve()); });
  const forget = onProcessEnd(() => { signalAll(child, 'SIGINT'); rmSync(directory, { recursive: true, force: true }); });
  const stop = async (): Promise<void> => {
    await end(child, exited);
    rmSync(directory, { recursive: true, force: true });
    forget();
  };
  try {
    await untilReady(child, logFile);
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, pcpPort, directory, log: () => readFileSync(logFile, 'utf8'), exited, stop };
}

function defaultSettings(directory: string, port: number, pcpPort: number): Record<string, string | number> {
  const backends = sharedCluster().nodes.flatMap((node, id) => [
    [`backend_hostname${id}`, node.host], [`backend_port${id}`, node.port], [`backend_weight${id}`, id + 1], [`backend_application_name${id}`, `node${id}`],
  ] as const);
  return {
    listen_addresses: '127.0.0.1', port, socket_dir: directory,
    pcp_listen_addresses: '127.0.0.1', pcp_port: pcpPort, pcp_socket_dir: directory, wd_ipc_socket_dir: directory,
    logdir: directory, pid_file_name: join(directory, 'pgpool.pid'),
    num_init_children: 3, max_pool: 1,
    backend_clustering_mode: 'streaming_replication', sr_check_period: 1, sr_check_user: 'postgres',
    health_check_period: 0, health_check_user: 'postgres', search_primary_node_timeout: 5, connection_life_time: 0, child_life_time: 0,
    enable_pool_hba: 'off', pool_passwd: '',
    ...Object.fromEntries(backends),
  };
}

function confText(settings: Readonly<Record<string, string | number>>): string {
  return Object.entries(settings).map(([name, value]) => (typeof value === 'number' ? `${name} = ${value}\n` : `${name} = '${value}'\n`)).join('');
}

async function untilReady(child: ChildProcess, logFile: string): Promise<void> {
  for (const deadlineMs = Date.now() + startLimitMs; ;) {
    const text = readFileSync(logFile, 'utf8');
    if (text.includes('pgpool-II successfully started')) return;
    if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadlineMs) throw new Error(`Pgpool-II did not start:\n${text}`);
    await sleep(50);
  }
}

/** It and its children: they are a process group of their own. */
function signalAll(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  process.kill(-child.pid, signal);
}

/** SIGINT is its fast shutdown. */
async function end(child: ChildProcess, exited: Promise<void>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT');
  const timer = setTimeout(() => signalAll(child, 'SIGKILL'), stopLimitMs);
  await exited;
  clearTimeout(timer);
}
