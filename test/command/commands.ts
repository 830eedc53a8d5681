/** Runs `pgpool`, ours or Debian's, in scratch directories for tests of the command. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../src/main/demo/free-port.js';
import { onProcessEnd } from '../../src/main/demo/process-end.js';
import { isAlive } from '../../src/main/pid-file.js';
import { eventually } from '../support/eventually.js';

export const ours = fileURLToPath(new URL('../../src/main/pgpool.js', import.meta.url));
export const debian = '/usr/sbin/pgpool';
export const noDebian = existsSync(debian) ? false : "Debian's pgpool2 is not installed";

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly uid?: number;
}

export interface Started {
  readonly child: ChildProcess;
  /** Resolves when it has ended and nobody holds its output open any more. */
  readonly ended: Promise<Ended>;
  stderr(): string;
}

/** Ends what `launch` has started and has not ended. */
const running = new Set<() => void>();

/** Starts a program; it is killed after 40 s, and when this process ends. */
export function launch(program: string, args: readonly string[], options: RunOptions = {}): Started {
  const [file, all] = program === ours ? [process.execPath, [ours, ...args]] : [program, [...args]];
  const child = spawn(file, all, {
    stdio: ['ignore', 'pipe', 'pipe'], timeout: 40_000, killSignal: 'SIGKILL',
    // A group of its own, so that its children can be ended with it.
    detached: program === debian,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    env: { ...process.env, ...options.env },
  });
  const end = (): void => {
    if (program === debian && child.pid !== undefined) killQuietly(-child.pid);
    else child.kill('SIGKILL');
  };
  running.add(end);
  const forget = onProcessEnd(end);
  const text = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => { text.stdout += chunk; });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => { text.stderr += chunk; });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => {
      running.delete(end);
      forget();
      resolve({ status, ...text });
    });
  });
  return { child, ended, stderr: () => text.stderr };
}

export function runOurs(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  return launch(ours, args, options).ended;
}

export function runDebian(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  return launch(debian, args, options).ended;
}

export interface Scratch {
  readonly directory: string;
  readonly configFile: string;
  readonly pidFile: string;
  readonly port: number;
  /** Writes pgpool.conf again, with these settings over the usual ones. */
  write(settings: Readonly<Record<string, string | number | boolean>>): void;
  /** Process id in the pid file, 0 when there is none. */
  pid(): number;
}

/**
 * Gives `use` a directory with a pgpool.conf whose files all lie in it, and kills whatever process the pid file in it
 * names afterwards.
 */
export async function withScratch(settings: Readonly<Record<string, string | number | boolean>>, use: (scratch: Scratch) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'pgloom-c-'));
  const pidFile = join(directory, 'pgpool.pid');
  const configFile = join(directory, 'pgpool.conf');
  const port = Number(settings['port'] ?? await freePort());
  const usual = { ...usualSettings(directory), port, pcp_port: await freePort(), backend_port0: await freePort() };
  const scratch: Scratch = {
    directory, configFile, pidFile, port,
    write: (more) => writeFileSync(configFile, format({ ...usual, ...settings, ...more })),
    pid: () => pidIn(pidFile),
  };
  scratch.write({});
  writeFileSync(join(directory, 'pcp.conf'), '');
  // The pid of a process that this one did not start: from a file that only this test has.
  const end = (): void => {
    const pid = pidIn(pidFile);
    if (pid > 1 && pid !== process.pid) killQuietly(pid);
    // Nothing is left but after a failure.
    for (const endOne of running) endOne();
    rmSync(directory, { recursive: true, force: true });
  };
  const forget = onProcessEnd(end);
  try {
    await use(scratch);
  } finally {
    forget();
    end();
  }
}

function usualSettings(directory: string): Record<string, string | number | boolean> {
  return {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: directory,
    pcp_listen_addresses: '127.0.0.1',
    pcp_socket_dir: directory,
    pid_file_name: join(directory, 'pgpool.pid'),
    // Debian's 4.3 knows the one name, we know both.
    logdir: directory,
    pool_passwd: '',
    backend_hostname0: '127.0.0.1',
    num_init_children: 4,
    worker_threads: 1,
    connect_timeout: 1000,
  };
}

function format(settings: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(settings).map(([key, value]) => {
    const text = typeof value === 'boolean' ? (value ? 'on' : 'off') : String(value);
    return `${key} = ${typeof value === 'string' ? `'${text}'` : text}\n`;
  }).join('');
}

function pidIn(file: string): number {
  try {
    return Number.parseInt(readFileSync(file, 'latin1'), 10) || 0;
  } catch {
    return 0;
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

/** A process that has nothing to do with pgpool, until `use` is over. */
export async function withBystander(use: (pid: number) => Promise<void>): Promise<void> {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  const forget = onProcessEnd(() => child.kill('SIGKILL'));
  try {
    await use(child.pid ?? -1);
  } finally {
    child.kill('SIGKILL');
    forget();
  }
}

/** Resolves when the process has ended; fails after 20 s. */
export async function untilEnded(pid: number): Promise<void> {
  await eventually(`process ${pid} ends`, () => !isAlive(pid));
}
