/** Runs the `pgpool` command for tests of how it ends. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const command = fileURLToPath(new URL('../../src/main/pgpool.js', import.meta.url));

export interface CommandEnd {
  readonly status: number | null;
  readonly stderr: string;
}

/** Runs it to its end. It is killed after 30 s. */
export function pgpool(...args: readonly string[]): Promise<CommandEnd> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [command, ...args], { stdio: ['ignore', 'ignore', 'pipe'], timeout: 30_000, killSignal: 'SIGKILL' });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
    });
    child.once('error', reject);
    child.once('close', (status) => resolve({ status, stderr }));
  });
}

/** Runs `use` with a scratch directory and removes it afterwards. */
export async function withDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'pgloom-e-'));
  try {
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Writes a pgpool.conf whose files all lie in the directory. The node need not exist. */
export async function writeConfig(directory: string, lines: Readonly<Record<string, string | number>>): Promise<string> {
  const all: Record<string, string | number> = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: directory,
    pcp_listen_addresses: '',
    pcp_socket_dir: directory,
    pid_file_name: join(directory, 'pgpool.pid'),
    work_dir: directory,
    backend_hostname0: '127.0.0.1',
    backend_port0: 1024,
    num_init_children: 2,
    worker_threads: 1,
    connect_timeout: 1000,
    ...lines,
  };
  const file = join(directory, 'pgpool.conf');
  await writeFile(file, Object.entries(all).map(([key, value]) => `${key} = ${typeof value === 'number' ? value : `'${value}'`}\n`).join(''));
  return file;
}
