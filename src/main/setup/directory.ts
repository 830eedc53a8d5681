/** Checks the directory of a set-up before anything is made in it. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { spawnIdentity, type Identity } from '../demo/unprivileged.js';

/** Longest path of a Unix socket on Linux and macOS; a longer one is cut or refused. */
const longestSocketPath = 103;

/** What cannot be set up, in words for people. */
export class SetupError extends Error {
  override readonly name = 'SetupError';
}

/** The names go into failover_command and primary_conninfo, where pgpool and PostgreSQL quote nothing. */
function checkPath(directory: string): void {
  const found = /[^\p{L}\p{N}_/.,:@+=~-]/u.exec(directory)?.[0];
  if (found !== undefined) throw new SetupError(`${directory} has a character that scripts would stumble over: ${JSON.stringify(found)}`);
}

/** @throws SetupError when it is not empty, or the servers' user cannot enter it */
export function checkDirectory(directory: string, identity: Identity | undefined): void {
  if (readdirSync(directory).length > 0) throw new SetupError(`${directory} is not empty: run this in an empty directory`);
  checkPath(directory);
  if (identity === undefined) return;
  const run = spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', directory], { cwd: '/', ...spawnIdentity(identity) });
  if (run.status !== 0) throw new SetupError(`user ${identity.name}, who runs the servers because PostgreSQL does not run as root, cannot enter ${directory}`);
}

/** @throws SetupError when a socket in it would have too long a name */
export function checkSocketDirectory(directory: string): void {
  if (!path.isAbsolute(directory)) throw new SetupError(`PGSOCKET_DIR is ${directory}: it must be an absolute path`);
  checkPath(directory);
  if (path.join(directory, '.s.PGSQL.65535').length > longestSocketPath) throw new SetupError(`PGSOCKET_DIR is ${directory}: it is too long for a Unix socket`);
}

export function makeDirectories(directory: string): void {
  for (const name of ['etc', 'run', 'log']) mkdirSync(path.join(directory, name));
  // The servers' user finds log/servers/, whatever the umask is; pgpool's own log is private.
  chmodSync(path.join(directory, 'log'), 0o711);
}
