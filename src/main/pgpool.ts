#!/usr/bin/env node
/** The `pgpool` command (reference/commands.md section 1). */
import './debugger-signal.js';
import { fileURLToPath } from 'node:url';
import { type CheckAuthLine, parseCheckAuth } from './command/check-auth/options.js';
import { checkConfigCommand } from './command/check-config.js';
import { isDetachedStart } from './command/detach.js';
import { type CommandLine, defaultConfigFile, parseCommandLine } from './command/options.js';
import { reloadCommand } from './command/reload-command.js';
import { statusCommand } from './command/status-command.js';
import { CommandError, stopCommand } from './command/stop-command.js';
import { usage } from './command/usage.js';
import { PidFileError } from './pid-file.js';
import { versionText } from '../shared/version.js';

/** @returns the exit status */
async function main(): Promise<number> {
  const args = process.argv.slice(2);
  const line = parseCheckAuth(args, defaultConfigFile) ?? parseCommandLine(args);
  if ('print' in line) {
    const { fault, status = 1 } = line.print === 'usage' ? line : {};
    process.stderr.write(line.print === 'version' ? `${versionText()}\n` : `${fault === undefined ? '' : `pgpool: ${fault}\n`}${usage}`);
    return fault === undefined ? 0 : status;
  }
  try {
    return await obey(line);
  } catch (error) {
    if (error instanceof CommandError) process.stderr.write(`${error.message}\n`);
    else if (error instanceof PidFileError) process.stderr.write(`FATAL:  ${error.message}\n`);
    else throw error;
    return 1;
  }
}

async function obey(line: CommandLine | CheckAuthLine): Promise<number> {
  switch (line.word) {
    case 'stop': return stopCommand(line);
    case 'reload': return reloadCommand(line);
    case 'status': return statusCommand(line);
    case 'check-config': return checkConfigCommand(line);
    case 'check-auth': {
      const { checkAuthCommand } = await import('./command/check-auth.js');
      return checkAuthCommand(line);
    }
    case 'start': {
      // The whole engine: not for the other words.
      const { startCommand } = await import('./command/start-command.js');
      return startCommand(fileURLToPath(import.meta.url), line, isDetachedStart());
    }
  }
}

process.exit(await main());
