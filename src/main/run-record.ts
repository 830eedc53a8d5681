/**
 * The run record: a file beside the pid file (`pgpool.pid.record`) in which a running pgloom says what it is. `pgpool
 * status` prints it, and `pgpool check-config` compares the files with the settings in it. A file rather than a
 * question over PCP: that would need a password, and an answer from a process that may be the one in trouble.
 *
 * Mode 0600, and secrets are left out.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, renameSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import type { Parameter } from '../shared/parameters/kinds.js';
import { scalarParameters } from '../shared/parameters/table.js';
import type { Settings } from '../shared/settings.js';

export interface RunRecord {
  readonly pid: number;
  readonly state: 'running' | 'stopping';
  readonly version: string;
  readonly startedMs: number;
  /** When the files were read last; startedMs or later. */
  readonly loadedMs: number;
  readonly addresses: readonly string[];
  readonly hbaFile: string;
  readonly pcpFile: string;
  /** -d was given, so log_min_messages is not as written in the file. */
  readonly debug: boolean;
  /** The process holds a lock on the pid file for as long as it lives. */
  readonly holdsLock: boolean;
  /** Time of the pid file's last change: ties the record to it. */
  readonly pidFileMs: number;
  /** In force. Secrets are ''. */
  readonly settings: Settings;
}

const maxRecordBytes = 4 * 1024 * 1024;

export function recordFileOf(pidFile: string): string {
  return `${pidFile}.record`;
}

/** The same settings with empty passwords. */
export function withoutSecrets(settings: Settings): Settings {
  const scalars = Object.entries(scalarParameters) as [string, Parameter][];
  const hidden = Object.fromEntries(scalars.filter(([, parameter]) => parameter.secret === true || parameter.masked === true).map(([name]) => [name, '']));
  return {
    ...settings,
    ...hidden,
    backends: settings.backends.map((backend) => ({ ...backend, health_check: { ...backend.health_check, password: '' } })),
  };
}

/** @throws when it cannot be written */
export function writeRunRecord(pidFile: string, record: Omit<RunRecord, 'pidFileMs'>): void {
  const file = recordFileOf(pidFile);
  const fresh = `${file}.${record.pid}`;
  const whole: RunRecord = { ...record, settings: withoutSecrets(record.settings), pidFileMs: statSync(pidFile).mtimeMs };
  removeQuietly(fresh);
  try {
    writeFileSync(fresh, JSON.stringify(whole), { flag: 'wx', mode: 0o600 });
    renameSync(fresh, file);
  } catch (error) {
    removeQuietly(fresh);
    throw error;
  }
}

/** Never throws. */
export function removeRunRecord(pidFile: string): void {
  removeQuietly(recordFileOf(pidFile));
}

/**
 * The record that belongs to the pid file as it is now; null when there is none, or it is of another process, another
 * user, or not to be understood.
 */
export function readRunRecord(pidFile: string, pid: number): RunRecord | null {
  try {
    const pidFacts = statSync(pidFile);
    const fd = openSync(recordFileOf(pidFile), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const facts = fstatSync(fd);
      if (!facts.isFile() || facts.size > maxRecordBytes || facts.uid !== pidFacts.uid) return null;
      const record: unknown = JSON.parse(readFileSync(fd, 'utf8'));
      return isRecord(record) && record.pid === pid && record.pidFileMs === pidFacts.mtimeMs ? record : null;
    } finally {
      closeSync(fd);
    }
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is RunRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { settings, addresses, startedMs, loadedMs, hbaFile, pcpFile } = value as Partial<RunRecord>;
  return typeof settings === 'object' && Array.isArray(settings.backends) && typeof settings.configFile === 'string'
    && Array.isArray(addresses) && typeof startedMs === 'number' && typeof loadedMs === 'number' && typeof hbaFile === 'string' && typeof pcpFile === 'string';
}

function removeQuietly(file: string): void {
  try {
    unlinkSync(file);
  } catch {
    // Not there, or not ours to remove: whoever writes next finds out.
  }
}
