/**
 * Follows a stream of messages that something else handles, by their headers alone, however it is split:
 *
 *   … Q 0 0 0 14 | select 1 \0 | S 0 0 0 4 | …      message('Q', payload), message('S', empty)
 */
import { largeMessageBytes } from '../../shared/protocol/letters.js';

export interface FrameListener {
  /**
   * A message has come to its end.
   * @param payload its beginning: all of it, or as much as is kept. Only valid during the call
   * @param payloadBytes how long the payload is in truth
   */
  message(letter: number, payload: Buffer, payloadBytes: number): void;
}

const headerSize = 5;
const nothing: Buffer = Buffer.alloc(0);

export class FrameFollower {
  private readonly header = Buffer.alloc(headerSize);
  private headerBytes = 0;
  private payloadBytes = 0;
  /** Bytes of the payload still to come, once the header is whole. */
  private remaining = 0;
  private kept: Buffer = nothing;
  private keptBytes = 0;
  private stopped = false;

  /**
   * @param letters the messages that may come: at any other, or an impossible length, the follower gives up silently
   * @param keepBytes how much of a payload is kept at most
   */
  constructor(private readonly letters: ReadonlyMap<number, unknown>, private readonly keepBytes: number, private readonly listener: FrameListener) {}

  /** What follows is no messages any more. */
  stop(): void {
    this.stopped = true;
  }

  /** data[from, to) has been read. Each byte is to be shown once. */
  read(data: Buffer, from: number, to: number): void {
    let pos = from;
    while (pos < to && !this.stopped) {
      pos = this.headerBytes < headerSize ? this.readHeader(data, pos, to) : this.readPayload(data, pos, to);
    }
  }

  private readHeader(data: Buffer, pos: number, to: number): number {
    const { header } = this;
    const taken = data.copy(header, this.headerBytes, pos, Math.min(to, pos + headerSize - this.headerBytes));
    this.headerBytes += taken;
    if (this.headerBytes < headerSize) return pos + taken;
    const length = header.readInt32BE(1);
    if (length < 4 || length > largeMessageBytes || !this.letters.has(header[0] as number)) this.stop();
    else if (length === 4) this.end(nothing, 0);
    else this.payloadBytes = this.remaining = length - 4;
    return pos + taken;
  }

  private readPayload(data: Buffer, pos: number, to: number): number {
    const taken = Math.min(this.remaining, to - pos);
    const wantedBytes = Math.min(this.payloadBytes, this.keepBytes);
    if (taken === this.payloadBytes) {
      this.end(data.subarray(pos, pos + wantedBytes), taken);
      return pos + taken;
    }
    if (this.remaining === this.payloadBytes) {
      this.kept = Buffer.allocUnsafe(wantedBytes);
      this.keptBytes = 0;
    }
    this.keptBytes += data.copy(this.kept, this.keptBytes, pos, pos + taken);
    this.remaining -= taken;
    if (this.remaining === 0) this.end(this.kept, this.payloadBytes);
    return pos + taken;
  }

  private end(payload: Buffer, payloadBytes: number): void {
    this.headerBytes = 0;
    this.kept = nothing;
    this.listener.message(this.header[0] as number, payload, payloadBytes);
  }
}
