/** Runs pgloom's pg_md5 and pg_enc, and Debian's, each in a directory of its own with the same files. */
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { outcome, type Outcome } from './pcp-programs.js';

export type Tool = 'pg_md5' | 'pg_enc';

const debianDirectory = '/usr/sbin';
const scripts: Readonly<Record<Tool, string>> = { pg_md5: 'pg-md5.js', pg_enc: 'pg-enc.js' };

export const skipWithoutDebianTools = existsSync(join(debianDirectory, 'pg_md5')) && existsSync(join(debianDirectory, 'pg_enc'))
  ? false : 'pgpool2 is not installed (Debian: apt install pgpool2)';

export interface ToolRun extends Outcome {
  /** Null when there is none. */
  readonly poolPasswd: string | null;
  /** Permission bits of pool_passwd. */
  readonly mode: number | null;
}

/** Scratch directories below one that goes away with `remove`. */
export class PasswordTools {
  readonly directory = mkdtempSync(join(tmpdir(), 'pgloom-tools-'));
  private directories = 0;

  /**
   * A new directory with these files, beside the pgpool.conf that they may replace. Debian's tools refuse an empty one.
   * @param files all with mode 0600
   */
  scratch(files: Readonly<Record<string, string | Uint8Array>> = {}): string {
    const directory = join(this.directory, String(++this.directories));
    mkdirSync(directory);
    for (const [name, content] of Object.entries({ 'pgpool.conf': 'port = 9999\n', ...files })) {
      writeFileSync(join(directory, name), content);
      chmodSync(join(directory, name), 0o600);
    }
    return directory;
  }

  /** In this directory. */
  async run(whose: 'pgloom' | 'debian', directory: string, [tool, ...args]: readonly [Tool, ...string[]], env: Readonly<Record<string, string>> = {}): Promise<ToolRun> {
    const { command, prefix } = this.command(whose, tool);
    const child = spawn(command, [...prefix, ...args], { argv0: tool, cwd: directory, env: { PATH: process.env['PATH'], ...env }, stdio: 'pipe' });
    const { status, stdout, stderr } = await outcome(child, '');
    const file = join(directory, 'pool_passwd');
    // Not a link, nor a pipe: reading one would wait for good.
    const isThere = lstatSync(file, { throwIfNoEntry: false })?.isFile() === true;
    return {
      status, stdout, stderr: stderr.replaceAll(/pid \d+/g, 'pid *'),
      poolPasswd: isThere ? readFileSync(file, 'utf8') : null, mode: isThere ? statSync(file).mode & 0o777 : null,
    };
  }

  /** What to start, and the arguments before the tool's own. */
  command(whose: 'pgloom' | 'debian', tool: Tool): { readonly command: string; readonly prefix: readonly string[] } {
    if (whose === 'debian') return { command: join(debianDirectory, tool), prefix: [] };
    return { command: process.execPath, prefix: [fileURLToPath(new URL(`../../src/main/cli/${scripts[tool]}`, import.meta.url))] };
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
