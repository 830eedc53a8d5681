/** Debian's Pgpool-II with pool_hba.conf, pool_passwd, key and certificate of the matrix. */
import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, closeSync, copyFileSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../src/main/demo/free-port.js';
import { onProcessEnd } from '../../src/main/demo/process-end.js';
import { serverIdentity, spawnIdentity } from '../../src/main/demo/unprivileged.js';

const program = '/usr/sbin/pgpool';
const startLimitMs = 30_000;
const stopLimitMs = 10_000;

/** Why it cannot run, or false. */
export const noPgpool2: string | false = existsSync(program) ? false : `${program} is not installed (Debian's pgpool2)`;

export interface Pgpool2Options {
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  /** Text of pool_hba.conf; undefined: enable_pool_hba is off. */
  readonly hba?: string;
  readonly poolPasswd: string;
  /** Of `.pgpoolkey`. */
  readonly poolKey: string;
  readonly tls: { readonly cert: string; readonly key: string; readonly authority: string };
  readonly settings?: Readonly<Record<string, string>>;
}

export interface Pgpool2 {
  readonly port: number;
  log(): string;
  stop(): Promise<void>;
}

/** Resolves when it accepts connections. */
export async function startPgpool2(options: Pgpool2Options): Promise<Pgpool2> {
  const directory = mkdtempSync(join(tmpdir(), 'pgloom-matrix-'));
  const account = serverIdentity();
  const own = (path: string, mode = 0o644): string => {
    chmodSync(path, mode);
    if (account !== undefined) chownSync(path, account.uid, account.gid);
    return path;
  };
  const file = (name: string, text: string, mode?: number): string => {
    writeFileSync(join(directory, name), text);
    return own(join(directory, name), mode);
  };
  const copy = (from: string, name: string, mode?: number): string => {
    copyFileSync(from, join(directory, name));
    return own(join(directory, name), mode);
  };
  own(directory, 0o755);
  const port = await freePort();
  const conf = file('pgpool.conf', confText({
    ...await baseSettings(directory, port, options),
    ssl_cert: copy(options.tls.cert, 'server.crt'), ssl_key: copy(options.tls.key, 'server.key', 0o600), ssl_ca_cert: copy(options.tls.authority, 'ca.crt'),
    ...options.settings,
  }));
  file('pool_passwd', options.poolPasswd, 0o600);
  const keyFile = file('pgpoolkey', `${options.poolKey}\n`, 0o600);
  const args = ['-n', '-D', '-f', conf, '-F', file('pcp.conf', ''), '-a', file('pool_hba.conf', options.hba ?? ''), '-k', keyFile];
  const logFile = file('log', '');
  const log = openSync(logFile, 'a');
  const child = spawn(program, args, { cwd: directory, stdio: ['ignore', log, log], detached: true, ...spawnIdentity(account) });
  closeSync(log);
  const logText = (): string => readFileSync(logFile, 'utf8');
  const server = manage(child, directory, logText);
  await server.ready();
  return { port, log: logText, stop: server.stop };
}

async function baseSettings(directory: string, port: number, options: Pgpool2Options): Promise<Record<string, string>> {
  return {
    listen_addresses: '127.0.0.1', port: String(port), socket_dir: directory,
    pcp_listen_addresses: '127.0.0.1', pcp_port: String(await freePort()), pcp_socket_dir: directory, wd_ipc_socket_dir: directory,
    logdir: directory, pid_file_name: join(directory, 'pgpool.pid'),
    // One child, so that the second login finds the link of the first.
    num_init_children: '1', max_pool: '4',
    backend_clustering_mode: 'streaming_replication', sr_check_period: '0', sr_check_user: 'postgres', health_check_period: '0',
    enable_pool_hba: options.hba === undefined ? 'off' : 'on', pool_passwd: 'pool_passwd', ssl: 'on',
    ...Object.fromEntries(options.nodes.flatMap(({ host, port: nodePort }, id) => [
      [`backend_hostname${id}`, host], [`backend_port${id}`, String(nodePort)], [`backend_weight${id}`, '1'],
    ] as const)),
  };
}

function confText(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings).map(([name, value]) => `${name} = ${/^\d+$/.test(value) ? value : `'${value}'`}\n`).join('');
}

function manage(child: ChildProcess, directory: string, log: () => string): { ready(): Promise<void>; stop(): Promise<void> } {
  const exited = new Promise<void>((resolve) => { child.once('exit', () => resolve()); child.once('error', () => resolve()); });
  const ended = (): boolean => child.exitCode !== null || child.signalCode !== null;
  // It and its children are a process group of their own.
  const signalAll = (signal: NodeJS.Signals): void => {
    if (child.pid !== undefined && !ended()) process.kill(-child.pid, signal);
  };
  const forget = onProcessEnd(() => { signalAll('SIGINT'); rmSync(directory, { recursive: true, force: true }); });
  const stop = async (): Promise<void> => {
    // SIGINT is its fast shutdown.
    if (!ended()) child.kill('SIGINT');
    const timer = setTimeout(() => signalAll('SIGKILL'), stopLimitMs);
    await exited;
    clearTimeout(timer);
    rmSync(directory, { recursive: true, force: true });
    forget();
  };
  const ready = async (): Promise<void> => {
    for (const deadlineMs = Date.now() + startLimitMs; !log().includes('pgpool-II successfully started'); await sleep(50)) {
      if (!ended() && Date.now() < deadlineMs) continue;
      const text = log();
      await stop();
      throw new Error(`Pgpool-II did not start:\n${text}`);
    }
  };
  return { ready, stop };
}
