/**
 * Refusing clients so that they can read why.
 *
 * libpq expects an answer to its SSLRequest before it understands an ErrorResponse, and closing a socket with unread
 * bytes makes the kernel send a reset that can overtake the message. So a refused client is listened to for a
 * moment: encryption is begun where it is offered, the startup packet is read, the error sent, and the socket closed
 * when the client has closed it. A CancelRequest among the refused still does its work.
 *
 * Bounded: 200 clients at a time, 1 s a step and 10 kB of packets each; beyond that the error is sent unasked and the
 * socket closed. Handshakes have a limit of their own, beyond which a client is told that there is no TLS.
 */
import type { Socket } from 'node:net';
import { encodeError, type PgError } from '../../shared/errors.js';
import type { ServerTls } from '../../shared/tls/server-tls.js';
import { HandshakeLimit } from './handshake-limit.js';
import type { OfferedTls } from './offered-tls.js';
import { RefusedClient } from './refused-client.js';

const politeClients = 200;

/** Called for a CancelRequest: the id and the secret as the client sent them. */
export type OnCancel = (childId: number, secret: Buffer) => void;

export interface RefusableClient {
  readonly socket: Socket;
  /** A Unix socket is never encrypted. */
  readonly transport: 'tcp' | 'unix';
}

export class Refusals {
  private readonly open = new Set<RefusedClient>();
  private readonly handshakes = new HandshakeLimit();

  constructor(private readonly tls: OfferedTls, private readonly onCancel: OnCancel) {}

  /** Refuses a client; `head` is what has already been read from it. Never throws. */
  refuse({ socket, transport }: RefusableClient, reason: PgError, head: Buffer = Buffer.alloc(0)): void {
    socket.on('error', () => socket.destroy());
    if (socket.destroyed) return;
    if (this.open.size >= politeClients) {
      socket.end(encodeError(reason), () => socket.destroy());
      return;
    }
    const client = new RefusedClient(socket, reason, {
      beginHandshake: () => (transport === 'tcp' ? this.beginHandshake() : null),
      handshakeEnded: () => this.handshakes.end(),
      cancelRequested: this.onCancel,
    });
    this.open.add(client);
    socket.once('close', () => this.open.delete(client));
    client.listen(head);
  }

  /** Ends all refusals under way. */
  close(): void {
    for (const client of this.open) client.destroy();
  }

  private beginHandshake(): ServerTls | null {
    const { server } = this.tls;
    return server !== null && this.handshakes.begin() ? server : null;
  }
}
