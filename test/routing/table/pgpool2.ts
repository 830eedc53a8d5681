/** Starts Debian's Pgpool-II in front of the shared cluster, so that it can be asked where it sends a statement. */
import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, closeSync, existsSync, fstatSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../../src/main/demo/free-port.js';
import { onProcessEnd } from '../../../src/main/demo/process-end.js';
import { sharedCluster } from '../../support/cluster.js';

const program = '/usr/sbin/pgpool';
const startLimitMs = 30_000;
const stopLimitMs = 10_000;

export function isPgpool2Installed(): boolean {
  return existsSync(program);
}

export interface Pgpool2 {
  readonly port: number;
  /** Length of its log in bytes: what it has written before a question need not be read again. */
  logLength(): number;
  /** The lines from there on that a session with this application_name has caused. */
  logLines(application: string, fromByte: number): string[];
  stop(): Promise<void>;
}

/** Starts Pgpool-II 4.3 with these settings over those that every row has. Resolves when it accepts connections. */
export async function startPgpool2(settings: Readonly<Record<string, string | number | boolean>>): Promise<Pgpool2> {
  const directory = mkdtempSync(join(tmpdir(), 'pgloom-oracle-'));
  chmodSync(directory, 0o755);
  const port = await freePort();
  const logFile = join(directory, 'log');
  const files = { conf: join(directory, 'pgpool.conf'), pcp: join(directory, 'pcp.conf'), hba: join(directory, 'pool_hba.conf') };
  writeFileSync(files.conf, confText({ ...await ownSettings(directory, port), ...settings }));
  writeFileSync(files.pcp, '');
  writeFileSync(files.hba, '');
  const log = openSync(logFile, 'a+');
  const account = unprivileged();
  if (account !== null) for (const file of [directory, logFile, ...Object.values(files)]) chownSync(file, account.uid, account.gid);
  const args = ['-n', '-D', '-f', files.conf, '-F', files.pcp, '-a', files.hba];
  const child = spawn(program, args, { cwd: directory, stdio: ['ignore', log, log], detached: true, ...account });
  const exited = new Promise<void>((resolve) => { child.once('exit', () => resolve()); child.once('error', () => resolve()); });
  const forget = onProcessEnd(() => { signalAll(child, 'SIGINT'); rmSync(directory, { recursive: true, force: true }); });
  const stop = async (): Promise<void> => {
    await end(child, exited);
    closeSync(log);
    rmSync(directory, { recursive: true, force: true });
    forget();
  };
  try {
    await untilReady(child, logFile);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    port,
    logLength: () => fstatSync(log).size,
    logLines: (application, fromByte) => {
      const bytes = Buffer.alloc(fstatSync(log).size - fromByte);
      readSync(log, bytes, 0, bytes.length, fromByte);
      return bytes.toString('utf8').split('\n').filter((line) => line.startsWith(`${application}|`)).map((line) => line.slice(application.length + 1));
    },
    stop,
  };
}

async function ownSettings(directory: string, port: number): Promise<Record<string, string | number | boolean>> {
  const backends = sharedCluster().nodes.flatMap((node, id) => [
    [`backend_hostname${id}`, node.host], [`backend_port${id}`, node.port], [`backend_weight${id}`, id === 1 ? 1 : 0],
  ] as const);
  return {
    listen_addresses: '127.0.0.1', port, socket_dir: directory,
    pcp_port: await freePort(), pcp_socket_dir: directory, wd_ipc_socket_dir: directory,
    logdir: directory, pid_file_name: join(directory, 'pgpool.pid'),
    num_init_children: 8, max_pool: 2,
    backend_clustering_mode: 'streaming_replication', load_balance_mode: true,
    sr_check_period: 0, sr_check_user: 'postgres', health_check_period: 0,
    enable_pool_hba: false, pool_passwd: '',
    log_per_node_statement: true, log_line_prefix: '%a|',
    ...Object.fromEntries(backends),
  };
}

function confText(settings: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(settings).map(([name, value]) => {
    if (typeof value === 'boolean') return `${name} = ${value ? 'on' : 'off'}\n`;
    return typeof value === 'number' ? `${name} = ${value}\n` : `${name} = '${value}'\n`;
  }).join('');
}

/** As root it is run as `postgres` or `nobody`. */
function unprivileged(): { uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n').map((line) => line.split(':'));
  const fields = lines.find(([name]) => name === 'postgres') ?? lines.find(([name]) => name === 'nobody');
  return fields === undefined ? null : { uid: Number(fields[2]), gid: Number(fields[3]) };
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
