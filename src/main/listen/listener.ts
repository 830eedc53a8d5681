/**
 * The listeners of clients and of PCP: TCP for each of listen_addresses, a Unix socket in each of unix_socket_directories.
 *
 * A list entry `*` is every interface of both families, `localhost` both loopback addresses; an empty list means
 * Unix sockets only. IPv4 and IPv6 get a socket each (ipv6Only), so that the log names what is really listened on.
 */
import dns from 'node:dns/promises';
import { createServer, isIPv6, type ListenOptions as NodeListenOptions, type Server, type Socket } from 'node:net';
import type { AcceptedClient } from './admission-queue.js';
import { ListenError } from './listen-error.js';
import { Seldom } from './seldom.js';
import { freeUnixSocketPath, openUnixSocket, removeUnixSocket, unixSocketPath } from './unix-socket.js';

/** PGPOOLMAXLITSENQUEUELENGTH: Pgpool-II asks the kernel for no longer backlog than this. */
export const maxBacklog = 10_000;

export interface ListenOptions {
  readonly listenAddresses: readonly string[];
  readonly port: number;
  readonly unixSocketDirectories: readonly string[];
  readonly unixSocketGroup: string;
  readonly unixSocketPermissions: number;
  /** How many clients the kernel keeps that are not accepted yet. */
  readonly backlog: number;
}

export interface ListenerEvents {
  readonly onClient: (client: AcceptedClient) => void;
  /** accept() failed, for example for want of descriptors. At most one call a second; `times` counts those between. */
  readonly onAcceptError: (error: Error, times: number) => void;
}

/** One address to bind. An optional one may be missing on this machine (IPv6 of `*` and `localhost`). */
export interface Address {
  readonly host: string;
  readonly optional: boolean;
}

export class Listeners {
  private readonly servers: Server[] = [];
  private readonly paths: string[] = [];
  /** What is listened on, as it is shown in the log: `127.0.0.1:9999`, `[::1]:9999`, a path. */
  readonly addresses: string[] = [];
  private readonly acceptErrors: Seldom;

  private constructor(private readonly options: ListenOptions, private readonly events: ListenerEvents) {
    this.acceptErrors = new Seldom(events.onAcceptError);
  }

  /**
   * Opens all listeners or none.
   * @throws ListenError naming the address (and the port, when it is in use)
   */
  static async open(options: ListenOptions, events: ListenerEvents): Promise<Listeners> {
    const listeners = new Listeners(options, events);
    try {
      await listeners.openTcp();
      await listeners.openUnix();
    } catch (error) {
      await listeners.close();
      throw error;
    }
    if (listeners.servers.length === 0) throw new ListenError('there is no address to listen on: listen_addresses and unix_socket_directories are both empty');
    return listeners;
  }

  /** Stops accepting and removes the socket files. Clients already accepted are not touched. */
  async close(): Promise<void> {
    // close() waits for the server's own connections, but those have been handed over or are being refused.
    for (const server of this.servers.splice(0)) server.close();
    for (const path of this.paths.splice(0)) removeUnixSocket(path);
    await Promise.resolve();
  }

  private async openTcp(): Promise<void> {
    const { port } = this.options;
    for (const entry of this.options.listenAddresses) {
      let opened = 0;
      let failure: NodeJS.ErrnoException | undefined;
      for (const { host, optional } of await resolveEntry(entry)) {
        try {
          await this.listen({ host, port, ipv6Only: isIPv6(host) });
          this.addresses.push(isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`);
          opened += 1;
        } catch (error) {
          failure = error as NodeJS.ErrnoException;
          const missing = failure.code === 'EADDRNOTAVAIL' || failure.code === 'EAFNOSUPPORT';
          if (!optional || !missing) throw tcpError(host, port, failure);
        }
      }
      if (opened === 0 && failure !== undefined) throw tcpError(entry, port, failure);
    }
  }

  private async openUnix(): Promise<void> {
    const { unixSocketDirectories, port, unixSocketGroup, unixSocketPermissions } = this.options;
    for (const directory of unixSocketDirectories) {
      const path = unixSocketPath(directory, port);
      await freeUnixSocketPath(path);
      // bind() happens inside listen(), before it returns: nobody can connect until openUnixSocket allows it.
      const before = process.umask(0o777);
      let listening: Promise<void>;
      try {
        listening = this.listen({ path });
      } finally {
        process.umask(before);
      }
      try {
        await listening;
      } catch (error) {
        throw new ListenError(`could not make Unix socket "${path}": ${systemText(error as NodeJS.ErrnoException)}`);
      }
      this.paths.push(path);
      openUnixSocket(path, unixSocketGroup, unixSocketPermissions);
      this.addresses.push(path);
    }
  }

  private listen(where: NodeListenOptions): Promise<void> {
    const { backlog } = this.options;
    const server = createServer({ pauseOnConnect: true, noDelay: true, keepAlive: true });
    const transport = where.path === undefined ? 'tcp' : 'unix';
    server.on('connection', (socket) => this.accept(socket, transport));
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ ...where, backlog }, () => {
        server.off('error', reject);
        server.on('error', (error) => this.acceptErrors.note(error));
        this.servers.push(server);
        resolve();
      });
    });
  }

  private accept(socket: Socket, transport: 'tcp' | 'unix'): void {
    // A reset between accept and hand-over must not become an uncaught 'error'.
    socket.on('error', () => socket.destroy());
    this.events.onClient({
      socket,
      transport,
      host: transport === 'tcp' ? peerAddress(socket) : '',
      port: transport === 'tcp' ? (socket.remotePort ?? 0) : 0,
      acceptedMs: Date.now(),
    });
  }
}

/** Without the prefix of IPv4 addresses seen through an IPv6 socket. */
function peerAddress(socket: Socket): string {
  const address = socket.remoteAddress ?? '';
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}

/** The addresses of one entry of a list such as listen_addresses. @throws ListenError */
export async function resolveEntry(entry: string): Promise<Address[]> {
  if (entry === '*') return [{ host: '0.0.0.0', optional: false }, { host: '::', optional: true }];
  if (entry === 'localhost') return [{ host: '127.0.0.1', optional: false }, { host: '::1', optional: true }];
  try {
    const found = await dns.lookup(entry, { all: true });
    return [...new Set(found.map(({ address }) => address))].map((host) => ({ host, optional: false }));
  } catch (error) {
    throw new ListenError(`could not resolve listen address "${entry}": ${(error as NodeJS.ErrnoException).code ?? 'unknown'}`);
  }
}

export function tcpError(host: string, port: number, error: NodeJS.ErrnoException): ListenError {
  if (error.code === 'EADDRINUSE') return new ListenError(`could not listen on address "${host}": port ${port} is already in use (EADDRINUSE)`);
  return new ListenError(`could not listen on address "${host}", port ${port}: ${systemText(error)}`);
}

function systemText(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'EACCES': return 'permission denied';
    case 'ENOENT': return 'the directory does not exist';
    case 'EADDRINUSE': return 'the address is already in use';
    case 'EADDRNOTAVAIL': return 'this machine has no such address';
    default: return error.code ?? error.message;
  }
}
