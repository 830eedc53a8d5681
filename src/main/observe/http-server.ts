/**
 * The HTTP port: metrics, health for orchestrators, the status page. In the primary thread, and bounded: what a client can
 * take of time, memory and connections is limited, and when there are too many the oldest connection makes place.
 */
import { createServer, type Server } from 'node:http';
import { isIPv6, type Socket } from 'node:net';
import { LoopDelay, type LoopDelays } from '../../shared/loop-delay.js';
import { resolveEntry, tcpError } from '../listen/listener.js';
import { HttpHandler } from './http-handler.js';
import type { Observed } from './http-observed.js';

const limits = {
  /** For the head of a request, and for all of it. */
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  connectionsCheckingInterval: 1_000,
  keepAliveTimeout: 10_000,
  maxHeaderSize: 8_192,
} as const;
/** A client that takes nothing of its answer for so long is given up. */
const stallMs = 30_000;
const maxHeaders = 64;
const maxRequestsPerSocket = 1_000;
const maxConnections = 64;
const tickMs = 1_000;

export class HttpServer {
  private readonly servers: Server[] = [];
  /** The oldest first. */
  private readonly sockets = new Set<Socket>();
  private readonly handler: HttpHandler;
  private readonly loop = new LoopDelay();
  private readonly timer: NodeJS.Timeout;
  private delays: LoopDelays = { medianMs: 0, p99Ms: 0, maxMs: 0 };
  /** What is listened on: `127.0.0.1:9990`. */
  readonly addresses: string[] = [];

  private constructor(observed: Omit<Observed, 'loopDelays'>, pcpFile: string) {
    this.handler = new HttpHandler({ ...observed, isAccepting: () => observed.isAccepting(), loopDelays: () => this.delays }, pcpFile);
    this.timer = setInterval(() => { this.delays = this.loop.tick(); }, tickMs).unref();
  }

  /**
   * Listens where http_listen_addresses and http_port say; null when they say nowhere.
   * @param pcpFile path of pcp.conf
   * @throws ListenError
   */
  static async open(observed: Omit<Observed, 'loopDelays'>, pcpFile: string): Promise<HttpServer | null> {
    const { http_listen_addresses: entries, http_port: port } = observed.administration.sources().settings;
    if (port === 0 || entries.length === 0) return null;
    const server = new HttpServer(observed, pcpFile);
    try {
      for (const entry of entries) await server.listen(entry, port);
    } catch (error) {
      await server.close();
      throw error;
    }
    return server;
  }

  /** Stops listening and disconnects everybody. */
  async close(): Promise<void> {
    clearInterval(this.timer);
    this.loop.stop();
    const closed = this.servers.splice(0).map((server) => new Promise<void>((resolve) => {
      server.close(() => resolve());
    }));
    for (const socket of this.sockets) socket.destroy();
    await Promise.all(closed);
  }

  private async listen(entry: string, port: number): Promise<void> {
    let opened = 0;
    let failure: NodeJS.ErrnoException | undefined;
    for (const { host, optional } of await resolveEntry(entry)) {
      try {
        await this.bind(host, port);
        opened += 1;
      } catch (error) {
        failure = error as NodeJS.ErrnoException;
        if (!optional || !['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(failure.code ?? '')) throw tcpError(host, port, failure);
      }
    }
    if (opened === 0 && failure !== undefined) throw tcpError(entry, port, failure);
  }

  private bind(host: string, port: number): Promise<void> {
    const server = createServer({ ...limits }, (request, response) => void this.handler.handle(request, response));
    server.timeout = stallMs;
    server.maxHeadersCount = maxHeaders;
    server.maxRequestsPerSocket = maxRequestsPerSocket;
    server.on('connection', (socket) => this.connected(socket));
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, ipv6Only: isIPv6(host) }, () => {
        server.off('error', reject);
        // accept() has failed for want of descriptors: the next one may do better.
        server.on('error', () => undefined);
        this.servers.push(server);
        this.addresses.push(isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`);
        resolve();
      });
    });
  }

  private connected(socket: Socket): void {
    if (this.sockets.size >= maxConnections) for (const oldest of this.sockets) {
      oldest.destroy();
      this.sockets.delete(oldest);
      break;
    }
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
  }
}
