/** Debian's Pgpool-II with a PCP port, for a comparison with pgloom on the same servers. */
import { spawn } from 'node:child_process';
import { chmodSync, chownSync, closeSync, existsSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../src/main/demo/free-port.js';
import { onProcessEnd } from '../../src/main/demo/process-end.js';

const program = '/usr/sbin/pgpool';
const startLimitMs = 30_000;
const stopLimitMs = 10_000;

/** Why tests that need it are skipped, or false. */
export const noDebianPgpool: string | false = existsSync(program) ? false : `${program} is not installed (Debian's pgpool2)`;

export interface DebianPgpool {
  readonly host: string;
  readonly port: number;
  readonly pcpPort: number;
  /** Holds the sockets. */
  readonly directory: string;
  log(): string;
  stop(): Promise<void>;
}

export type Settings = Readonly<Record<string, string | number | boolean>>;

/** Settings that both have, with the same names in 4.3 and now. */
export function commonSettings(nodes: readonly { readonly host: string; readonly port: number }[]): Settings {
  return {
    num_init_children: 4, max_pool: 3, backend_clustering_mode: 'streaming_replication', load_balance_mode: true,
    sr_check_period: 1, sr_check_user: 'postgres', health_check_period: 1, health_check_user: 'postgres',
    // The defaults of some differ.
    failover_on_backend_error: false, failover_on_backend_shutdown: false,
    wd_lifecheck_user: 'nobody', enable_pool_hba: false, log_pcp_processes: true,
    ...Object.fromEntries(nodes.flatMap(({ host, port }, id) => [
      [`backend_hostname${id}`, host], [`backend_port${id}`, port], [`backend_weight${id}`, id + 1],
      [`backend_application_name${id}`, `server${id}`], [`backend_flag${id}`, 'ALLOW_TO_FAILOVER'],
      [`backend_data_directory${id}`, `/data${id}`],
    ] as const)),
  };
}

/** Starts it and resolves when it accepts connections. @param pcp text of pcp.conf */
export async function startDebianPgpool(settings: Settings, pcp: string): Promise<DebianPgpool> {
  const directory = mkdtempSync(join(tmpdir(), 'pgloom-d-'));
  chmodSync(directory, 0o755);
  const [port, pcpPort] = [await freePort(), await freePort()];
  const all: Settings = {
    listen_addresses: '127.0.0.1', port, socket_dir: directory, pcp_listen_addresses: '127.0.0.1', pcp_port: pcpPort, pcp_socket_dir: directory,
    wd_ipc_socket_dir: directory, logdir: directory, pid_file_name: join(directory, 'pgpool.pid'), pool_passwd: 'pool_passwd', log_line_prefix: '%a|', ...settings,
  };
  const file = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  };
  const conf = file('pgpool.conf', Object.entries(all).map(([name, value]) => `${name} = ${typeof value === 'string' ? `'${value}'` : typeof value === 'boolean' ? (value ? 'on' : 'off') : value}\n`).join(''));
  const args = ['-n', '-D', '-f', conf, '-F', file('pcp.conf', pcp), '-a', file('pool_hba.conf', '')];
  // Without it every check warns that it has no password.
  file('pool_passwd', 'postgres:unused\n');
  const logFile = file('log', '');
  const log = openSync(logFile, 'a');
  const account = unprivileged();
  if (account !== null) for (const path of [directory, ...readdirSync(directory).map((name) => join(directory, name))]) chownSync(path, account.uid, account.gid);
  const child = spawn(program, args, { cwd: directory, stdio: ['ignore', log, log], detached: true, ...account });
  closeSync(log);
  const exited = new Promise<void>((resolve) => { child.once('exit', () => resolve()); child.once('error', () => resolve()); });
  const signalGroup = (signal: NodeJS.Signals): void => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) process.kill(-child.pid, signal);
  };
  const forget = onProcessEnd(() => { signalGroup('SIGINT'); rmSync(directory, { recursive: true, force: true }); });
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT');
    const timer = setTimeout(() => signalGroup('SIGKILL'), stopLimitMs);
    await exited;
    clearTimeout(timer);
    rmSync(directory, { recursive: true, force: true });
    forget();
  };
  for (const deadlineMs = Date.now() + startLimitMs; !readFileSync(logFile, 'utf8').includes('pgpool-II successfully started'); await sleep(50)) {
    if (child.exitCode === null && child.signalCode === null && Date.now() < deadlineMs) continue;
    const text = readFileSync(logFile, 'utf8');
    await stop();
    throw new Error(`Pgpool-II did not start:\n${text}`);
  }
  return { host: '127.0.0.1', port, pcpPort, directory, log: () => readFileSync(logFile, 'utf8'), stop };
}

/** Pgpool-II does not mind root; its files should not belong to it all the same. */
function unprivileged(): { uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n').map((line) => line.split(':'));
  const fields = lines.find(([name]) => name === 'postgres') ?? lines.find(([name]) => name === 'nobody');
  return fields === undefined ? null : { uid: Number(fields[2]), gid: Number(fields[3]) };
}
