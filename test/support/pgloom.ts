/** Starts the real `pgpool` command for a test. */
import { spawn, type ChildProcess } from 'node:child_process';
import { connect } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client, type ClientConfig } from 'pg';
import { freePort } from '../../src/main/demo/free-port.js';
import { onProcessEnd } from '../../src/main/demo/process-end.js';
import { sharedCluster } from './cluster.js';

export interface PgloomOptions {
  /** The servers, in the order of their ids; those of the shared cluster by default. */
  readonly nodes?: readonly { readonly host: string; readonly port: number }[];
  /** Settings of pgpool.conf, over what `startPgloom` writes. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  /** Text of pool_hba.conf; everybody is trusted by default. */
  readonly hba?: string;
  /** Text of pool_passwd. */
  readonly poolPasswd?: string;
  /** Text of pcp.conf. */
  readonly pcp?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Pgloom {
  readonly host: string;
  readonly port: number;
  readonly pcpPort: number;
  /** Holds the Unix sockets. */
  readonly socketDirectory: string;
  /** Holds pgpool.conf and the other files; removed by stop(). */
  readonly directory: string;
  readonly configFile: string;
  readonly pid: number;
  /** All that it has written to its standard error so far. */
  stderr(): string;
  signal(signal: NodeJS.Signals): void;
  /** Resolves with the exit status, 128 + 9 and the like when a signal killed it. */
  readonly exited: Promise<number>;
  /** SIGINT, and SIGKILL when it does not end; removes its directory. */
  stop(): Promise<void>;
}

const command = fileURLToPath(new URL('../../src/main/pgpool.js', import.meta.url));
const startLimitMs = 30_000;
/** log_min_messages with which nothing tells of the start; with logging_collector it is told elsewhere. */
const silent: readonly unknown[] = ['fatal', 'panic'];
const stopLimitMs = 10_000;
const killStatus = 128 + 9;

/** Starts pgloom in front of the nodes and resolves when it accepts connections. */
export async function startPgloom(options: PgloomOptions = {}): Promise<Pgloom> {
  for (let attempt = 1; ; attempt++) {
    const pgloom = await launch(options);
    const { settings = {} } = options;
    const isSilent = silent.includes(settings['log_min_messages']) || settings['logging_collector'] === true;
    const problem = await readinessProblem(pgloom, isSilent);
    if (problem === undefined) return pgloom;
    await pgloom.stop();
    // Another process may have taken the port between our look and pgloom's bind; a port set by the test stays.
    if (!pgloom.stderr().includes('EADDRINUSE') || options.settings?.['port'] !== undefined || attempt === 3) {
      throw new Error(`pgloom ${problem}:\n${pgloom.stderr()}`);
    }
  }
}

/** Runs `use` with a connected client of the `pg` driver and ends it afterwards. */
export async function withClient<T>(
  pgloom: Pick<Pgloom, 'host' | 'port'>, use: (client: Client) => Promise<T>, config: ClientConfig = {},
): Promise<T> {
  const client = new Client({
    host: pgloom.host, port: pgloom.port, user: 'postgres', database: 'test', connectionTimeoutMillis: 20_000, ...config,
  });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

async function launch(options: PgloomOptions): Promise<Pgloom> {
  const directory = mkdtempSync(join(tmpdir(), 'pgloom-test-'));
  const settings = await defaultSettings(directory, options);
  const configFile = join(directory, 'pgpool.conf');
  writeFileSync(configFile, formatSettings(settings));
  writeFileSync(join(directory, 'pool_hba.conf'), options.hba ?? 'local all all trust\nhost all all all trust\n');
  writeFileSync(join(directory, 'pcp.conf'), options.pcp ?? '');
  writeFileSync(join(directory, 'pool_passwd'), options.poolPasswd ?? '', { mode: 0o600 });

  const child = spawn(process.execPath, [
    command, '-n', '-f', configFile, '-F', join(directory, 'pcp.conf'), '-a', join(directory, 'pool_hba.conf'),
  ], { cwd: directory, env: { ...process.env, ...options.env }, stdio: ['ignore', 'pipe', 'pipe'] });
  return handle(child, directory, configFile, settings);
}

function handle(child: ChildProcess, directory: string, configFile: string, settings: Record<string, unknown>): Pgloom {
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => { text += chunk; });
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => { text += chunk; });
  // `close` comes after the last output, `exit` may come before it.
  const exited = new Promise<number>((resolve) => {
    child.once('error', () => resolve(-1));
    child.once('close', (code, signal) => resolve(code ?? (signal === 'SIGKILL' ? killStatus : 128)));
  });
  const removeDirectory = (): void => rmSync(directory, { recursive: true, force: true });
  const forget = onProcessEnd(() => {
    child.kill('SIGKILL');
    removeDirectory();
  });
  return {
    host: '127.0.0.1',
    port: Number(settings['port']),
    pcpPort: Number(settings['pcp_port']),
    socketDirectory: directory,
    directory,
    configFile,
    pid: child.pid ?? -1,
    stderr: () => text,
    signal: (signal) => { child.kill(signal); },
    exited,
    stop: async () => {
      child.kill('SIGINT');
      const timer = setTimeout(() => child.kill('SIGKILL'), stopLimitMs);
      await exited;
      clearTimeout(timer);
      removeDirectory();
      forget();
    },
  };
}

async function defaultSettings(directory: string, options: PgloomOptions): Promise<Record<string, string | number | boolean>> {
  const backends = (options.nodes ?? sharedCluster().nodes).flatMap((node, id) => [
    [`backend_hostname${id}`, node.host], [`backend_port${id}`, node.port], [`backend_weight${id}`, 1],
    [`backend_flag${id}`, 'ALLOW_TO_FAILOVER'], [`backend_application_name${id}`, `server${id}`],
  ] as const);
  return {
    listen_addresses: '127.0.0.1',
    port: await freePort(),
    unix_socket_directories: directory,
    pcp_listen_addresses: '127.0.0.1',
    pcp_port: await freePort(),
    pcp_socket_dir: directory,
    pid_file_name: join(directory, 'pgpool.pid'),
    work_dir: directory,
    pool_passwd: join(directory, 'pool_passwd'),
    enable_pool_hba: options.hba !== undefined,
    backend_clustering_mode: 'streaming_replication',
    load_balance_mode: true,
    sr_check_user: 'postgres',
    sr_check_period: 1,
    health_check_user: 'postgres',
    log_destination: 'stderr',
    ...Object.fromEntries(backends),
    ...options.settings,
  };
}

/** Lines of pgpool.conf. */
export function formatSettings(settings: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(settings).map(([name, value]) => {
    if (typeof value === 'boolean') return `${name} = ${value ? 'on' : 'off'}\n`;
    if (typeof value === 'number') return `${name} = ${value}\n`;
    return `${name} = '${value.replaceAll("'", "''")}'\n`;
  }).join('');
}

/**
 * Waits until pgloom says that it is ready; undefined then, otherwise what went wrong.
 * @param isSilent it will not say so: it is asked by a connection, which shows in its counters
 */
async function readinessProblem(pgloom: Pgloom, isSilent: boolean): Promise<string | undefined> {
  let status: number | undefined;
  void pgloom.exited.then((code) => { status = code; });
  const startedMs = Date.now();
  for (let waitedMs = 0; waitedMs < startLimitMs; waitedMs = Date.now() - startedMs) {
    if (status !== undefined) return `ended with status ${status}`;
    if (pgloom.stderr().includes('pgloom is ready')) return undefined;
    if (isSilent && await accepts(pgloom.port)) return undefined;
    await sleep(20);
  }
  return `was not ready after ${startLimitMs / 1000} s`;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => { socket.destroy(); resolve(true); });
    socket.once('error', () => resolve(false));
  });
}
