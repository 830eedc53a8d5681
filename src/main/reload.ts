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

/**
 * The new settings, or null when a file is faulty: the log then says why and that everything stays as it was. All files are
 * read before it returns for the first time; then ssl_passphrase_command may take its time.
 * @param giveUp ends that command; null then too, and nothing is logged
 */
export async function readAgain(current: Settings, files: Files, isDown: (node: number) => boolean, log: Logger, giveUp: AbortSignal): Promise<ReadAgain | null> {
  log.log(LogLevel.log, 'reload config files.');
  try {
    const reloaded = reloadConfig(current, current.configFile, isDown);
    const settings = withDebug(reloaded.settings, files.debug);
    const { access, warnings } = await loadAccess(settings, files.hbaFile, files.keyFile, giveUp);
    for (const warning of [...reloaded.warnings, ...warnings]) log.log(LogLevel.warning, warning);
    if (reloaded.changed.length > 0) log.log(LogLevel.log, `parameters changed: ${reloaded.changed.join(', ')}`);
    if (reloaded.needRestart.length > 0) log.log(LogLevel.warning, `parameters that need a restart to change: ${reloaded.needRestart.join(', ')}`);
    return { settings, access, newBackends: reloaded.newBackends };
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof AccessFileError)) throw error;
    if (giveUp.aborted) return null;
    for (const line of error.message.split('\n')) log.log(LogLevel.error, line);
    log.log(LogLevel.error, 'the files were not reloaded: the old settings stay in force');
    return null;
  }
}

/**
 * One reload at a time:
 *
 *   request ──▶ [reload]            a request that comes during a reload may be about a file that has been read already:
 *      request ──┐                  it gets the next one,
 *      request ──┴─────▶ [reload]   which all share that have come before it begins
 */
export class ReloadQueue {
  /** What has not begun yet. */
  private next: Promise<void> | null = null;
  private last: Promise<void> = Promise.resolve();

  constructor(private readonly reload: () => Promise<void>) {}

  /** Resolves when a reload is over that began after this. @throws what that reload throws */
  request(): Promise<void> {
    this.next ??= this.append();
    return this.next;
  }

  private append(): Promise<void> {
    const next = this.last.then(() => {
      this.next = null;
      return this.reload();
    });
    this.last = next.catch(() => undefined);
    return next;
  }
}
