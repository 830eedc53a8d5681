/** A directory for pgpool_setup in a test; nothing that was started in it outlives the test. */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePort, portProblem } from '../../src/main/demo/free-port.js';
import { isRunning, signalProcess } from '../../src/main/demo/processes.js';
import { serverIdentity } from '../../src/main/demo/unprivileged.js';

export interface Ended {
  readonly status: number | null;
  readonly output: string;
}

export interface SetUpDirectory {
  /** Empty; the set-up's own. */
  readonly directory: string;
  readonly socketDirectory: string;
  /** Runs a command of src/main/setup in it. */
  run(command: 'pgpool-setup' | 'watchdog-setup', ...args: readonly (string | number)[]): Promise<Ended>;
  /** Runs a program that the set-up has made, such as `startall`. */
  runMade(name: string, ...args: readonly string[]): Promise<Ended>;
  /** Process ids in the pid files below the directory. */
  pids(): number[];
}

const limitMs = 120_000;
const identity = serverIdentity();

/** As root the servers have another user's identity, who must be able to enter. */
export function setUpDirectory(t: TestContext, environment: Readonly<Record<string, string>> = {}): SetUpDirectory {
  const scratch = mkdtempSync(path.join(tmpdir(), 'pgloom-s-'));
  chmodSync(scratch, 0o755);
  const directory = path.join(scratch, 'c');
  const socketDirectory = path.join(scratch, 's');
  for (const made of [directory, socketDirectory]) mkdirSync(made);
  if (identity !== undefined) chownSync(socketDirectory, identity.uid, identity.gid);
  // The data is thrown away in the end.
  const env = { ...process.env, INITDBARG: '--no-locale -E UTF8 --no-sync', ...environment, PGSOCKET_DIR: socketDirectory };
  const made: SetUpDirectory = {
    directory,
    socketDirectory,
    run: (command, ...args) => run(process.execPath, [fileURLToPath(new URL(`../../src/main/setup/${command}.js`, import.meta.url)), ...args.map(String)], directory, env),
    runMade: (name, ...args) => run(path.join(directory, name), args, directory, env),
    pids: () => pidFilesBelow(directory).map((file) => Number.parseInt(readFileSync(file, 'latin1'), 10)),
  };
  t.after(() => {
    if (existsSync(path.join(directory, 'shutdownall'))) spawnSync(path.join(directory, 'shutdownall'), { stdio: 'ignore' });
    for (const pid of made.pids().filter(isRunning)) signalProcess(pid, 'SIGKILL');
    rmSync(scratch, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  });
  return made;
}

function pidFilesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => ['postmaster.pid', 'pgpool.pid'].includes(path.basename(name)))
    .map((name) => path.join(directory, name));
}

function run(program: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: limitMs });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        output += chunk;
      });
    }
    child.once('error', reject);
    // Not `close`: a server that it started must not hold our pipe, and if one does the test must not hang.
    child.once('exit', (status) => resolve({ status, output }));
  });
}

/** The first of `count` ports in a row on which nobody listens. */
export async function freePorts(count: number): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const first = await freePort();
    const problems = await Promise.all(Array.from({ length: count }, (_, at) => portProblem(first + at)));
    if (problems.every((problem) => problem === undefined)) return first;
  }
  throw new Error(`no ${count} free ports in a row`);
}
