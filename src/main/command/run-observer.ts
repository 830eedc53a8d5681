/** Keeps systemd and the run record informed about the pgloom of this process. */
import path from 'node:path';
import type { Settings } from '../../shared/settings.js';
import { version } from '../../shared/version.js';
import type { Lifecycle } from '../lifecycle.js';
import { holdsPidFileLock } from '../pid-file.js';
import { removeRunRecord, type RunRecord, writeRunRecord } from '../run-record.js';
import type { ServiceNotifier } from './notify.js';
import type { CommandLine } from './options.js';

export class RunObserver implements Lifecycle {
  private record: Omit<RunRecord, 'pidFileMs'> | null = null;

  /** @param warn told once for each record that cannot be written; the record is a convenience, never a reason to stop */
  constructor(private readonly line: CommandLine, private readonly notifier: ServiceNotifier | null, private readonly warn: (text: string) => void) {}

  ready(settings: Settings, addresses: readonly string[]): void {
    const nowMs = Date.now();
    const beside = (name: string): string => path.join(settings.configDirectory, name);
    this.keep({
      pid: process.pid,
      state: 'running',
      version,
      startedMs: nowMs,
      loadedMs: nowMs,
      addresses,
      hbaFile: this.line.hbaFile ?? beside('pool_hba.conf'),
      pcpFile: this.line.pcpFile ?? beside('pcp.conf'),
      debug: this.line.debug,
      holdsLock: holdsPidFileLock(settings.pid_file_name),
      settings,
    });
    this.notifier?.ready(this.status);
  }

  reloading(): void {
    this.notifier?.reloading();
  }

  reloaded(settings: Settings): void {
    if (this.record === null) return;
    // A faulty file changes nothing: the settings are still the same object.
    if (settings !== this.record.settings) this.keep({ ...this.record, settings, loadedMs: Date.now() });
    this.notifier?.ready(this.status);
  }

  stopping(): void {
    this.notifier?.stopping();
    if (this.record !== null) this.keep({ ...this.record, state: 'stopping' });
  }

  ended(): void {
    if (this.record !== null) removeRunRecord(this.record.settings.pid_file_name);
  }

  private get status(): string {
    return `listening on ${this.record?.addresses.join(', ') ?? ''}`;
  }

  private keep(record: Omit<RunRecord, 'pidFileMs'>): void {
    this.record = record;
    try {
      writeRunRecord(record.settings.pid_file_name, record);
    } catch (error) {
      this.warn(`could not write the run record beside the pid file, pgpool status will know less: ${(error as NodeJS.ErrnoException).code ?? 'unknown reason'}`);
    }
  }
}
