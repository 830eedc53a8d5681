/**
 * The file side of a Unix socket: its path, whether somebody listens on it already, its owner and mode.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, lstatSync, readFileSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { ListenError } from './listen-error.js';

/** sizeof(sun_path) - 1 on Linux; the BSDs have a little less. */
const maxPathBytes = process.platform === 'linux' ? 107 : 103;

/** `.s.PGSQL.<port>` in the directory, the name that libpq looks for. */
export function unixSocketPath(directory: string, port: number): string {
  return path.join(directory, `.s.PGSQL.${port}`);
}

/**
 * Makes the path free to listen on: a socket file that nobody accepts on any more is removed.
 * @throws ListenError when somebody listens, when the path is too long, or when something else lies there
 */
export async function freeUnixSocketPath(socketPath: string): Promise<void> {
  if (Buffer.byteLength(socketPath) > maxPathBytes) {
    throw new ListenError(`path of Unix socket "${socketPath}" is too long: ${maxPathBytes} bytes at most`);
  }
  const found = lstatSync(socketPath, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw new ListenError(`could not make Unix socket "${socketPath}": the file exists and is not a socket`);
  const answer = await tryConnect(socketPath);
  if (answer === 'accepted') {
    throw new ListenError(`could not make Unix socket "${socketPath}": another server listens on it`);
  }
  if (answer !== 'ECONNREFUSED' && answer !== 'ENOENT') {
    throw new ListenError(`could not make Unix socket "${socketPath}": it exists and cannot be tried (${answer})`);
  }
  removeUnixSocket(socketPath);
}

function tryConnect(socketPath: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.setTimeout(2_000, () => {
      socket.destroy();
      resolve('accepted'); // the backlog is full: somebody listens, only slowly
    });
    socket.once('connect', () => {
      socket.destroy();
      resolve('accepted');
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

/** Removes the socket file; it does not matter when it is gone. */
export function removeUnixSocket(socketPath: string): void {
  try {
    unlinkSync(socketPath);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** Sets group (name or number, '' = as it is) and mode. The socket was made without any permission until here. */
export function openUnixSocket(socketPath: string, group: string, mode: number): void {
  try {
    if (group !== '') chownSync(socketPath, process.getuid?.() ?? -1, groupId(group));
    chmodSync(socketPath, mode);
  } catch (error) {
    if (error instanceof ListenError) throw error;
    throw new ListenError(`could not set group or permissions of Unix socket "${socketPath}": ${(error as Error).message}`);
  }
}

function groupId(group: string): number {
  if (/^\d+$/.test(group)) return Number(group);
  const line = groupLine(group);
  const id = Number(line?.split(':')[2] ?? Number.NaN);
  if (!Number.isInteger(id)) throw new ListenError(`unix_socket_group: group "${group}" does not exist`);
  return id;
}

/** The line of the group in /etc/group, or in whatever directory service the system asks. */
function groupLine(group: string): string | undefined {
  const isIt = (line: string): boolean => line.startsWith(`${group}:`);
  try {
    const local = readFileSync('/etc/group', 'utf8').split('\n').find(isIt);
    return local ?? execFileSync('getent', ['group', '--', group], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 5_000 }).split('\n').find(isIt);
  } catch {
    return undefined;
  }
}
