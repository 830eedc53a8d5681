/** The link towards the client: hands what it reads to the startup phase first, to the relay afterwards. */
import { Socket } from 'node:net';
import { Link } from '../link.js';

export interface ClientReader {
  /** As Link.process. */
  process(data: Buffer, start: number, end: number): number;
}

export interface ClientOwner {
  clientGone(reason: string): void;
  clientBroken(error: Error): void;
}

export class ClientLink extends Link {
  /** Who reads now. */
  reader!: ClientReader;

  constructor(fd: number, private readonly owner: ClientOwner) {
    super();
    this.adopt(new Socket({ fd, readable: true, writable: true, onread: this.readOptions() } as ConstructorParameters<typeof Socket>[0]));
  }

  /** Shows bytes that were read before the socket came to this thread. */
  feedHead(head: Uint8Array): void {
    if (head.length > 0) this.feed(Buffer.from(head));
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
    this.owner.clientGone(reason);
  }

  protected override broken(error: Error): void {
    this.owner.clientBroken(error);
  }
}
