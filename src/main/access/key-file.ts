/** The file with the key for AES passwords (`pgpool -k`, `pg_enc -k`): its first line. */
import { statSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import path from 'node:path';
import { PlainFileError, readPlainFile } from '../plain-file.js';

/** What Pgpool-II reads of the line; the rest of a longer one has no effect. */
export const maxKeyBytes = 255;

const newline = 0x0a;
const nul = 0x00;

export interface PoolKey {
  /** Null when there is none; `reason` says why then. */
  readonly key: Buffer | null;
  readonly reason: string;
  /** About what others may do with the file. */
  readonly warnings: readonly string[];
}

/** `$PGPOOLKEYFILE`, else `.pgpoolkey` in the home directory that the user database names (as Pgpool-II, which ignores $HOME). */
export function defaultKeyFile(environment: NodeJS.ProcessEnv): string {
  const named = environment['PGPOOLKEYFILE'] ?? '';
  return named === '' ? path.join(homeDirectory(), '.pgpoolkey') : named;
}

/** Of the user who runs this process. */
export function homeDirectory(): string {
  try {
    return userInfo().homedir;
  } catch {
    // A user id without an entry, as in containers.
    return homedir();
  }
}

/** Never throws. */
export function readKeyFile(file: string): PoolKey {
  const none = (reason: string, warnings: readonly string[] = []): PoolKey => ({ key: null, reason, warnings });
  let bytes: Buffer;
  try {
    bytes = readPlainFile(file);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown reason';
    if (code === 'ENOENT') return none('there is no such file');
    if (error instanceof PlainFileError) {
      const reason = code === 'EFBIG' ? 'it is too large' : 'it is not a plain file';
      return none(reason, [`pool key file "${file}" ${reason.slice('it '.length)}`]);
    }
    return none(`it cannot be read (${code})`);
  }
  const end = bytes.findIndex((byte) => byte === newline || byte === nul);
  const key = Buffer.from(bytes.subarray(0, Math.min(end === -1 ? bytes.length : end, maxKeyBytes)));
  bytes.fill(0);
  // Pgpool-II takes an empty line for a key. Nothing is secret then.
  return key.length === 0 ? none('its first line is empty', modeWarnings(file)) : { key, reason: '', warnings: modeWarnings(file) };
}

function modeWarnings(file: string): string[] {
  const mode = statSync(file, { throwIfNoEntry: false })?.mode ?? 0;
  return (mode & 0o077) === 0 ? [] : [`pool key file "${file}" has group or world access; permissions should be u=rw (0600) or less`];
}

/** Reads the key file when it is needed first: without AES passwords nobody needs one. */
export class KeyFile {
  private content: PoolKey | null = null;

  constructor(readonly path: string) {}

  read(): PoolKey {
    this.content ??= readKeyFile(this.path);
    return this.content;
  }

  /** Empty as long as the file was not needed. */
  get warnings(): readonly string[] {
    return this.content?.warnings ?? [];
  }
}
