/**
 * Writing to a TLS socket. OpenSSL takes the bytes at once (it keeps them encrypted), but only one write at a time: Node's TLS
 * handle ends the process when a second one comes before the first is over. What comes meanwhile is kept here and goes out as
 * one write, so nothing else may write to the socket.
 */
import type { Socket } from 'node:net';
import { directWriter, Written } from './direct-write.js';

/** Who writes more than this ahead of the socket has to wait. */
const maxQueuedBytes = 65_536;
/** More than this is not copied: its owner waits until it is taken. */
const maxCopiedBytes = 4096;

export class TlsWriter {
  private isBusy = false;
  private queue: Buffer[] = [];
  private queuedBytes = 0;
  private waiting: (() => void)[] = [];
  private isEnding = false;

  constructor(private readonly socket: Socket) {
    socket.once('close', () => this.abandon());
  }

  /** Bytes that OpenSSL has not been given yet. */
  get pendingBytes(): number {
    return this.queuedBytes;
  }

  get isFull(): boolean {
    return this.queuedBytes > maxQueuedBytes;
  }

  /**
   * Writes bytes that somebody will change.
   * @returns false when they must not change before `whenTaken` has called back
   */
  offer(bytes: Buffer): boolean {
    const isCopied = !this.isBusy || bytes.length <= maxCopiedBytes;
    this.write(bytes, !isCopied);
    return isCopied;
  }

  /** @param isStable nobody else will change the bytes */
  write(bytes: Buffer, isStable: boolean): void {
    if (bytes.length === 0) return;
    if (!this.isBusy) return this.start(bytes, isStable);
    this.queue.push(isStable ? bytes : Buffer.from(bytes));
    this.queuedBytes += bytes.length;
  }

  /** Calls back when OpenSSL has been given all, or the socket is gone. */
  whenTaken(callback: () => void): void {
    if (this.queuedBytes === 0) callback();
    else this.waiting.push(callback);
  }

  /** Ends the connection in order when all is written. */
  end(): void {
    this.isEnding = true;
    if (!this.isBusy) this.socket.end();
  }

  private start(bytes: Buffer, isStable: boolean): void {
    const { socket } = this;
    if (socket.destroyed) return;
    this.isBusy = true;
    if (directWriter === null) {
      socket.write(isStable ? bytes : Buffer.from(bytes), this.over);
      return;
    }
    const written = directWriter.write(socket, bytes, this.over);
    if (written === Written.done) this.isBusy = false;
    if (written === Written.failed) socket.destroy(new Error('write failed'));
  }

  private readonly over = (): void => {
    this.isBusy = false;
    const { queue, waiting } = this;
    if (queue.length > 0) {
      this.queue = [];
      this.queuedBytes = 0;
      this.start(queue.length === 1 ? (queue[0] as Buffer) : Buffer.concat(queue), true);
    }
    if (waiting.length > 0) this.tellWaiting();
    if (this.isEnding && !this.isBusy) this.socket.end();
  };

  /** Whoever waits must not wait for ever. */
  private abandon(): void {
    this.queue = [];
    this.queuedBytes = 0;
    this.tellWaiting();
  }

  private tellWaiting(): void {
    const { waiting } = this;
    this.waiting = [];
    for (const callback of waiting) callback();
  }
}
