/** From the arguments to the output and the exit status of a pcp_* command. */
import { userInfo } from 'node:os';
import { version } from '../../../shared/version.js';
import { OptionError } from '../../getopt.js';
import { escapeControls } from '../../../shared/log-prefix.js';
import { PcpConnection } from './client/connection.js';
import { logIn } from './client/login.js';
import type { PcpCommand } from './command.js';
import { pcpCommands } from './commands/all.js';
import { PcpFailure } from './failure.js';
import { readPcpOptions, type PcpOptions } from './options.js';
import { findPassword } from './password/find.js';
import { usageText } from './usage.js';

/** Runs the command of this name; resolves with the exit status. */
export async function runPcpCommand(name: string, args: readonly string[]): Promise<number> {
  const command = pcpCommands.find((candidate) => candidate.name === name);
  if (command === undefined) {
    warn(`${name} is a invalid PCP utility`);
    return 1;
  }
  if (args[0] === '-?' || args[0] === '--help') {
    process.stderr.write(usageText(command));
    return 0;
  }
  if (args[0] === '-V' || args[0] === '--version') {
    warn(`${name} (pgpool-II) ${version}`);
    return 0;
  }
  return execute(command, args);
}

async function execute(command: PcpCommand, args: readonly string[]): Promise<number> {
  let options: PcpOptions | undefined;
  try {
    options = readPcpOptions(command, args, process.env);
    for (const argument of options.extraArguments) warn(`${command.name}: Warning: extra command-line argument "${argument}" ignored`);
    await ask(command, options);
    return 0;
  } catch (error) {
    if (error instanceof OptionError) {
      if (error.message !== '') warn(`${command.name}: ${error.message}`);
      process.stderr.write(`Try "${command.name} --help" for more information.\n\n`);
      return 1;
    }
    if (error instanceof PcpFailure) return tellFailure(error, options ?? error.options);
    throw error;
  }
}

/** Asks the server and prints the answer. */
async function ask(command: PcpCommand, options: PcpOptions): Promise<void> {
  const user = options.user ?? systemUser();
  const password = await findPassword(options, user, process.env, warn);
  // With --json the standard output has to stay one document.
  const trace = (line: string): void => { (options.json ? process.stderr : process.stdout).write(line); };
  const connection = await PcpConnection.open(options, options.debug ? trace : undefined);
  try {
    await logIn(connection, user, password);
  } catch (error) {
    connection.destroy();
    throw error;
  }
  try {
    const { text, json } = await command.run(connection, options);
    process.stdout.write(options.json ? `${JSON.stringify(json, null, 2)}\n` : text);
  } finally {
    connection.end();
  }
}

function systemUser(): string {
  try {
    return userInfo().username;
  } catch {
    throw new PcpFailure('usage', 'ERROR: the operating system has no name for this user; use -U');
  }
}

function tellFailure(failure: PcpFailure, options: Pick<PcpOptions, 'json' | 'alwaysExit0'> | undefined): number {
  process.stderr.write(failure.text);
  if (options?.json === true) process.stdout.write(`${JSON.stringify({ error: failure.toJson() }, null, 2)}\n`);
  return options?.alwaysExit0 === true && failure.kind === 'command' ? 0 : 1;
}

function warn(text: string): void {
  process.stderr.write(`${escapeControls(text)}\n`);
}
