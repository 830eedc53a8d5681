/**
 * The client's messages when there is but one node to go to (one backend, or raw mode): nothing is decided, nothing is
 * held back. Only what asks for an answer is counted, and SHOW POOL_… is answered.
 */
import { errors } from '../../shared/errors.js';
import { F } from '../../shared/protocol/letters.js';
import type { ClientReader } from './client-link.js';
import { messageLimits } from './message-limits.js';
import type { Traffic } from './traffic.js';

/** A query string is looked at when all of it is there, up to this size. */
const maxHeldBytes = 65_536;

export class PlainRelay implements ClientReader {
  /** Bytes still to come of the message that is being written on. */
  private remaining = 0;
  private run = 0;

  constructor(private readonly traffic: Traffic) {}

  /** Between two messages and outside any batch. */
  get idle(): boolean {
    return this.remaining === 0 && this.traffic.current?.batchOpen !== true;
  }

  process(data: Buffer, start: number, end: number): number {
    const { traffic } = this;
    if (traffic.over) return end;
    this.run = start;
    let pos = start;
    if (this.remaining > 0) {
      const taken = Math.min(this.remaining, end - pos);
      this.remaining -= taken;
      pos += taken;
    }
    while (end - pos >= 5) {
      const letter = data[pos] as number;
      const length = ((data[pos + 1] as number) << 24) | ((data[pos + 2] as number) << 16) | ((data[pos + 3] as number) << 8) | (data[pos + 4] as number);
      if (length < 4 || length > (messageLimits[letter] as number)) return this.refuse(letter, length, data, pos, end);
      const next = pos + 1 + length;
      if (letter === F.query && next > end && length <= maxHeldBytes) break;
      if (letter === F.terminate) {
        this.flush(data, pos);
        traffic.farewell.say(traffic.current);
        return end;
      }
      if (!this.message(letter, data, pos, next, end)) break;
      if (traffic.over) return end;
      if (next > end) {
        this.remaining = next - end;
        pos = end;
        break;
      }
      pos = next;
    }
    this.flush(data, pos);
    return pos;
  }

  /** False when the message has to wait. */
  private message(letter: number, data: Buffer, pos: number, next: number, end: number): boolean {
    const { traffic } = this;
    traffic.heardFromClient();
    const link = letter === F.query ? this.query(data, pos, next, end) : traffic.choosePrimary();
    if (link === null) return false;
    if (link === 'answered') {
      this.flush(data, pos);
      this.run = next;
      return true;
    }
    switch (letter) {
      case F.query:
        link.askSimple();
        return true;
      case F.functionCall:
        link.askSimple();
        traffic.expectAnswer();
        return true;
      case F.sync:
        link.askSync();
        traffic.expectAnswer();
        return true;
      case F.copyDone:
      case F.copyFail:
        link.copyEnded();
        return true;
      case F.parse:
      case F.bind:
      case F.describe:
      case F.execute:
      case F.close:
        link.batchOpen = true;
        return true;
      default: // Flush and COPY data
        return true;
    }
  }

  private query(data: Buffer, pos: number, next: number, end: number): ReturnType<Traffic['chooseForQuery']> {
    const { traffic } = this;
    const plan = next <= end ? traffic.planOf(data, pos + 5, next - 1) : traffic.bigPlan();
    const quick = traffic.plainQuery(plan);
    if (quick !== null) return quick;
    if (plan.pool !== null) this.flush(data, pos); // it waits for what was asked before
    return traffic.chooseForQuery(plan, data, pos + 5, Math.min(next - 1, end), true);
  }

  private flush(data: Buffer, upTo: number): void {
    if (upTo > this.run) this.traffic.toBackend(data, this.run, upTo);
    this.run = upTo;
  }

  private refuse(letter: number, length: number, data: Buffer, pos: number, end: number): number {
    this.flush(data, pos);
    const known = (messageLimits[letter] as number) > 0;
    this.traffic.fail(known ? errors.badMessageLength(String.fromCharCode(letter), length) : errors.unknownMessage(letter));
    return end;
  }
}
