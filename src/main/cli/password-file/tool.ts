/** What pg_md5 and pg_enc have in common: how they end, what they ask, whom they write for. */
import { userInfo } from 'node:os';
import { OptionError } from '../../getopt.js';
import { promptPassword } from '../pcp/password/prompt.js';
import { ToolFailure } from './failure.js';
import type { NewEntries } from './new-entries.js';

/** MAX_USER_NAME_LEN and MAX_PGPASS_LEN of Pgpool-II, which are bytes. */
export const maxUserBytes = 128;
export const maxPasswordBytes = 128;

/** Bytes that are no UTF-8 in the arguments come as this character. */
const replacementCharacter = '\ufffd';

/** Runs it; sets the exit status. A fault in the options ends Pgpool-II's tools with 0 and the usage on the standard output. */
export async function runTool(name: string, usage: string, tool: () => Promise<void>): Promise<void> {
  // The reader of a pipe may leave early, as `head` does.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
  try {
    await tool();
  } catch (error) {
    if (error instanceof OptionError) {
      process.stderr.write(`${name}: ${error.message}\n`);
      process.stdout.write(usage);
    } else if (error instanceof ToolFailure) {
      process.stderr.write(`${error.message}${error.withUsage ? usage : ''}`);
      process.exitCode = error.status;
    } else {
      throw error;
    }
  }
}

/** @param question with its blank at the end. @throws ToolFailure when there is nobody to ask */
export function askAtTerminal(question: string): Promise<string> {
  if (!process.stdin.isTTY) throw new ToolFailure('stdin is not tty\n');
  return promptPassword(question, process.stdout);
}

/** The value of -u. @throws ToolFailure */
export function checkedUser(user: string): string {
  if (Buffer.byteLength(user) > maxUserBytes) throw new ToolFailure('Error: input exceeds maximum username length!\n\n');
  checkText(user, 'username');
  return user;
}

/** A line end would begin a line of its own in pool_passwd. @throws ToolFailure */
export function checkText(text: string, what: string): void {
  if (/[\n\r\0]/.test(text)) throw new ToolFailure(`Error: ${what} holds a line end!\n`);
  if (text.includes(replacementCharacter)) throw new ToolFailure(`Error: ${what} is not UTF-8!\n`);
}

/** The name of the operating system's user, for entries without -u. @throws ToolFailure */
export function systemUser(): string {
  try {
    return userInfo().username;
  } catch {
    throw new ToolFailure('getpwuid() failed\n\n');
  }
}

/** For -m alone: reading pgpool.conf and locking need half of pgpool, which takes longer to load than all the rest to do. */
export async function newEntries(configFile: string): Promise<NewEntries> {
  const module = await import('./new-entries.js');
  return new module.NewEntries(configFile);
}
