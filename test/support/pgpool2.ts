/** Starts Debian's Pgpool-II 4.3 for a test that compares pgloom with it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, closeSync, existsSync, fstatSync, mkdtempSync, openSync, readdirSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../src/main/demo/free-port.js';
import { onProcessEnd } from '../../src/main/demo/process-end.js';
import { serverIdentity, spawnIdentity } from '../../src/main/demo/unprivileged.js';
import { sharedCluster } from './cluster.js';
import { formatSettings } from './pgloom.js';

const program = '/usr/sbin/pgpool';
const startLimitMs = 30_000;
const stopLimitMs = 10_000;

/** Why tests that need it are skipped, or false. */
export const noPgpool2: string | false = existsSync(program) ? false : `${program} is not installed (Debian: apt install pgpool2)`;

export interface Pgpool2Options {
  /** The servers, in the order of their ids; those of the shared cluster by default. */
  readonly nodes?: readonly { readonly host: string; readonly port: number }[];
  /** Settings of pgpool.conf, over what `startPgpool2` writes. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  /** Text of pool_hba.conf; without it everybody is let in. */
  readonly hba?: string;
  /** Text of pcp.conf. */
  readonly pcp?: string;
  /** Text of pool_passwd; without it there is none. */
  readonly poolPasswd?: string;
  /** What the entries of pool_passwd are encrypted with. */
  readonly poolKey?: string;
  /** PEM files; without them it has no TLS. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly authority: string };
}

export interface Pgpool2 {
  readonly host: string;
  readonly port: number;
  readonly pcpPort: number;
  /** Holds the Unix sockets. */
  readonly directory: string;
  /** All that it has logged. */
  log(): string;
  /** Length of its log in bytes: what it has written before a question need not be read again. */
  logLength(): number;
  /** The log from there on. */
  logFrom(fromByte: number): string;
  /** Resolves when it has ended. */
  readonly exited: Promise<void>;
  /** SIGINT, its fast shutdown, and SIGKILL when it does not end; removes its directory. */
  stop(): Promise<void>;
}

/** Resolves when it accepts connections. */
export async function startPgpool2(options: Pgpool2Options = {}): Promise<Pgpool2> {
  const [port, pcpPort] = [await freePort(), await freePort()];
  const directory = mkdtempSync(join(tmpdir(), 'pgpool2-'));
  const args = writeFiles(directory, options, { ...ownSettings(directory, options), port, pcp_port: pcpPort, ...options.settings });
  const log = openSync(join(directory, 'log'), 'a+');
  const account = serverIdentity();
  chmodSync(directory, 0o755);
  if (account !== undefined) for (const path of [directory, ...readdirSync(directory).map((name) => join(directory, name))]) chownSync(path, account.uid, account.gid);
  // It and its children are a process group of their own.
  const child = spawn(program, args, { cwd: directory, stdio: ['ignore', log, log], detached: true, ...spawnIdentity(account) });
  const exited = new Promise<void>((resolve) => { child.once('exit', () => resolve()); child.once('error', () => resolve()); });
  const forget = onProcessEnd(() => { signalGroup(child, 'SIGINT'); rmSync(directory, { recursive: true, force: true }); });
  const logFrom = (fromByte: number): string => {
    const bytes = Buffer.alloc(fstatSync(log).size - fromByte);
    readSync(log, bytes, 0, bytes.length, fromByte);
    return bytes.toString('utf8');
  };
  const pgpool2: Pgpool2 = {
    host: '127.0.0.1', port, pcpPort, directory, log: () => logFrom(0), logLength: () => fstatSync(log).size, logFrom, exited,
    stop: async () => {
      if (!hasEnded(child)) child.kill('SIGINT');
      const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), stopLimitMs);
      await exited;
      clearTimeout(timer);
      closeSync(log);
      rmSync(directory, { recursive: true, force: true });
      forget();
    },
  };
  await untilReady(child, pgpool2);
  return pgpool2;
}

/** @returns the arguments that name the files */
function writeFiles(directory: string, { hba = '', pcp = '', poolPasswd, poolKey, tls }: Pgpool2Options, settings: NonNullable<Pgpool2Options['settings']>): string[] {
  const file = (name: string, text: string | Uint8Array): string => {
    writeFileSync(join(directory, name), text, { mode: 0o600 });
    return join(directory, name);
  };
  if (poolPasswd !== undefined) file('pool_passwd', poolPasswd);
  for (const [name, pem] of Object.entries(tls ?? {})) file(name, readFileSync(pem));
  const args = ['-n', '-D', '-f', file('pgpool.conf', formatSettings(settings)), '-F', file('pcp.conf', pcp), '-a', file('pool_hba.conf', hba)];
  return poolKey === undefined ? args : [...args, '-k', file('pgpoolkey', `${poolKey}\n`)];
}

function ownSettings(directory: string, { nodes = sharedCluster().nodes, hba, poolPasswd, tls }: Pgpool2Options): Record<string, string | number | boolean> {
  return {
    listen_addresses: '127.0.0.1', socket_dir: directory, pcp_listen_addresses: '127.0.0.1', pcp_socket_dir: directory, wd_ipc_socket_dir: directory,
    logdir: directory, pid_file_name: join(directory, 'pgpool.pid'),
    backend_clustering_mode: 'streaming_replication', sr_check_period: 0, sr_check_user: 'postgres', health_check_period: 0, health_check_user: 'postgres',
    enable_pool_hba: hba !== undefined, pool_passwd: poolPasswd === undefined ? '' : 'pool_passwd',
    ...(tls !== undefined && { ssl: true, ssl_cert: join(directory, 'cert'), ssl_key: join(directory, 'key'), ssl_ca_cert: join(directory, 'authority') }),
    ...Object.fromEntries(nodes.flatMap((node, id) => [[`backend_hostname${id}`, node.host], [`backend_port${id}`, node.port], [`backend_weight${id}`, 1]] as const)),
  };
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid !== undefined && !hasEnded(child)) process.kill(-child.pid, signal);
}

async function untilReady(child: ChildProcess, pgpool2: Pgpool2): Promise<void> {
  for (const deadlineMs = Date.now() + startLimitMs; !pgpool2.log().includes('pgpool-II successfully started'); await sleep(50)) {
    if (!hasEnded(child) && Date.now() < deadlineMs) continue;
    const text = pgpool2.log();
    await pgpool2.stop();
    throw new Error(`Pgpool-II did not start:\n${text}`);
  }
}
