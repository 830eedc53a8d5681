/**
 * pgpool_status: the states of the nodes, kept over a restart. One line for each slot: `up`, `down` or `unused`, as
 * Pgpool-II writes it; `down op` is a node that an operator has taken out, which Pgpool-II takes for `down`. The word
 * is short for a reason: Pgpool-II 4.3 reads 8 characters at a time, and what is left of a longer line counts as the
 * line of the next node (tried).
 */
import { closeSync, constants, fstatSync, openSync, readSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { endianness } from 'node:os';
import path from 'node:path';
import { type Logger, LogLevel } from '../../shared/logger.js';
import type { Settings } from '../../shared/settings.js';

/** `detached`: down, by an operator's order. `unused`: nothing is known of the slot. */
export type StoredStatus = 'up' | 'down' | 'detached' | 'unused';

type Log = Pick<Logger, 'log'>;

/** Far more than 128 lines need. */
const maxFileBytes = 16 * 1024;
const maxSlots = 128;
/** Of Pgpool-II before 3.4: 128 numbers of 4 bytes. */
const binaryBytes = maxSlots * 4;
const binaryStatuses: readonly StoredStatus[] = ['unused', 'up', 'up', 'down'];

/** Where the file of these settings is: in work_dir, which may be relative to pgpool.conf. */
export function statusFileOf(settings: Pick<Settings, 'work_dir' | 'configDirectory'>): string {
  return path.resolve(settings.configDirectory, settings.work_dir, 'pgpool_status');
}

/**
 * The states by node id; there may be fewer or more of them than nodes are configured.
 * @returns null when there is no file, it cannot be read, or no node was up: then all nodes begin anew
 */
export function readStatusFile(file: string, log: Log): StoredStatus[] | null {
  let content: Buffer | null;
  try {
    content = readPlainFile(file);
  } catch (error) {
    log.log(LogLevel.warning, `could not read the states of the nodes from "${file}": ${reasonOf(error)}`);
    return null;
  }
  if (content === null) return null;
  const statuses = parseBinary(content) ?? parseLines(content.toString('latin1'), file, log);
  return statuses.includes('up') ? statuses : null;
}

/** For -D: without the file all nodes begin anew. @throws when there is one and it cannot be removed */
export function removeStatusFile(file: string): void {
  try {
    unlinkSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** Writes the file, in one step, when something has changed. */
export class StatusFile {
  private written = '';
  private failed = false;

  constructor(private readonly file: string, private readonly log: Log) {}

  /**
   * Never throws; that it does not work is logged once. When no node is up nothing is written, so that the last
   * good states survive.
   * @param states by node id
   */
  write(states: readonly StoredStatus[]): void {
    const text = states.map((status) => `${status === 'detached' ? 'down op' : status}\n`).join('');
    if (text === this.written || !states.includes('up')) return;
    try {
      this.replace(text);
      this.written = text;
      this.failed = false;
    } catch (error) {
      if (!this.failed) this.log.log(LogLevel.warning, `could not write the states of the nodes to "${this.file}": ${reasonOf(error)}`);
      this.failed = true;
    }
  }

  /** A new file takes the old one's place: a reader never sees half of it, and a link in /tmp is not followed. */
  private replace(text: string): void {
    const fresh = `${this.file}.${process.pid}`;
    removeStatusFile(fresh);
    try {
      writeFileSync(fresh, text, { flag: 'wx', mode: 0o644 });
      renameSync(fresh, this.file);
    } catch (error) {
      removeStatusFile(fresh);
      throw error;
    }
  }
}

/** Not what somebody else put there, into /tmp perhaps: a pipe, a link, or states that keep nodes out of service. */
function readPlainFile(file: string): Buffer | null {
  let fd: number;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  try {
    const facts = fstatSync(fd);
    if (!facts.isFile()) throw new Error('it is not a plain file');
    if (facts.uid !== 0 && facts.uid !== (process.getuid?.() ?? facts.uid)) throw new Error('it belongs to another user');
    const buffer = Buffer.alloc(maxFileBytes);
    return buffer.subarray(0, readSync(fd, buffer, 0, maxFileBytes, 0));
  } finally {
    closeSync(fd);
  }
}

/** Null when it is text: the numbers are 0 to 3, and no text has three NULs after its first character. */
function parseBinary(content: Buffer): StoredStatus[] | null {
  if (content.length !== binaryBytes) return null;
  const little = endianness() === 'LE';
  const numbers = Array.from({ length: maxSlots }, (_, slot) => (little ? content.readInt32LE(slot * 4) : content.readInt32BE(slot * 4)));
  if (numbers.some((number) => number < 0 || number >= binaryStatuses.length)) return null;
  return numbers.map((number) => binaryStatuses[number] ?? 'unused');
}

function parseLines(text: string, file: string, log: Log): StoredStatus[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.slice(0, maxSlots).map((line, slot) => {
    const word = /^(?:unused|up|down)/i.exec(line)?.[0].toLowerCase();
    if (word === undefined) {
      log.log(LogLevel.warning, `${file}:${slot + 1}: neither up, down nor unused; node ${slot} begins anew`);
      return 'unused';
    }
    if (word === 'down') return /^down\s+op/i.test(line) ? 'detached' : 'down';
    return word === 'up' ? 'up' : 'unused';
  });
}

function reasonOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? (error as Error).message;
}
