import { execFileSync } from 'node:child_process';
import { accessSync, chownSync, constants, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** A user a server may run as. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Where distributions put programs that are not on a person's PATH. */
function searchDirectories(): string[] {
  const directories = (process.env['PATH'] ?? '').split(path.delimiter);
  directories.push('/usr/sbin', '/usr/local/sbin', '/opt/homebrew/bin', '/usr/local/bin');
  try {
    const versions = readdirSync('/usr/lib/postgresql').sort((a, b) => Number(b) - Number(a));
    for (const version of versions) directories.push(`/usr/lib/postgresql/${version}/bin`);
  } catch {
    // not a Debian
  }
  return directories.filter((directory) => directory !== '');
}

/** Full path of a program, or null when it is not installed. */
export function findProgram(name: string): string | null {
  for (const directory of searchDirectories()) {
    const candidate = path.join(directory, name);
    try {
      accessSync(candidate, constants.X_OK);
      return candidate;
    } catch {
      // look on
    }
  }
  return null;
}

/** First line of `program --version`, from either stream; the program's name when it says nothing. */
export function versionOf(program: string): string {
  try {
    // pgpool writes its version to standard error.
    const text = execFileSync('sh', ['-c', '"$0" --version 2>&1', program], { encoding: 'utf8' });
    return text.split('\n')[0]?.trim() ?? program;
  } catch {
    return path.basename(program);
  }
}

/** The account to run a server as: null = as we are; as root `postgres`, else `nobody` (PgBouncer refuses root). */
export function unprivilegedAccount(): Account | null {
  if (process.getuid?.() !== 0) return null;
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n').map((line) => line.split(':'));
  for (const name of ['postgres', 'nobody']) {
    const fields = lines.find((line) => line[0] === name);
    if (fields !== undefined) return { name, uid: Number(fields[2]), gid: Number(fields[3]) };
  }
  throw new Error('running as root, and there is neither a user postgres nor nobody to run the peers as');
}

/** Gives files to the account that has to read or write them. */
export function giveTo(account: Account | null, files: readonly string[]): void {
  if (account === null) return;
  for (const file of files) chownSync(file, account.uid, account.gid);
}

/** How many descriptors this process, and so each one it starts, may open. */
export function descriptorLimit(): number {
  try {
    const found = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    return found?.[1] === 'unlimited' ? Infinity : Number(found?.[1] ?? 1024);
  } catch {
    return 1024;
  }
}

/** Tries to raise our own descriptor limit (only root may); tells the limit in force afterwards. */
export function raiseDescriptorLimit(wanted: number): number {
  if (descriptorLimit() < wanted && process.getuid?.() === 0) {
    try {
      execFileSync('prlimit', [`--pid=${process.pid}`, `--nofile=${wanted}:${wanted}`], { stdio: 'ignore' });
    } catch {
      // the caller makes do with what there is
    }
  }
  return descriptorLimit();
}
