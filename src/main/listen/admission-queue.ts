/**
 * The way of an accepted client into a worker.
 *
 *   accepted ──child free, nobody waits──────────────▶ worker
 *            ──reserved_connections reached──────────▶ refused 53300
 *            ──queue full────────────────────────────▶ refused 53300
 *            ──otherwise──▶ queue (first in, first out) ──child free──▶ worker
 *
 * Pgpool-II leaves waiting clients in the kernel's backlog. Here they wait in this queue, of
 * listen_backlog_multiplier × num_init_children clients, and are listened to meanwhile, for two reasons: a
 * CancelRequest must not wait behind the very statement it is to cancel, and a client that has gone gives its place
 * away. What was read goes along to the worker as HandOver.head.
 *
 * Where TLS is offered a waiting client's request for it is left to the worker, for an encrypted connection cannot be
 * handed over. An encrypted CancelRequest (libpq 17 and later) therefore waits its turn like a login; one that is refused
 * instead, because the queue is full or reserved_connections is set, does its work at once.
 */
import type { Socket } from 'node:net';
import { errors, type PgError } from '../../shared/errors.js';
import type { HandOver } from '../../shared/messages.js';
import { firstPacket } from '../../shared/protocol/first-packet.js';
import type { ServerTlsMaterials } from '../../shared/tls/materials.js';
import { AdmissionCounts } from './admission-counts.js';
import { OfferedTls } from './offered-tls.js';
import { Seldom } from './seldom.js';
import { HandOverError, stopReading, takeDescriptor } from './socket-handover.js';
import { type OnCancel, Refusals } from './refusal.js';

/** Beyond this many bytes a waiting client is no longer read from. */
const maxHeadBytes = 16_384;
const nothing = new Uint8Array(0);

export interface AcceptedClient {
  readonly socket: Socket;
  readonly transport: 'tcp' | 'unix';
  /** Address of the peer, '' for a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly acceptedMs: number;
}

/** Where clients go: the worker pool. */
export interface ClientSink {
  /** A child is free now: the next `run` starts at once. */
  hasRoom(): boolean;
  /** Clients being served. */
  readonly sessions: number;
  /** Takes the client over; resolves or rejects when its session is over, never earlier. */
  run(handOver: HandOver): Promise<unknown>;
}

export interface AdmissionLimits {
  readonly numInitChildren: number;
  readonly listenBacklogMultiplier: number;
  readonly reservedConnections: number;
  /** Null when clients are not offered TLS. */
  readonly tls: ServerTlsMaterials | null;
}

interface Waiting {
  readonly client: AcceptedClient;
  readonly sinceMs: number;
  head: Buffer;
}

export class AdmissionQueue {
  readonly counts = new AdmissionCounts();
  private readonly queue: Waiting[] = [];
  private readonly tls: OfferedTls;
  private readonly refusals: Refusals;
  private readonly failures: Seldom;
  private closing = false;
  private held = false;

  constructor(
    private readonly sink: ClientSink,
    private readonly limits: AdmissionLimits,
    private readonly onCancel: OnCancel,
    /** Clients were lost because the system has no descriptor left; called once a second at the most. */
    onFailure: (error: Error, times: number) => void,
  ) {
    this.tls = new OfferedTls(limits.tls);
    this.refusals = new Refusals(this.tls, onCancel);
    this.failures = new Seldom(onFailure);
  }

  /** After a reload: what clients that are refused from now on are offered. */
  offerTls(materials: ServerTlsMaterials | null): void {
    this.tls.replace(materials);
  }

  /** @param keys for session tickets, in place of those of the materials */
  changeTicketKeys(keys: Uint8Array): void {
    this.tls.changeTicketKeys(keys);
  }

  /** Clients that wait for a child. */
  get length(): number {
    return this.queue.length;
  }

  /** Places in the queue. */
  get capacity(): number {
    return this.limits.listenBacklogMultiplier * this.limits.numInitChildren;
  }

  /** A client has been accepted; its socket is paused. */
  admit(client: AcceptedClient): void {
    const { numInitChildren, reservedConnections } = this.limits;
    this.counts.accepted += 1;
    if (this.closing) {
      this.refuse(client, errors.shuttingDown());
    } else if (reservedConnections > 0 && this.sink.sessions + 1 > numInitChildren - reservedConnections) {
      this.refuse(client, errors.tooManyClients());
    } else if (!this.held && this.queue.length === 0 && this.sink.hasRoom()) {
      this.handOver(client, nothing);
    } else if (this.queue.length < this.capacity) {
      this.enqueue(client);
    } else {
      this.refuse(client, errors.tooManyClients());
    }
  }

  /** A child may have become free: the first in the queue gets it. */
  advance(): void {
    while (!this.held && this.queue.length > 0 && this.sink.hasRoom()) {
      const next = this.queue.shift();
      if (next === undefined) return;
      this.stopListening(next);
      stopReading(next.client.socket);
      this.counts.waits.note(performance.now() - next.sinceMs);
      this.handOver(next.client, next.head);
    }
  }

  /** Lets nobody in until `resume`: clients wait in the queue. */
  hold(): void {
    this.held = true;
  }

  resume(): void {
    this.held = false;
    this.advance();
  }

  /** Shutdown: whoever waits is refused, and so is everyone who still comes. */
  close(): void {
    this.closing = true;
    for (const waiting of this.queue.splice(0)) this.refuseWaiting(waiting, errors.shuttingDown());
  }

  /** Ends what is left of refusals under way. */
  destroy(): void {
    this.refusals.close();
  }

  private handOver(client: AcceptedClient, head: Uint8Array): void {
    let fd: number | null;
    try {
      fd = takeDescriptor(client.socket);
    } catch (error) {
      if (!(error instanceof HandOverError)) throw error;
      this.failures.note(error);
      return;
    }
    if (fd === null) return;
    const { transport, host, port, acceptedMs } = client;
    // The sink reports how sessions end; here matters only that a place is free again.
    const done = (): void => this.advance();
    this.sink.run({ fd, transport, host, port, acceptedMs, head }).then(done, done);
  }

  private enqueue(client: AcceptedClient): void {
    const waiting: Waiting = { client, sinceMs: performance.now(), head: Buffer.alloc(0) };
    this.queue.push(waiting);
    const { socket } = client;
    socket.on('data', (chunk: Buffer) => this.read(waiting, chunk));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.forget(waiting));
    socket.resume();
  }

  private read(waiting: Waiting, chunk: Buffer): void {
    waiting.head = waiting.head.length === 0 ? chunk : Buffer.concat([waiting.head, chunk]);
    const { socket } = waiting.client;
    for (;;) {
      const packet = firstPacket(waiting.head);
      if (packet.kind === 'cancel') {
        this.onCancel(packet.childId, packet.secret);
        socket.destroy();
        return;
      }
      if (packet.kind !== 'encryption' || !this.isToRefuse(waiting, packet)) break;
      socket.write('N');
      waiting.head = waiting.head.subarray(packet.sizeBytes);
    }
    if (waiting.head.length > maxHeadBytes) stopReading(socket);
  }

  /**
   * libpq 17 and later asks for encryption ahead of a CancelRequest too, which would otherwise wait for the answer until a
   * child is free. Requests with bytes behind them are left to the worker, that ends such a connection.
   */
  private isToRefuse({ client, head }: Waiting, { sizeBytes, isForTls }: { readonly sizeBytes: number; readonly isForTls: boolean }): boolean {
    return head.length === sizeBytes && !(isForTls && client.transport === 'tcp' && this.tls.isOffered);
  }

  private forget(waiting: Waiting): void {
    const at = this.queue.indexOf(waiting);
    if (at >= 0) this.queue.splice(at, 1);
  }

  private stopListening({ client: { socket } }: Waiting): void {
    socket.removeAllListeners('data');
    socket.removeAllListeners('close');
    socket.pause();
  }

  private refuse(client: AcceptedClient, reason: PgError, head?: Buffer): void {
    this.counts.refused += 1;
    this.refusals.refuse(client, reason, head);
  }

  private refuseWaiting(waiting: Waiting, reason: PgError): void {
    this.stopListening(waiting);
    this.refuse(waiting.client, reason, waiting.head);
  }
}
