/**
 * One client that is refused, on its way to reading why.
 *
 *   first packets ──startup, garbage, 1 s──────────────────────────────────────────▶ told ──closed, 1 s──▶ gone
 *                 ──SSLRequest, ClientHello──▶ handshake ──done──▶ packets in TLS ──▲
 *                                                        └─failed, 1 s──▶ gone
 *
 * The rules are those of a worker (src/workers/session/startup.ts), so that a client need not know which thread it met. A
 * client certificate is not judged: nobody is let in here.
 */
import type { Socket } from 'node:net';
import { encodeError, type PgError } from '../../shared/errors.js';
import { EncryptionRequests } from '../../shared/protocol/encryption-requests.js';
import { firstPacket } from '../../shared/protocol/first-packet.js';
import { acceptTls, type ServerTls } from '../../shared/tls/server-tls.js';

/** For each of the steps above. */
const stepMs = 1_000;
/** Read from a client that has been told already. */
const maxDroppedBytes = 65_536;
const nothing: Buffer = Buffer.alloc(0);

export interface RefusalOwner {
  /** Null when this client gets no TLS; to be followed by one `handshakeEnded` when it does. */
  beginHandshake(): ServerTls | null;
  handshakeEnded(): void;
  /** A CancelRequest: the id and the secret as the client sent them. */
  cancelRequested(childId: number, secret: Buffer): void;
}

export class RefusedClient {
  /** What the client is talked to through: its socket, or TLS over it. */
  private stream: Socket;
  private read = nothing;
  private readonly requests = new EncryptionRequests();
  private isShaking = false;
  private isTold = false;
  private droppedBytes = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly socket: Socket, private readonly reason: PgError, private readonly owner: RefusalOwner) {
    this.stream = socket;
    socket.once('close', () => {
      clearTimeout(this.timer);
      this.handshakeEnded();
    });
  }

  /** Begins. @param head what has been read of it already */
  listen(head: Buffer): void {
    this.limit(() => this.tell(this.reason));
    this.attend();
    this.received(head);
  }

  destroy(): void {
    this.stream.destroy();
  }

  /** Takes the place of the limit so far. */
  private limit(expired: () => void): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(expired, stepMs);
  }

  private attend(): void {
    this.stream.on('data', (chunk: Buffer) => this.received(chunk));
    this.stream.resume();
  }

  private received(chunk: Buffer): void {
    if (this.isTold) return this.drop(chunk.length);
    this.read = this.read.length === 0 ? chunk : Buffer.concat([this.read, chunk]);
    const packet = firstPacket(this.read);
    switch (packet.kind) {
      case 'incomplete': return;
      case 'encryption': return this.encryptionRequested(packet.isForTls, this.read.length > packet.sizeBytes);
      case 'cancel':
        this.owner.cancelRequested(packet.childId, packet.secret);
        return this.end(nothing);
      case 'hello':
        if (this.requests.isFirst && this.startTls(nothing, this.read)) return;
        break;
      default:
    }
    this.tell(this.reason);
  }

  private encryptionRequested(isForTls: boolean, isFollowed: boolean): void {
    const refusal = this.requests.refusal(isFollowed);
    if (refusal !== null) return this.tell(refusal);
    this.read = nothing;
    if (!isForTls || !this.startTls(Buffer.from('S'), nothing)) this.socket.write('N');
  }

  /**
   * False when there is no TLS for this client.
   * @param answer to be sent in clear ahead of it
   * @param hello as of `acceptTls`
   */
  private startTls(answer: Buffer, hello: Buffer): boolean {
    const { socket } = this;
    const tls = socket.readable && socket.writable ? this.owner.beginHandshake() : null;
    if (tls === null) return false;
    this.isShaking = true;
    this.read = nothing;
    if (answer.length > 0) socket.write(answer);
    // From here on TLS reads from it, beginning with what is put back.
    socket.removeAllListeners('data');
    socket.pause();
    const encrypted = acceptTls(socket, tls, hello);
    this.stream = encrypted;
    this.requests.encrypted();
    encrypted.on('error', () => encrypted.destroy());
    encrypted.once('secure', () => {
      this.handshakeEnded();
      if (!encrypted.destroyed) this.limit(() => this.tell(this.reason));
    });
    this.limit(() => this.destroy());
    this.attend();
    return true;
  }

  private handshakeEnded(): void {
    if (!this.isShaking) return;
    this.isShaking = false;
    this.owner.handshakeEnded();
  }

  private tell(error: PgError): void {
    if (!this.isTold) this.end(encodeError(error));
  }

  /** Says the last words and leaves the client time to read them and to close. */
  private end(last: Buffer): void {
    this.isTold = true;
    this.read = nothing;
    if (this.stream.destroyed) return;
    this.limit(() => this.destroy());
    if (last.length > 0) this.stream.end(last);
    else this.stream.end();
  }

  /** Read on only so that closing does not reset the connection before the client has read. */
  private drop(bytes: number): void {
    this.droppedBytes += bytes;
    if (this.droppedBytes > maxDroppedBytes) this.destroy();
  }
}
