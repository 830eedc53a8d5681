/** Runs pgloom's pcp_* commands and Debian's. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../src/main/cli/pcp.js', import.meta.url));
const debianDirectory = '/usr/sbin';
/** A command that hangs is killed, and its test fails. */
const limitMs = 60_000;

export const isDebianInstalled = existsSync(join(debianDirectory, 'pcp_node_info')) && existsSync(join(debianDirectory, 'pgpool'));
export const skipWithoutDebian = isDebianInstalled ? false : 'pgpool2 is not installed (Debian: apt install pgpool2)';

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** What stands on the standard input; nothing by default. */
  readonly input?: string;
}

export interface Outcome {
  readonly status: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A scratch directory with a link for each command and a .pcppass, which the commands are told of. */
export class PcpPrograms {
  readonly directory = mkdtempSync(join(tmpdir(), 'pgloom-pcp-'));
  readonly passFile = join(this.directory, 'pcppass');

  constructor(passFileText: string) {
    this.writePassFile(passFileText);
  }

  writePassFile(text: string, mode = 0o600): void {
    rmSync(this.passFile, { force: true, recursive: true });
    writeFileSync(this.passFile, text, { mode });
  }

  /** pgloom's. */
  run(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    return outcome(this.start(args, options), options.input ?? '');
  }

  /** Debian's. */
  runDebian([name = '', ...args]: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    const child = spawn(join(debianDirectory, name), args, { argv0: name, env: this.#environment(options), stdio: 'pipe' });
    return outcome(child, options.input ?? '');
  }

  /** pgloom's, running. */
  start([name = '', ...args]: readonly string[], options: RunOptions = {}): ChildProcess {
    return spawn(process.execPath, [this.link(name), ...args], { env: this.#environment(options), stdio: 'pipe' });
  }

  /** The path of the link by which a command is called. */
  link(name: string): string {
    const path = join(this.directory, name);
    if (!existsSync(path)) symlinkSync(program, path);
    return path;
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  #environment({ env }: RunOptions): NodeJS.ProcessEnv {
    return { PATH: process.env['PATH'], TZ: process.env['TZ'], PCPPASSFILE: this.passFile, ...env };
  }
}

export async function outcome(child: ChildProcess, input: string): Promise<Outcome> {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => { stdout += text; });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => { stderr += text; });
  // A command that fails before it reads.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input);
  const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
  const status = await new Promise<number | string | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? signal));
  });
  clearTimeout(timer);
  return { status, stdout, stderr };
}
