/** `pgpool reload`: asks the running pgpool to read its files again. */
import type { CommandLine } from './options.js';
import { findTarget, signalTarget } from './stop-command.js';

/** @returns the exit status. @throws CommandError, PidFileError */
export function reloadCommand(line: CommandLine): number {
  signalTarget(findTarget(line), 'SIGHUP', 'could not reload configuration file');
  return 0;
}
