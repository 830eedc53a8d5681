/** Starts the `pgpool` command with a standard error of the test's choice and a directory for log files. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../src/main/demo/free-port.js';
import { onProcessEnd } from '../../src/main/demo/process-end.js';
import { sharedCluster } from '../support/cluster.js';

type Settings = Readonly<Record<string, string | number | boolean>>;

export interface Launched {
  readonly host: string;
  readonly port: number;
  readonly pcpPort: number;
  readonly pid: number;
  readonly directory: string;
  /** What log_directory says, unless the test says otherwise. */
  readonly logs: string;
  readonly child: ChildProcess;
  readonly exited: Promise<number>;
  /** Standard error as far as it is a pipe to us. */
  stderr(): string;
  /** The log files in the order of their names, one behind the other. */
  log(directory?: string): string;
  /** Writes the configuration anew and sends SIGHUP. */
  reload(change: Settings): void;
}

const command = fileURLToPath(new URL('../../src/main/pgpool.js', import.meta.url));
const limitMs = 20_000;

/** Starts it; ended with the test. With `untilReady` false it may be a start that fails. */
export async function launch(t: TestContext, settings: Settings, options: { readonly stdio?: StdioOptions; readonly untilReady?: boolean; readonly env?: NodeJS.ProcessEnv } = {}): Promise<Launched> {
  const directory = mkdtempSync(path.join(tmpdir(), 'pgloom-logs-'));
  const logs = path.join(directory, 'logs');
  const port = await freePort();
  const pcpPort = await freePort();
  const configFile = path.join(directory, 'pgpool.conf');
  const own: Settings = {
    listen_addresses: '127.0.0.1', port, unix_socket_directories: directory, pid_file_name: path.join(directory, 'pid'), pool_passwd: '',
    pcp_port: pcpPort, pcp_socket_dir: directory, work_dir: directory,
    backend_hostname0: '127.0.0.1', backend_port0: sharedCluster().nodes[0]?.port ?? 0, sr_check_user: 'postgres', sr_check_period: 0,
    num_init_children: 8, log_directory: logs, ...settings,
  };
  writeFileSync(configFile, confText(own));
  writeFileSync(path.join(directory, 'pool_hba.conf'), '');
  // The MD5 of the password `admin`.
  writeFileSync(path.join(directory, 'pcp.conf'), 'admin:21232f297a57a5a743894a0e4a801fc3\n');
  const child = spawn(process.execPath, [command, '-n', '-f', configFile, '-F', path.join(directory, 'pcp.conf')], { cwd: directory, env: { ...process.env, ...options.env }, stdio: options.stdio ?? ['ignore', 'ignore', 'pipe'] });
  let text = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => { text += chunk; });
  const exited = new Promise<number>((resolve) => { child.once('close', (code) => resolve(code ?? -1)); });
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  const forget = onProcessEnd(() => { child.kill('SIGKILL'); remove(); });
  t.after(async () => {
    child.kill('SIGINT');
    const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await exited;
    clearTimeout(timer);
    remove();
    forget();
  });
  if (options.untilReady !== false) await untilAccepts(port, child, () => text);
  return {
    host: '127.0.0.1', port, pcpPort, pid: child.pid ?? -1, directory, logs, child, exited,
    stderr: () => text,
    log: (from = logs) => readdirSync(from).toSorted().map((name) => readFileSync(path.join(from, name), 'utf8')).join(''),
    reload: (change) => {
      writeFileSync(configFile, confText({ ...own, ...change }));
      child.kill('SIGHUP');
    },
  };
}

function confText(settings: Settings): string {
  return Object.entries(settings).map(([name, value]) => {
    if (typeof value === 'boolean') return `${name} = ${value ? 'on' : 'off'}\n`;
    return typeof value === 'number' ? `${name} = ${value}\n` : `${name} = '${value}'\n`;
  }).join('');
}

async function untilAccepts(port: number, child: ChildProcess, text: () => string): Promise<void> {
  for (const deadline = Date.now() + limitMs; !await accepts(port);) {
    assert.ok(child.exitCode === null && Date.now() < deadline, `pgloom did not start:\n${text()}`);
    await sleep(30);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => { socket.destroy(); resolve(true); });
    socket.once('error', () => resolve(false));
  });
}
