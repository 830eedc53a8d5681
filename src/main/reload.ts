/** Reads the files again while clients are served. */
import { LogLevel, type Logger } from '../shared/logger.js';
import type { AccessFiles } from '../shared/messages.js';
import type { Settings } from '../shared/settings.js';
import { AccessFileError } from './access/access-file.js';
import { loadAccess } from './access/load.js';
import { ConfigError } from './config/errors.js';
import { reloadConfig } from './config/reload.js';

export interface ReadAgain {
  readonly settings: Settings;
  readonly access: AccessFiles;
  /** Ids of nodes that were not there before. */
  readonly newBackends: readonly number[];
}

interface Files {
  readonly hbaFile?: string | undefined;
  readonly keyFile?: string;
  readonly debug?: boolean;
}

/** What -d on the command line does: a log from DEBUG1 on, unless the file asks for more. */
export function withDebug(settings: Settings, debug: boolean | undefined): Settings {
  if (debug !== true || LogLevel[settings.log_min_messages] <= LogLevel.debug1) return settings;
  return Object.freeze({ ...settings, log_min_messages: 'debug1' as const });
}

/** The new settings, or null when a file is faulty: the log then says why and that everything stays as it was. */
export function readAgain(current: Settings, files: Files, isDown: (node: number) => boolean, log: Logger): ReadAgain | null {
  log.log(LogLevel.log, 'reload config files.');
  try {
    const reloaded = reloadConfig(current, current.configFile, isDown);
    const settings = withDebug(reloaded.settings, files.debug);
    const { access, warnings } = loadAccess(settings, files.hbaFile, files.keyFile);
    for (const warning of [...reloaded.warnings, ...warnings]) log.log(LogLevel.warning, warning);
    if (reloaded.changed.length > 0) log.log(LogLevel.log, `parameters changed: ${reloaded.changed.join(', ')}`);
    if (reloaded.needRestart.length > 0) log.log(LogLevel.warning, `parameters that need a restart to change: ${reloaded.needRestart.join(', ')}`);
    return { settings, access, newBackends: reloaded.newBackends };
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof AccessFileError)) throw error;
    for (const line of error.message.split('\n')) log.log(LogLevel.error, line);
    log.log(LogLevel.error, 'the files were not reloaded: the old settings stay in force');
    return null;
  }
}
