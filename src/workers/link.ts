/**
 * A link: one socket with its read buffer, towards a client or towards a backend.
 *
 *   socket ──read──▶ buffer ──process()──▶ slices written to the other link, without copying
 *                      └── what process() leaves (half a message, a stall) ──▶ carry
 *
 * Back-pressure: when a slice could not be written at once, the other socket owns it, so this link stops reading
 * until that socket has drained; the read buffer is therefore never overwritten under a pending write.
 */
import type { Socket, OnReadOpts } from 'node:net';
import { isOfOpenSsl, openSslReason } from '../shared/tls/backend-tls.js';
import { directWriter, Written } from './direct-write.js';
import { readInto } from './late-reader.js';
import { giveBack, largeBytes, smallBytes, takeLarge, takeSmall } from './read-buffers.js';
import { TlsWriter } from './tls-writer.js';

const empty: Buffer = Buffer.alloc(0);
/** How long a closing link may take to deliver its last bytes before it is destroyed. */
export const lingerMs = 5000;
/** The reason when there is no other. */
export const connectionClosed = 'connection closed';

/** Is shown what a link reads and writes, each byte once, before anything is done with it. */
export interface Tap {
  read(data: Buffer, from: number, to: number): void;
  wrote(data: Buffer, from: number, to: number): void;
}

export abstract class Link {
  socket!: Socket;
  private buffer: Buffer = takeSmall();
  private carry: Buffer | null = null;
  private carryLength = 0;
  /** Reasons not to read: a stall of the relay, and the number of peers that have not drained. */
  private stalled = false;
  private undrained = 0;
  /** The peer has gone in order, and what it sent before is not done yet. */
  private hasLeft = false;
  /** Since the stall began, or since the peer was seen to have left: see listenIfStalled. */
  private waitedTicks = 0;
  private wantLarge = false;
  private lastView: Buffer = empty;
  private processing = false;
  /** Null without TLS: then the socket itself is written to. */
  private encrypted: TlsWriter | null = null;
  /** A pending write owns slices of the buffer that is read into. */
  private bufferIsOwned = false;
  /** How often reading has begun: anew when TLS takes the place of the socket so far. */
  private readings = 0;
  /** A buffer that such a write still owns while another one is read into. */
  private lent: Buffer | null = null;
  closed = false;
  /** null but for a link whose messages are logged. */
  tap: Tap | null = null;
  /** Time in ms at which the link is destroyed whatever happens; 0 = none. */
  destroyAtMs = 0;

  /**
   * Looks at data[start, end) and returns the position up to which it is done with the bytes. What is left is kept
   * and shown again, with what follows it, at the next call.
   */
  protected abstract process(data: Buffer, start: number, end: number): number;

  /** The socket has closed (or failed, with the reason). Called once. */
  protected abstract gone(reason: string): void;

  /** process() threw: the link's state is not to be trusted any more. */
  protected abstract broken(error: Error): void;

  /**
   * Options for the constructor or connect() of one socket, and no other: Node asks a socket for its next buffer also after
   * the read in which TLS has taken its place, and what it does then must not touch the buffer that TLS reads into.
   */
  protected readOptions(): OnReadOpts {
    const reading = ++this.readings;
    let hasRead = false;
    return {
      // Asked for the first buffer of each attempt to connect and after each read; what is no buffer means "keep the last one".
      buffer: (() => (hasRead ? (reading === this.readings ? this.nextBuffer() : undefined) : this.buffer)) as () => Uint8Array,
      callback: (bytes: number, from: Uint8Array): boolean => {
        if (reading !== this.readings) return true;
        hasRead = true;
        if (from !== this.buffer) return this.strayed();
        const isToGoOn = this.received(bytes, from);
        // "No" would stop the reading of TLS, which goes through this socket.
        return isToGoOn || reading !== this.readings;
      },
    };
  }

  /** Read into a buffer that may be another link's: never to happen, and if it does then this session ends here. */
  private strayed(): boolean {
    if (this.closed) return true;
    this.broken(new Error('a socket reads into a buffer that is not its own'));
    this.socket.destroy();
    return true;
  }

  protected adopt(socket: Socket): void {
    this.socket = socket;
    let reason = connectionClosed;
    socket.on('error', (error: NodeJS.ErrnoException) => {
      reason = isOfOpenSsl(error) ? openSslReason(error) : error.code ?? error.message;
    });
    socket.on('close', () => {
      if (this.socket !== socket) return; // TLS has taken its place
      if (this.closed) {
        this.freeBuffer();
        return;
      }
      if (!this.stalled || this.carryLength === 0 || reason !== connectionClosed) return this.left(reason);
      this.hasLeft = true;
      this.waitedTicks = 0;
    });
  }

  private left(reason: string): void {
    this.closed = true;
    this.gone(reason);
    this.freeBuffer();
  }

  /**
   * Goes on with a socket that nothing reads yet: TLS over the one so far, or that one itself.
   * Of TLS, OpenSSL keeps the bytes written and read in memory of its own, so no buffer of ours is bound for long.
   */
  goOn(socket: Socket): void {
    if (socket !== this.socket) {
      this.encrypted = new TlsWriter(socket);
      this.adopt(socket);
    }
    if (!readInto(socket, this.buffer, this.readOptions())) {
      socket.on('data', (bytes: Buffer) => {
        if (!this.received(bytes.length, bytes)) socket.pause();
      });
    }
    socket.resume();
  }

  get isEncrypted(): boolean {
    return this.encrypted !== null;
  }

  private freeBuffer(): void {
    // A pending write of another socket may still own slices of the buffer: only an idle one goes back.
    if (this.undrained === 0) giveBack(this.buffer);
    this.carry = null;
  }

  /** After a read. Undefined: the buffer stays. */
  private nextBuffer(): Uint8Array | undefined {
    if (this.undrained > 0) {
      // TLS gives what it has decrypted even to a socket that is paused: it must not go where a pending write still reads.
      if (this.encrypted === null || !this.bufferIsOwned) return undefined;
      this.bufferIsOwned = false;
      this.lent = this.buffer;
      return (this.buffer = this.wantLarge ? takeLarge() : takeSmall());
    }
    if (this.wantLarge === (this.buffer.length === largeBytes)) return undefined;
    const old = this.buffer;
    this.buffer = this.wantLarge ? takeLarge() : takeSmall();
    giveBack(old);
    return this.buffer;
  }

  private received(bytes: number, from: Uint8Array): boolean {
    if (this.closed) return true; // what still comes after our last words is dropped
    if (this.tap !== null) this.tap.read(from as Buffer, 0, bytes);
    if (this.stalled || (this.encrypted !== null && this.undrained > 0)) {
      this.append(from as Buffer, bytes);
      return this.mayRead;
    }
    this.wantLarge = bytes === from.length || (from.length === largeBytes && bytes > smallBytes);
    if (this.carryLength === 0) {
      this.run(from as Buffer, bytes);
    } else {
      this.append(from as Buffer, bytes);
      this.run(this.carry as Buffer, this.carryLength);
    }
    return this.mayRead;
  }

  private get mayRead(): boolean {
    return this.undrained === 0 && (this.closed || !this.stalled || (this.hasWaited && this.carryLength < largeBytes));
  }

  private get hasWaited(): boolean {
    return this.waitedTicks > lingerMs / 1000;
  }

  private run(data: Buffer, end: number): void {
    // While it is being processed it is nobody's carry: whoever asks now is told what is really left over.
    this.carry = null;
    this.carryLength = 0;
    this.processing = true;
    let done = end;
    try {
      done = this.process(data, 0, end);
    } catch (error) {
      // A fault of ours must cost one session, not all of the worker's.
      this.broken(error as Error);
    }
    this.processing = false;
    if (this.closed) done = end;
    // Done with all of it. If it was the carry, a pending write may own it: it is never used again.
    if (done >= end) return;
    if (data.length > end && done === 0 && data !== this.buffer) {
      this.carry = data;
      this.carryLength = end;
      return;
    }
    const left = end - done;
    const kept = Buffer.allocUnsafeSlow(Math.max(512, left));
    data.copy(kept, 0, done, end);
    this.carry = kept;
    this.carryLength = left;
  }

  private append(from: Buffer, bytes: number): void {
    const need = this.carryLength + bytes;
    if (this.carry === null || this.carry.length < need) {
      const grown = Buffer.allocUnsafeSlow(Math.max(need, 2 * (this.carry?.length ?? 256)));
      this.carry?.copy(grown, 0, 0, this.carryLength);
      this.carry = grown;
    }
    from.copy(this.carry, this.carryLength, 0, bytes);
    this.carryLength = need;
  }

  /** A write of what this link read has not gone out yet. */
  get isHeldBack(): boolean {
    return this.undrained > 0;
  }

  /** Bytes received and not yet processed. */
  get unprocessed(): number {
    return this.carryLength;
  }

  /** Gives the link bytes as if they had just been read (what another thread read before the hand-over). */
  protected feed(bytes: Buffer): void {
    this.append(bytes, bytes.length);
    this.proceed();
  }

  /** Stops processing and reading until `proceed`. To be followed by a return from process(). */
  stall(): void {
    this.stalled = true;
    if (!this.processing) this.socket.pause();
  }

  get isStalled(): boolean {
    return this.stalled;
  }

  /**
   * Call it once a second. While a link is stalled it does not read, and cannot know that its peer has gone. So after `lingerMs` it
   * reads on into memory, which ends when much is there, or a pending write owns the buffer: then it goes on not to know. A peer may send
   * all that it wants, and leave: that is done first, if it takes no longer than `lingerMs` from when we know.
   */
  listenIfStalled(): void {
    if (this.closed || !(this.stalled || this.hasLeft)) return;
    this.waitedTicks++;
    if (!this.hasWaited) return;
    if (this.hasLeft) this.left(connectionClosed);
    else if (this.mayRead) this.socket.resume();
  }

  /** Goes on after a stall: first with what was kept, then with reading. */
  proceed(): void {
    if (this.closed) return;
    const hasListened = this.hasWaited;
    this.stalled = false;
    if (!this.hasLeft) this.waitedTicks = 0;
    if (this.carryLength > 0 && this.undrained === 0) this.run(this.carry as Buffer, this.carryLength);
    if (this.closed) return;
    if (this.hasLeft) {
      if (!this.stalled && this.undrained === 0) this.left(connectionClosed);
      return;
    }
    if (this.mayRead) this.socket.resume();
    else if (hasListened) this.socket.pause();
  }

  /**
   * Writes data[start, end), read by `source`. If it cannot be written at once, `source` stops reading until it is.
   */
  forward(data: Buffer, start: number, end: number, source: Link): void {
    if (start >= end || this.closed || this.hasLeft) return;
    if (this.tap !== null) this.tap.wrote(data, start, end);
    const { socket } = this;
    const bytes = source.view(data, start, end);
    if (this.encrypted !== null) return this.forwardEncrypted(this.encrypted, bytes, source);
    if (directWriter !== null && socket.writableLength === 0 && !socket.destroyed) {
      const written = directWriter.write(socket, bytes, source.drained);
      if (written === Written.done) return;
      if (written === Written.failed) {
        socket.destroy(new Error('write failed'));
        return;
      }
      source.hold();
      return;
    }
    socket.write(bytes);
    if (socket.writableLength > 0) {
      source.hold();
      // An empty write behind the pending one: its callback runs when everything before it has gone out.
      socket.write(empty, source.drained);
    }
  }

  private forwardEncrypted(writer: TlsWriter, bytes: Buffer, source: Link): void {
    const isTaken = writer.offer(bytes);
    if (isTaken && !writer.isFull) return;
    source.hold();
    writer.whenTaken(source.drained);
  }

  /** data[start, end) as a buffer of its own. The views of equal messages are equal: the last one is kept. */
  private view(data: Buffer, start: number, end: number): Buffer {
    if (start !== 0) return data.subarray(start, end);
    const { lastView } = this;
    if (lastView.length === end && data === this.buffer && lastView.buffer === data.buffer && lastView.byteOffset === data.byteOffset) return lastView;
    return (this.lastView = data.subarray(0, end));
  }

  private hold(): void {
    this.undrained++;
    this.bufferIsOwned = true;
    if (!this.processing) this.socket.pause();
  }

  /** What a write of ours to another link was waiting for has happened. */
  private readonly drained = (): void => {
    this.undrained--;
    if (this.undrained > 0) return;
    this.bufferIsOwned = false;
    if (this.lent !== null) giveBack(this.lent);
    this.lent = null;
    if (this.closed) this.socket.resume();
    else if (!this.stalled) this.proceed();
  };

  /** Writes bytes that nobody else will change. */
  send(bytes: Buffer): void {
    if (this.closed || this.hasLeft) return;
    if (this.tap !== null) this.tap.wrote(bytes, 0, bytes.length);
    if (this.encrypted === null) this.socket.write(bytes);
    else this.encrypted.write(bytes, true);
  }

  /** Bytes given to the socket that the kernel has not taken yet. */
  get pendingBytes(): number {
    return this.encrypted?.pendingBytes ?? this.socket.writableLength;
  }

  /** Closes in order: what was written is delivered, for `lingerMs` at most. `gone` is not called. */
  finish(nowMs: number, last?: Buffer): void {
    if (this.closed) return;
    this.closed = true;
    if (this.hasLeft) return this.freeBuffer();
    this.destroyAtMs = nowMs + lingerMs;
    const { socket } = this;
    // Not the socket's own timeout, which a peer that keeps sending would put off for ever.
    const timer = setTimeout(() => socket.destroy(), lingerMs);
    socket.once('close', () => clearTimeout(timer));
    if (this.encrypted !== null) {
      if (last !== undefined) this.encrypted.write(last, true);
      this.encrypted.end();
    } else if (last === undefined) {
      socket.end();
    } else {
      socket.end(last);
    }
    // Reading on (and dropping) what the peer still sends keeps a reset from overtaking our last words. Not while another
    // link's pending write owns the read buffer: that client would get what comes now in place of its bytes.
    if (this.undrained === 0) socket.resume();
  }

  /** Closes at once. `gone` is not called. */
  destroy(): void {
    this.closed = true;
    this.socket.destroy();
  }
}
