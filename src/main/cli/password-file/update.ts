/**
 * Writes entries into pool_passwd. The file is replaced as a whole: whoever reads it meanwhile, pgpool above all, has the old one
 * or the new one, and a full disk costs nothing. A lock on the directory keeps two writers from undoing each other's work.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, constants, fchmodSync, fchownSync, fstatSync, fsyncSync, openSync, readFileSync, renameSync, statSync, unlinkSync, writeFileSync, type Stats } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { entryFields, escapedField } from '../../access/pool-passwd.js';
import { lockFile } from '../../file-lock.js';
import { checkPlainFile, plainFileFlags, PlainFileError } from '../../plain-file.js';
import { reasonOf, ToolFailure } from './failure.js';

const maxFileBytes = 16 * 1024 * 1024;
const lockLimitMs = 10_000;
const lockRetryMs = 20;
/** As Pgpool-II's tools end when pool_passwd cannot be written. */
const errorStatus = 255;
/** At the beginning of a file, as editors on Windows write it: U+FEFF in UTF-8, as latin1. */
const byteOrderMark = /^\xef\xbb\xbf/;

/**
 * Sets the passwords of these users and keeps all other lines. A new file belongs to whom pgpool.conf belongs to.
 * @param entries user → stored password
 * @throws ToolFailure; the file is as it was then
 */
export async function updatePoolPasswd(file: string, configFile: string, entries: ReadonlyMap<string, string>): Promise<void> {
  try {
    const directory = openSync(path.dirname(file), constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await lock(directory);
      replace(file, configFile, entries);
      fsyncSync(directory);
    } finally {
      closeSync(directory);
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    throw new ToolFailure(`ERROR: pid ${process.pid}: could not update pool password file:"${file}": ${error instanceof PlainFileError ? error.message : reasonOf(error)}\n`, errorStatus);
  }
}

async function lock(directory: number): Promise<void> {
  // A file system without locks has to do without.
  for (const deadlineMs = Date.now() + lockLimitMs; lockFile(directory, 'exclusive') === 'taken';) {
    if (Date.now() > deadlineMs) throw Object.assign(new Error('locked'), { code: 'somebody else has locked the directory' });
    await sleep(lockRetryMs);
  }
}

function replace(file: string, configFile: string, entries: ReadonlyMap<string, string>): void {
  const old = readOld(file);
  const fresh = `${file}.${randomBytes(8).toString('hex')}`;
  const fd = openSync(fresh, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
  try {
    try {
      if (old === null) giveToReaderOf(fd, configFile);
      else keepAccess(fd, old.facts);
      writeFileSync(fd, updatedText(old?.text ?? '', entries), 'latin1');
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(fresh, file);
  } catch (error) {
    unlinkSync(fresh);
    throw error;
  }
}

/** latin1 keeps bytes that are no UTF-8 as they are. */
function readOld(file: string): { text: string; facts: Stats } | null {
  let fd: number;
  try {
    fd = openSync(file, plainFileFlags | constants.O_NOFOLLOW);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    // Replacing it would put a file in the place of the link.
    throw code === 'ELOOP' ? Object.assign(new Error('link'), { code: 'it is a symbolic link; name the file itself as pool_passwd' }) : error;
  }
  try {
    const facts = fstatSync(fd);
    checkPlainFile(facts, maxFileBytes);
    return { text: readFileSync(fd, 'latin1'), facts };
  } finally {
    closeSync(fd);
  }
}

/** @throws EPERM when the owner cannot be kept: others could lose access */
function keepAccess(fd: number, { uid, gid, mode }: Stats): void {
  const own = fstatSync(fd);
  if (own.uid !== uid || own.gid !== gid) fchownSync(fd, uid, gid);
  fchmodSync(fd, mode & 0o777);
}

/** pgpool must be able to read it as it reads pgpool.conf: Debian's belongs to root:postgres and has mode 0640. */
function giveToReaderOf(fd: number, configFile: string): void {
  const { uid, gid, mode } = statSync(configFile);
  const own = fstatSync(fd);
  try {
    if (own.uid !== uid || own.gid !== gid) fchownSync(fd, uid, gid);
  } catch {
    // Not root: it stays ours alone.
    return;
  }
  if ((mode & 0o044) === 0o040) fchmodSync(fd, 0o640);
}

/** @param text and the result: bytes as latin1 */
function updatedText(text: string, entries: ReadonlyMap<string, string>): string {
  const left = new Map([...entries].map(([user, stored]) => [latin1(user), `${latin1(escapedField(user))}:${stored}`]));
  // Nobody reads it as a part of the first user's name, and in the new file it is left out.
  const lines = text.replace(byteOrderMark, '').split('\n');
  // A last line without its end is a line as well: nothing may be glued to it.
  if (lines.at(-1) === '') lines.pop();
  const kept = lines.map((line) => {
    const [user = '', password] = entryFields(line);
    const entry = password === undefined ? undefined : left.get(user);
    if (entry === undefined) return line;
    left.delete(user);
    return entry;
  });
  return [...kept, ...left.values()].map((line) => `${line}\n`).join('');
}

function latin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
