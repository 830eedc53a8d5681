/** The log as it is from pgloom's start on. */
import { createLogger, type Logger, LogLevel } from '../../shared/logger.js';
import { logDestinations } from '../../shared/log-destination.js';
import { canSyslog } from '../../shared/syslog-socket.js';
import type { Settings } from '../../shared/settings.js';
import { LogFile } from './log-file.js';
import { neverBlock } from './standard-error.js';

export interface OpenLog {
  readonly log: Logger;
  /** Null when logging_collector is off. */
  readonly logFile: LogFile | null;
}

/** @throws LogFileError */
export function openLog(settings: Settings): OpenLog {
  neverBlock(2);
  const log = createLogger(settings);
  const logFile = settings.logging_collector ? new LogFile(settings, log) : null;
  if (!canSyslog && logDestinations(settings).includes('syslog')) log.log(LogLevel.warning, 'log_destination: there is no way to syslog on this system yet; lines go to standard error');
  return { log, logFile };
}
