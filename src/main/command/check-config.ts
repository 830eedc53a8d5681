/** `pgpool check-config`: faults of the files, and what they would change in the pgpool that runs. */
import { isPidFileOwned, PidFileError, readPidFile } from '../pid-file.js';
import { readRunRecord } from '../run-record.js';
import type { Settings } from '../../shared/settings.js';
import { checkFiles } from './check-files.js';
import { compareWithRunning } from './compare-settings.js';
import type { CommandLine } from './options.js';

/** Faults go to standard error, all else to standard output. @returns the exit status: 0, or 1 with a fault */
export async function checkConfigCommand(line: CommandLine): Promise<number> {
  const { config, faults, warnings } = await checkFiles(line);
  for (const fault of faults) process.stderr.write(`ERROR:  ${fault}\n`);
  for (const warning of warnings) process.stdout.write(`WARNING:  ${warning}\n`);
  if (config !== null) {
    for (const name of config.notActedOn) process.stdout.write(`WARNING:  ${config.settings.configFile}: ${name}: known, but not acted on yet\n`);
    for (const text of runningText(config.settings)) process.stdout.write(`${text}\n`);
  }
  if (faults.length === 0) process.stdout.write('the files are right\n');
  else process.stderr.write(faults.length === 1 ? '1 fault found\n' : `${faults.length} faults found\n`);
  return faults.length === 0 ? 0 : 1;
}

function runningText(settings: Settings): string[] {
  const file = settings.pid_file_name;
  let pid: number | null;
  try {
    pid = readPidFile(file);
    if (pid === null || !isPidFileOwned(file, pid)) return [];
  } catch (error) {
    if (!(error instanceof PidFileError)) throw error;
    return [`not compared with a running pgpool: ${error.message}`];
  }
  const record = readRunRecord(file, pid);
  if (record === null) return [`not compared with the pgpool that runs (process ${pid}): there is no record of its settings beside "${file}"`];
  const differences = compareWithRunning(record, settings);
  const other = record.settings.configFile === settings.configFile ? '' : `, which has read ${record.settings.configFile}`;
  return [`compared with the pgpool that runs (process ${pid}${other}; passwords are not compared):`,
    ...(differences.length === 0 ? ['  nothing would change'] : differences.map((text) => `  ${text}`))];
}
