/**
 * logging_collector: the log in files.
 *
 *   every thread, Node, scripts ──write──▶ descriptor 2 ──▶ pgpool-2026-11-23_000000.log
 *   primary thread: once a second, by order, at a reload: open the next file, dup2() it onto descriptor 2
 *
 * Pgpool-II has a process that reads a pipe and writes the file. Here there is neither: a new file takes the place of
 * the old one within one system call, so no line is lost or torn, and nobody has to be told.
 */
import { closeSync, fstatSync, statSync } from 'node:fs';
import path from 'node:path';
import { type Logger, LogLevel } from '../../shared/logger.js';
import type { Settings } from '../../shared/settings.js';
import { strftime } from './log-file-name.js';
import { LogFileError, openLogFile } from './log-file-open.js';
import { nextRotationMs } from './log-rotation.js';
import { duplicate, replaceDescriptor } from './standard-error.js';

export type LogFileSettings = Pick<Settings, 'configFile' | 'log_directory' | 'log_filename' | 'log_file_mode'
  | 'log_truncate_on_rotation' | 'log_rotation_age' | 'log_rotation_size'>;

const checkMs = 1000;

/** Why a new file is opened: that decides about its name and about truncation. */
type Occasion = 'start' | 'age' | 'size' | 'order' | 'reload' | 'missing';

export interface LogFileOptions {
  /** Descriptor that is to be the file; 2 but in tests. */
  readonly descriptor?: number;
  /** The clock, in ms. */
  readonly now?: () => number;
}

export class LogFile {
  private readonly descriptor: number;
  private readonly now: () => number;
  /** What the descriptor was before; -1 when that is not needed any more. */
  private original: number;
  private file = '';
  private dueMs: number;
  private readonly timer: NodeJS.Timeout;
  /** Said once, until it is over or another. */
  private complaint = '';
  /** What could not be done and is tried again. */
  private failed: Occasion | null = null;
  private stopped = false;

  /**
   * Opens the first file and puts it in the descriptor's place.
   * @throws LogFileError: then everything is as before
   */
  constructor(private settings: LogFileSettings, private readonly log: Logger, options: LogFileOptions = {}) {
    this.descriptor = options.descriptor ?? 2;
    this.now = options.now ?? Date.now;
    this.dueMs = nextRotationMs(this.now(), settings.log_rotation_age);
    log.log(LogLevel.log, 'redirecting log output to log files', { hint: `Future log output will appear in directory "${this.directory}".` });
    this.original = duplicate(this.descriptor);
    try {
      this.open('start');
    } catch (error) {
      this.letGo();
      throw error;
    }
    this.timer = setInterval(() => this.check(), checkMs).unref();
  }

  /** Path of the file in use. */
  get path(): string {
    return this.file;
  }

  /** Is the file too old, too large or gone? Called by a timer once a second. */
  check(): void {
    if (this.failed !== null) this.tryOpen(this.failed);
    else if (this.now() >= this.dueMs) this.tryOpen('age');
    else if (this.isTooLarge()) this.tryOpen('size');
    if (this.failed === null && this.isMissing()) this.tryOpen('missing');
  }

  /** A new file now; with the same name the same file is opened anew, for a program that has moved it away. */
  rotate(): void {
    this.tryOpen('order');
  }

  reload(settings: LogFileSettings): void {
    const before = this.settings;
    this.settings = settings;
    if (settings.log_rotation_age !== before.log_rotation_age) this.dueMs = nextRotationMs(this.now(), settings.log_rotation_age);
    if (settings.log_directory !== before.log_directory || settings.log_filename !== before.log_filename) this.tryOpen('reload');
  }

  /** No more files. */
  stop(): void {
    if (this.stopped) return;
    this.stopped = true;
    clearInterval(this.timer);
    this.letGo();
  }

  /** pgloom has started: what the descriptor was before, a terminal or a pipe, is not kept open any longer. */
  letGo(): void {
    if (this.original >= 0) closeSync(this.original);
    this.original = -1;
  }

  /** Gives the descriptor back what it was, so that whoever started pgloom reads why it did not start. */
  restore(): void {
    if (!this.stopped && this.original >= 0) replaceDescriptor(this.original, this.descriptor);
    this.stop();
  }

  /** A relative one is beside pgpool.conf: a process in the background has no directory of its own. */
  private get directory(): string {
    return path.resolve(path.dirname(this.settings.configFile), this.settings.log_directory);
  }

  private tryOpen(occasion: Occasion): void {
    if (this.stopped) return;
    try {
      this.open(occasion);
      this.failed = null;
      this.complaint = '';
    } catch (error) {
      this.failed = occasion;
      const { message } = error as Error;
      if (message === this.complaint) return;
      this.complaint = message;
      this.log.log(LogLevel.error, message, { hint: 'The log goes on in the old file. A new one is tried again once a second.' });
    }
  }

  /** @throws LogFileError */
  private open(occasion: Occasion): void {
    const { settings } = this;
    const isByAge = occasion === 'age';
    // Named by the time at which it was due, not by that at which it was noticed.
    const file = path.join(this.directory, strftime(settings.log_filename, new Date(isByAge ? this.dueMs : this.now())));
    if (file !== this.file || occasion !== 'size') {
      const truncate = isByAge && settings.log_truncate_on_rotation && file !== this.file;
      const fd = openLogFile(file, settings.log_file_mode, truncate);
      try {
        replaceDescriptor(fd, this.descriptor);
      } catch (error) {
        throw new LogFileError(`could not use log file "${file}": ${(error as Error).message}`);
      } finally {
        closeSync(fd);
      }
      this.file = file;
    }
    this.dueMs = nextRotationMs(this.now(), settings.log_rotation_age);
  }

  private isTooLarge(): boolean {
    const limitBytes = this.settings.log_rotation_size * 1024;
    return limitBytes > 0 && fstatSync(this.descriptor).size >= limitBytes;
  }

  /** Removed or moved away: what is written now would never be seen. */
  private isMissing(): boolean {
    try {
      const open = fstatSync(this.descriptor);
      const named = statSync(this.file, { throwIfNoEntry: false });
      return named === undefined || named.ino !== open.ino || named.dev !== open.dev;
    } catch {
      // A directory that may not be searched any more: the file may well be there.
      return false;
    }
  }
}
