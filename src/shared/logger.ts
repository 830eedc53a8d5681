/**
 * The log. One per thread; all threads write to the same descriptor.
 *
 *   Logger.log ──▶ pino (levels, JSON) ──▶ LineStream ──▶ pino.destination ──▶ descriptor 2
 *                                          log_format = text: puts the message into lines with log_line_prefix
 *                                          log_format = json: passes pino's line on
 *
 * Lines are written at once, a system call each: with several threads on one pipe a line of less than 4096 bytes
 * written at once cannot be torn by another, and a crash loses nothing.
 */
import { pino, type DestinationStream } from 'pino';
import { LogLevel, levelName, type LogLevelName } from './log-level.js';
import { compileLogPrefix, type LogIdentity, type LogPrefix } from './log-prefix.js';
import { extraFields, logText, type LogEvent, type LogExtra, type LogVerbosity } from './log-text.js';
import type { Settings } from './settings.js';

export { LogLevel, type LogLevelName } from './log-level.js';
export type { LogIdentity } from './log-prefix.js';
export type { LogExtra } from './log-text.js';

/** The settings looked at here. */
export type LogSettings = Pick<Settings, 'log_min_messages' | 'log_line_prefix' | 'log_error_verbosity' | 'log_format'>;

/** Lines that the descriptor does not take (disk or pipe full) are kept up to this many bytes, then dropped. */
const maxPendingBytes = 1024 * 1024;

const nothingMore: LogExtra = {};

type PinoLogger = Record<LogLevelName, (fields: object, message: string) => void>;

/** What all loggers of a thread share. */
class LogCore {
  /** A message below this is not even looked at. */
  threshold: number = LogLevel.warning;
  private prefix: LogPrefix = () => '';
  private verbosity: LogVerbosity = 'default';
  private json = false;
  private event: LogEvent | null = null;
  /** The last write did not succeed. Otherwise nothing is pending. */
  private writeFailed = false;
  private readonly pino: PinoLogger;
  private readonly destination: ReturnType<typeof pino.destination>;

  constructor(settings: LogSettings, sink: number) {
    // No retry: it would put this thread to sleep. What a full pipe does not take is written before the next line.
    this.destination = pino.destination({ fd: sink, sync: true, maxLength: maxPendingBytes, retryEAGAIN: () => false });
    // A log that cannot be written must not take the proxy down.
    this.destination.on('error', () => { this.writeFailed = true; });
    this.destination.on('write', () => { this.writeFailed = false; });
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
  }

  send(event: LogEvent): void {
    this.event = event;
    this.pino[levelName(event.level)](this.json ? jsonFields(event) : {}, event.message);
    this.event = null;
  }

  /** Called by pino within `send`. */
  private writeLine(line: string): void {
    this.destination.write(this.json || this.event === null ? line : logText(this.event, this.prefix, this.verbosity));
  }

  flush(): void {
    // Not flushSync: it tries forever when the disk is full, and writes the beginning of a line twice when a pipe is.
    if (this.writeFailed) this.destination.write('');
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

  constructor(private readonly core: LogCore, private readonly identity: LogIdentity) {}

  /** Would a message of this level be written? One comparison: ask before building a costly message. */
  isEnabled(level: LogLevel): boolean {
    return level >= this.core.threshold;
  }

  /** @param message one line for people; control characters in it are written out, never obeyed */
  log(level: LogLevel, message: string, extra?: LogExtra): void {
    if (level < this.core.threshold) return;
    this.lineNumber++;
    this.core.send({ identity: this.identity, level, message, extra: extra ?? nothingMore, timeMs: Date.now(), lineNumber: this.lineNumber });
  }

  /** A logger for another identity. The object is kept, not copied: what its owner fills in later is in later lines. */
  child(identity: LogIdentity): Logger {
    return new Logger(this.core, identity);
  }

  /** After a reload: level, prefix, verbosity and format of this logger, its parent and all their children. */
  setLevel(settings: LogSettings): void {
    this.core.apply(settings);
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
  return new Logger(new LogCore(settings, sink), identity);
}
