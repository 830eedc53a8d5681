/** Debian's pcp_* programs. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onProcessEnd } from '../../src/main/demo/process-end.js';

export interface ProgramEnd {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const directory = mkdtempSync(join(tmpdir(), 'pgloom-pass-'));
const passFile = join(directory, 'pcppass');
writeFileSync(passFile, '*:*:*:secret\n', { mode: 0o600 });
onProcessEnd(() => rmSync(directory, { recursive: true, force: true }));
process.once('exit', () => rmSync(directory, { recursive: true, force: true }));

/**
 * Runs `pcp_<name>` as the user postgres with the password `secret`.
 * @param where a port of 127.0.0.1, or a directory with the socket
 */
export function pcp(where: { readonly pcpPort: number; readonly socketDirectory?: string }, name: string, ...args: readonly string[]): Promise<ProgramEnd> {
  const host = where.socketDirectory ?? '127.0.0.1';
  return new Promise((resolve) => {
    execFile(`/usr/sbin/pcp_${name}`, ['-h', host, '-p', String(where.pcpPort), '-U', 'postgres', '-w', ...args], {
      env: { ...process.env, PCPPASSFILE: passFile }, timeout: 60_000, maxBuffer: 64 * 1024 * 1024,
    }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
    });
  });
}
