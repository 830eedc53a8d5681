/** The link towards the client: hands what it reads to the startup phase first, to the relay afterwards. */
import { Socket } from 'node:net';
import { clientTls, type CertificateFault, type ClientTls } from '../../shared/tls/client-tls.js';
import { acceptTls, type ServerTls } from '../../shared/tls/server-tls.js';
import { Link } from '../link.js';

export interface ClientReader {
  /** As Link.process. */
  process(data: Buffer, start: number, end: number): number;
}

export interface ClientOwner {
  clientGone(reason: string): void;
  /** The client is gone, because TLS could not be begun with it. */
  handshakeFailed(reason: string): void;
  clientBroken(error: Error): void;
}

export class ClientLink extends Link {
  /** Who reads now. */
  reader!: ClientReader;
  /** A TLS handshake is under way. */
  private isShaking = false;

  constructor(fd: number, private readonly owner: ClientOwner) {
    super();
    this.adopt(new Socket({ fd, readable: true, writable: true, onread: this.readOptions() } as ConstructorParameters<typeof Socket>[0]));
  }

  /** Shows bytes that were read before the socket came to this thread. */
  feedHead(head: Uint8Array): void {
    if (head.length > 0) this.feed(Buffer.from(head));
  }

  /**
   * Encrypts from here on. What the client has shown is told when the handshake is over, before anything is read from inside.
   * @param hello as of `acceptTls`
   */
  startTls(tls: ServerTls, hello: Buffer, done: (shown: ClientTls, fault: CertificateFault | null) => void): void {
    const { socket } = this;
    if (this.closed || socket.destroyed) return;
    const encrypted = acceptTls(socket, tls, hello);
    this.isShaking = true;
    this.goOn(encrypted);
    encrypted.once('secure', () => {
      if (encrypted.destroyed) return;
      this.isShaking = false;
      if (this.closed) return;
      const { tls: shown, fault } = clientTls(encrypted, tls.endPoint);
      done(shown, fault);
    });
  }

  /** A handshake that is not over leaves nobody to tell anything. */
  override finish(nowMs: number, last?: Buffer): void {
    if (this.isShaking) this.destroy();
    else super.finish(nowMs, last);
  }

  protected override process(data: Buffer, start: number, end: number): number {
    let pos = start;
    for (;;) {
      // A reader may put another in its place (login over, relay begins): what is left is for that one.
      const { reader } = this;
      pos = reader.process(data, pos, end);
      if (reader === this.reader || this.isStalled || this.closed) return pos;
    }
  }

  protected override gone(reason: string): void {
    if (this.isShaking) this.owner.handshakeFailed(reason);
    else this.owner.clientGone(reason);
  }

  protected override broken(error: Error): void {
    this.owner.clientBroken(error);
  }
}
