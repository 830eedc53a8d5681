/** Debian's PostgreSQL 15 with the extension pgpool_adm, which speaks PCP through Debian's libpcp. */
import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../src/main/demo/free-port.js';
import { onProcessEnd } from '../../src/main/demo/process-end.js';
import { serverIdentity, spawnIdentity } from '../../src/main/demo/unprivileged.js';

const programs = '/usr/lib/postgresql/15/bin';
const control = '/usr/share/postgresql/15/extension/pgpool_adm.control';

/** Why tests that need it are skipped, or false. */
export const noPgpoolAdm: string | false = [`${programs}/initdb`, control].every((file) => existsSync(file)) ? false : 'postgresql-15 with postgresql-15-pgpool2 is not installed';

export interface Postgres15 {
  readonly port: number;
  stop(): void;
}

/** A server in a scratch directory, as an unprivileged user; superuser `postgres`, trusted. */
export async function startPostgres15(): Promise<Postgres15> {
  const directory = mkdtempSync(join(tmpdir(), 'pgloom-15-'));
  const identity = serverIdentity();
  if (identity !== undefined) chownSync(directory, identity.uid, identity.gid);
  const data = join(directory, 'data');
  const port = await freePort();
  const run = (program: string, ...args: readonly string[]): void => {
    execFileSync(join(programs, program), args, { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'], timeout: 60_000, ...spawnIdentity(identity) });
  };
  const stop = (): void => {
    try {
      run('pg_ctl', 'stop', '-D', data, '-m', 'immediate', '-w');
    } catch {
      // It did not start.
    }
    rmSync(directory, { recursive: true, force: true });
    forget();
  };
  const forget = onProcessEnd(stop);
  try {
    run('initdb', '-D', data, '-U', 'postgres', '-A', 'trust', '-N', '--locale=C', '-E', 'UTF8');
    run('pg_ctl', 'start', '-D', data, '-w', '-l', join(directory, 'log'), '-o', `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off`);
  } catch (error) {
    stop();
    throw error;
  }
  return { port, stop };
}
