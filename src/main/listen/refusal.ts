/**
 * Refusing a client so that it can read why.
 *
 * libpq expects an answer to its SSLRequest before it understands an ErrorResponse, and closing a socket with unread
 * bytes makes the kernel send a reset that can overtake the message. So a refused client is listened to for a
 * moment: encryption requests are answered 'N', the startup packet is read, the error sent, and the socket closed
 * when the client has closed it. A CancelRequest among the refused still does its work.
 *
 * Bounded: 1 s and 10 kB a client, 200 clients at a time; beyond that the error is sent unasked and the socket closed.
 */
import type { Socket } from 'node:net';
import { encodeError, type PgError } from '../../shared/errors.js';
import { maxStartupBytes } from '../../shared/protocol/letters.js';
import { firstPacket } from './first-packet.js';

const politeMs = 1_000;
const politeClients = 200;

/** Called for a CancelRequest: the id and the secret as the client sent them. */
export type OnCancel = (childId: number, secret: Buffer) => void;

export class Refusals {
  private readonly open = new Set<Socket>();

  constructor(private readonly onCancel: OnCancel) {}

  /** Refuses a client; `head` is what has already been read from it. Never throws. */
  refuse(socket: Socket, reason: PgError, head: Buffer = Buffer.alloc(0)): void {
    socket.on('error', () => socket.destroy());
    if (this.open.size >= politeClients) {
      socket.end(encodeError(reason), () => socket.destroy());
      return;
    }
    this.open.add(socket);
    const timer = setTimeout(() => this.answer(socket, reason), politeMs);
    socket.once('close', () => {
      clearTimeout(timer);
      this.open.delete(socket);
    });
    this.listen(socket, reason, head, timer);
  }

  /** Ends all refusals under way. */
  close(): void {
    for (const socket of this.open) socket.destroy();
  }

  private listen(socket: Socket, reason: PgError, head: Buffer, timer: NodeJS.Timeout): void {
    let read = head;
    let answered = false;
    const look = (): void => {
      for (;;) {
        const packet = firstPacket(read);
        if (packet.kind === 'incomplete' && read.length <= maxStartupBytes) return;
        if (packet.kind === 'encryption') {
          socket.write('N');
          read = read.subarray(packet.sizeBytes);
          continue;
        }
        answered = true;
        clearTimeout(timer);
        if (packet.kind === 'cancel') {
          this.onCancel(packet.childId, packet.secret);
          socket.destroy();
        } else {
          this.answer(socket, reason);
        }
        return;
      }
    };
    socket.on('data', (chunk: Buffer) => {
      if (answered) return; // read only so that closing does not reset the connection
      read = read.length === 0 ? chunk : Buffer.concat([read, chunk]);
      look();
    });
    look();
    socket.resume();
  }

  /** Sends the error and leaves the client the same time again to read it and close. */
  private answer(socket: Socket, reason: PgError): void {
    if (socket.destroyed) return;
    socket.end(encodeError(reason));
    const timer = setTimeout(() => socket.destroy(), politeMs);
    socket.once('close', () => clearTimeout(timer));
  }
}
