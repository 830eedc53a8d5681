/** Data directories: one is initialised, the standbys are copies of it. */
import { execFile } from 'node:child_process';
import { appendFile, chmod, chown, cp, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { PostgresBinaries } from './postgres-binaries.js';
import { onProcessEnd } from './process-end.js';
import { isRunning, signalProcess, sleepBlocking } from './processes.js';
import { spawnIdentity, type Identity } from './unprivileged.js';

/** The environment of PostgreSQL's programs: nothing of ours (PGPORT, PGDATA, LANG) may change what they do. */
export const serverEnvironment: NodeJS.ProcessEnv = { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

/** Runs initdb. The builtin locale provider needs no locale of the operating system, so all platforms sort alike. */
export async function initialise(binaries: PostgresBinaries, directory: string, user: string, identity: Identity | undefined): Promise<void> {
  const options = [
    '-D', directory, '-U', user, '--auth=trust', '--no-sync', '--no-instructions', '--encoding=UTF8',
    '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8',
  ];
  const run = promisify(execFile)(binaries.initdb, options, {
    cwd: join(directory, '..'), env: serverEnvironment, ...spawnIdentity(identity),
  });
  const forget = onProcessEnd(() => { if (run.child.pid !== undefined) endNow(run.child.pid); }, false);
  await run.finally(forget);
}

/** initdb ends soon after SIGTERM and takes the server that it started with it. */
function endNow(pid: number): void {
  signalProcess(pid, 'SIGTERM');
  for (let waitedMs = 0; waitedMs < 2000 && isRunning(pid); waitedMs += 10) sleepBlocking(10);
}

/** Copies a data directory whose server is stopped; the copy belongs to the same user. */
export async function copyDirectory(from: string, to: string, identity: Identity | undefined): Promise<void> {
  await cp(from, to, { recursive: true });
  await chmod(to, 0o700);
  if (identity === undefined) return;
  await chown(to, identity.uid, identity.gid);
  const entries = await readdir(to, { recursive: true });
  await Promise.all(entries.map((entry) => chown(join(to, entry), identity.uid, identity.gid)));
}

/** Appends settings to postgresql.conf; the last line of a name wins there. */
export async function appendSettings(directory: string, settings: Readonly<Record<string, string>>): Promise<void> {
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${quoteSetting(value)}\n`);
  await appendFile(join(directory, 'postgresql.conf'), lines.join(''));
}

/**
 * Writes pg_hba.conf. Unix sockets always trust: the cluster's own questions and its replication come that way.
 * `rules` are the lines for TCP.
 */
export async function writeHba(directory: string, rules: string): Promise<void> {
  await writeFile(join(directory, 'pg_hba.conf'), `local all all trust\nlocal replication all trust\n${rules}\n`);
}

/** Makes a data directory a standby that streams from the primary (see standby.signal in PostgreSQL's manual). */
export async function makeStandby(directory: string, primaryConninfo: string, identity: Identity | undefined): Promise<void> {
  const signal = join(directory, 'standby.signal');
  await writeFile(signal, '');
  if (identity !== undefined) await chown(signal, identity.uid, identity.gid);
  await appendSettings(directory, { primary_conninfo: primaryConninfo });
}

function quoteSetting(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}
