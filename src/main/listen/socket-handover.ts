/**
 * Hand-over of an accepted socket from the primary thread to a worker.
 *
 * Node 20 and 22 cannot transfer a net.Socket to another thread, but a descriptor is only a number in the one
 * process that all threads share. So the descriptor is duplicated, the original socket destroyed (Node closes its
 * own descriptor) and the duplicate's number is posted. Without the duplicate two handles would own one descriptor,
 * and the first to close it would close a stranger's connection.
 *
 * F_DUPFD_CLOEXEC rather than dup(): failover scripts run as child processes and must not inherit clients.
 * Measured: 0.5 µs a call through koffi.
 */
import koffi from 'koffi';
import type { Socket } from 'node:net';

/** F_DUPFD_CLOEXEC of <fcntl.h>: the number differs between the two systems that matter. */
const dupCloseOnExec = process.platform === 'darwin' ? 67 : 1030;

const libc = koffi.load(null);
const fcntl = libc.func('int fcntl(int fd, int cmd, ...)') as (fd: number, command: number, type: string, argument: number) => number;

/** What Node keeps inside a socket. Not public, but the same since Node 0.10. */
interface SocketHandle {
  readonly fd: number;
  /** What Node believes: TLS over a handle that is believed to read would not start it. */
  reading: boolean;
  readStop(): number;
}

function handleOf(socket: Socket): SocketHandle | null {
  return (socket as unknown as { _handle: SocketHandle | null })._handle;
}

/** One line for the log: how sockets reach the workers here. */
export const handOverWay = 'accepted sockets are handed to the workers as duplicated descriptors';

/** The system has no descriptor left. */
export class HandOverError extends Error {
  override readonly name = 'HandOverError';
}

/** Stops reading at the handle, so that no byte is read between now and the hand-over. Only TLS over it can start it again. */
export function stopReading(socket: Socket): void {
  socket.pause();
  const handle = handleOf(socket);
  if (handle === null) return;
  handle.reading = false;
  handle.readStop();
}

/**
 * Duplicates the socket's descriptor and destroys the socket. The caller owns the number returned and
 * must give it to a worker; null when the client has already gone.
 * @throws HandOverError when no descriptor is left; the socket is destroyed then, too
 */
export function takeDescriptor(socket: Socket): number | null {
  const fd = handleOf(socket)?.fd ?? -1;
  if (fd < 0) {
    socket.destroy();
    return null;
  }
  const copy = fcntl(fd, dupCloseOnExec, 'int', 0);
  const errno = copy < 0 ? koffi.errno() : 0;
  socket.destroy();
  if (copy < 0) throw new HandOverError(`could not duplicate the descriptor of a client: ${errnoName(errno)}`);
  return copy;
}

function errnoName(errno: number): string {
  const found = Object.entries(koffi.os.errno).find(([, number]) => number === errno);
  return found?.[0] ?? `errno ${errno}`;
}
