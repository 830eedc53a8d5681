/**
 * The log. One per thread; all threads write to the same descriptor.
 *
 *   Logger.log ──▶ pino (levels, JSON) ──▶ LineStream ──▶ LogQueue ──▶ descriptor 2
 *                                              │     └──▶ Syslog ────▶ /dev/log
 *                                              ├ log_format = text: puts the message into lines with log_line_prefix
 *                                              └ log_format = json: passes pino's line on
 *
 * Lines are written at once, a system call each: a file takes them whole, a pipe those of less than 4096 bytes, and a
 * crash loses nothing. That descriptor 2 may be a log file is the primary thread's affair (src/main/observe): a new
 * file is put in its place without a word to the other threads.
 */
import { writeSync } from 'node:fs';
import { pino, type DestinationStream } from 'pino';
import { logDestinations } from './log-destination.js';
import { LogLevel, levelName, type LogLevelName } from './log-level.js';
import { LogQueue } from './log-queue.js';
import { compileLogPrefix, type LogIdentity, type LogPrefix } from './log-prefix.js';
import { extraFields, logText, type LogEvent, type LogExtra, type LogVerbosity } from './log-text.js';
import type { Settings } from './settings.js';
import { Syslog } from './syslog.js';
import { canSyslog } from './syslog-socket.js';

export { LogLevel, type LogLevelName } from './log-level.js';
export type { LogIdentity } from './log-prefix.js';
export type { LogExtra } from './log-text.js';

/** The settings looked at here. */
export type LogSettings = Pick<Settings, 'log_min_messages' | 'log_line_prefix' | 'log_error_verbosity' | 'log_format'
  | 'log_destination' | 'syslog_facility' | 'syslog_ident'>;

/** What descriptor 2 did not take (disk or pipe full) is tried again after this time. */
const retryMs = 100;

const nothingMore: LogExtra = {};

type PinoLogger = Record<LogLevelName, (fields: object, message: string) => void>;

/** What all loggers of a thread share. */
class LogCore {
  /** A message below this is not even looked at. */
  threshold: number = LogLevel.warning;
  private prefix: LogPrefix = () => '';
  verbosity: LogVerbosity = 'default';
  private json = false;
  private event: LogEvent | null = null;
  private readonly pino: PinoLogger;
  private readonly descriptor: LogQueue;
  private toDescriptor = true;
  private syslog: Syslog | null = null;

  constructor(settings: LogSettings, sink: number, private readonly onLost: (lost: number) => void) {
    this.descriptor = new LogQueue((bytes) => writeTo(sink, bytes), retryMs, onLost);
    const lineStream: DestinationStream = { write: line => this.writeLine(line) };
    this.pino = pino({
      customLevels: LogLevel,
      useOnlyCustomLevels: true,
      level: 'debug5',
      base: { pid: process.pid },
      messageKey: 'message',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: label => ({ level: label }) },
    }, lineStream) as unknown as PinoLogger;
    this.apply(settings);
  }

  apply(settings: LogSettings): void {
    this.threshold = LogLevel[settings.log_min_messages];
    this.prefix = compileLogPrefix(settings.log_line_prefix);
    this.verbosity = settings.log_error_verbosity;
    this.json = settings.log_format === 'json';
    const wanted = logDestinations(settings);
    const isSyslogOn = canSyslog && wanted.includes('syslog');
    this.toDescriptor = wanted.includes('stderr') || !isSyslogOn;
    if (!isSyslogOn) this.syslog?.close();
    this.syslog = isSyslogOn ? this.syslog ?? new Syslog(settings, this.onLost) : null;
    this.syslog?.apply(settings);
  }

  send(event: LogEvent): void {
    this.event = event;
    this.pino[levelName(event.level)](this.json ? jsonFields(event) : {}, event.message);
    this.event = null;
  }

  /** Called by pino within `send`. */
  private writeLine(line: string): void {
    if (this.event === null) return;
    const text = this.json ? line : logText(this.event, this.prefix);
    if (this.toDescriptor) this.descriptor.write(text);
    this.syslog?.write(this.event, text, this.json);
  }

  flush(): void {
    this.descriptor.flush();
    this.syslog?.flush();
  }
}

/** A log that cannot be written must not take the proxy down, nor hold it up: no error, no second attempt. */
function writeTo(fd: number, bytes: Uint8Array): number {
  try {
    return writeSync(fd, bytes);
  } catch {
    return 0;
  }
}

function jsonFields(event: LogEvent): Record<string, unknown> {
  const { identity, extra } = event;
  return {
    process: identity.processName,
    child: identity.id,
    user: identity.user || undefined,
    database: identity.database || undefined,
    application: identity.application || undefined,
    host: identity.host || undefined,
    node: extra.node,
    ...extraFields(extra),
  };
}

export class Logger {
  private lineNumber = 0;
  private own: { readonly threshold: number; readonly verbosity: LogVerbosity } | null = null;
  private readonly nextLine = (): number => ++this.lineNumber;

  constructor(private readonly core: LogCore, private readonly identity: LogIdentity) {}

  /** Would a message of this level be written? One comparison: ask before building a costly message. */
  isEnabled(level: LogLevel): boolean {
    return level >= (this.own ?? this.core).threshold;
  }

  /** @param message one line for people; control characters in it are written out, never obeyed */
  log(level: LogLevel, message: string, extra?: LogExtra): void {
    const { threshold, verbosity } = this.own ?? this.core;
    if (level < threshold) return;
    this.core.send({ identity: this.identity, level, message, extra: extra ?? nothingMore, timeMs: Date.now(), nextLine: this.nextLine, verbosity });
  }

  /** A logger for another identity. The object is kept, not copied: what its owner fills in later is in later lines. */
  child(identity: LogIdentity): Logger {
    return new Logger(this.core, identity);
  }

  /** After a reload: level, prefix, verbosity and format of this logger, its parent and all their children. */
  setLevel(settings: LogSettings): void {
    this.core.apply(settings);
  }

  /** What one session has set for itself (PGPOOL SET), which no reload changes; null takes it back. */
  setOwn(settings: Pick<Settings, 'log_min_messages' | 'log_error_verbosity'> | null): void {
    this.own = settings === null ? null : { threshold: LogLevel[settings.log_min_messages], verbosity: settings.log_error_verbosity };
  }

  /** Tries once more to write what an earlier, failed write left behind. For the end, planned or not. */
  flush(): void {
    this.core.flush();
  }
}

/** An identity of which only what it is is known. */
export function newLogIdentity(processName: string, id: number = process.pid): LogIdentity {
  return { id, processName, application: '', database: '', user: '', host: '' };
}

/** @param sink file descriptor, open for writing */
export function createLogger(settings: LogSettings, sink = 2, identity: LogIdentity = newLogIdentity('main')): Logger {
  const logger: Logger = new Logger(new LogCore(settings, sink, (lost) => {
    logger.log(LogLevel.warning, `${lost} entries of the log were lost: they could not be written`);
  }), identity);
  return logger;
}
