/**
 * The client's messages when there is but one node to go to (one backend, or raw mode): nothing is decided, nothing is
 * held back. Only what asks for an answer is counted, and SHOW POOL_… is answered.
 */
import { errors } from '../../shared/errors.js';
import { F, TX } from '../../shared/protocol/letters.js';
import type { ClientReader } from './client-link.js';
import type { BackendLink } from '../backend/backend-link.js';
import { messageLimits } from './message-limits.js';
import { PlainPortals } from './plain-portals.js';
import type { PcpCommand, PgpoolCommand } from '../sql/own-command.js';
import type { Traffic } from './traffic.js';

/** A query string is looked at when all of it is there, up to this size. */
const maxHeldBytes = 65_536;
/** No longer name is looked for. */
const maxNameBytes = 1024;

export class PlainRelay implements ClientReader {
  /** Bytes still to come of the message that is being written on. */
  private remaining = 0;
  private run = 0;
  /** A batch that was ended in its middle has failed: the rest of it is not to be run. */
  private skipToSync = false;
  private readonly portals = new PlainPortals();

  constructor(private readonly traffic: Traffic) {}

  get isBetweenMessages(): boolean {
    return this.remaining === 0;
  }

  /** Between two messages and outside any batch. */
  get idle(): boolean {
    return this.remaining === 0 && this.traffic.current?.batchOpen !== true && !this.skipToSync;
  }

  /** What was sent of a batch before it was ended in its middle is answered. */
  splitSettled(failed: boolean): void {
    this.skipToSync = failed;
    if (failed) this.traffic.pcp.forget();
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
      if (this.skipToSync) this.run = pos;
    }
    while (end - pos >= 5) {
      const letter = data[pos] as number;
      const length = ((data[pos + 1] as number) << 24) | ((data[pos + 2] as number) << 16) | ((data[pos + 3] as number) << 8) | (data[pos + 4] as number);
      if (length < 4 || length > (messageLimits[letter] as number)) return this.refuse(letter, length, data, pos, end);
      const next = pos + 1 + length;
      // Copied data is passed on as it comes; of the rest the beginning is looked at, when all of it is there if it is short.
      if (next > end && letter !== F.copyData && (length <= maxHeldBytes || end - pos < 3 * maxNameBytes)) break;
      if (letter === F.terminate) {
        this.flush(data, pos);
        traffic.farewell.say(traffic.current);
        return end;
      }
      if (this.skipToSync) {
        this.skipToSync = letter !== F.sync;
        if (this.skipToSync) {
          this.remaining = Math.max(0, next - end);
          this.run = pos = Math.min(next, end);
          continue;
        }
      }
      if (!this.message(letter, data, pos, next, end)) break;
      if (traffic.over) return end;
      if (traffic.own.takeReaderChange()) {
        pos = next;
        break;
      }
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
        // The server drops its unnamed statement.
        this.portals.forgetUnnamed();
        link.forgetUnnamed();
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
        return this.parse(link, data, pos, next, end);
      case F.bind:
        return this.bind(link, data, pos, next, end);
      case F.execute: {
        const { counts, own, text } = this.portals.executed(data, pos, Math.min(next, end));
        if (own === null || own.type === 'pcp') traffic.counted(link, counts, text);
        else traffic.own.executed(own);
        link.batchOpen = true;
        return true;
      }
      case F.close:
        this.portals.close(data, pos, Math.min(next, end));
        link.batchOpen = true;
        return true;
      case F.describe:
        link.batchOpen = true;
        return true;
      default: // Flush and COPY data
        return true;
    }
  }

  private parse(link: BackendLink, data: Buffer, pos: number, next: number, end: number): boolean {
    const { traffic } = this;
    const asked = next <= end ? this.portals.parse(data, pos, next, link.asked, (from, to) => traffic.pcp.resolved(traffic.texts.planOf(data, from, to))) : null;
    if (asked === 'wait') return false;
    if (asked !== null) {
      // The server gets one in its place that gives the answer (see own-sql.ts).
      this.flush(data, pos);
      const { name, own, types } = asked;
      const statement = own.type === 'pcp' ? traffic.pcp.parsed(name, own, types) : traffic.own.statement(name, own);
      if (statement === null) return false;
      // With nothing unanswered before it, its ParseComplete is known by its place.
      if (own.type !== 'pcp' && link.quiet) link.expectParse(statement, false);
      traffic.own.send(statement);
      this.run = next;
    }
    link.batchOpen = true;
    return true;
  }

  private bind(link: BackendLink, data: Buffer, pos: number, next: number, end: number): boolean {
    const { traffic } = this;
    const { pcp } = traffic;
    const bound = this.portals.bind(data, pos, Math.min(next, end));
    const own = bound?.statement.own;
    if (bound !== null && own?.type === 'pcp') {
      this.flush(data, pos);
      // Nothing may be unanswered: what is put in silently is told from the client's messages by its place.
      if (!pcp.hasAsked && !pcp.settle(link)) return false;
      if (!pcp.isReady(own)) return false;
      pcp.renew(link, pcp.parsed(bound.name, own, bound.statement.types), own);
    } else if (bound !== null && own !== null && own !== undefined && bound.statement.batch !== link.asked) {
      // Prepared in an earlier batch: what it tells is made new where a batch begins. Further inside it stays as it is.
      this.flush(data, pos);
      const isKnown = link.quiet && link.statements.get(bound.name)?.plan.own === own && traffic.status !== TX.failed;
      const statement = isKnown ? traffic.own.statement(bound.name, own as PgpoolCommand) : undefined;
      if (statement === null) return false;
      if (statement !== undefined) traffic.own.renew(link, statement);
    }
    link.batchOpen = true;
    return true;
  }

  private query(data: Buffer, pos: number, next: number, end: number): ReturnType<Traffic['chooseForQuery']> {
    const { traffic } = this;
    const plan = traffic.pcp.resolved(next <= end ? traffic.texts.planOf(data, pos + 5, next - 1) : traffic.texts.bigPlan());
    if (plan === null) return null;
    const quick = traffic.plainQuery(plan, data, pos + 5, Math.min(next - 1, end));
    if (quick !== null) return quick;
    if (plan.own !== null) this.flush(data, pos); // it waits for what was asked before
    if (plan.own?.type === 'pcp') return this.pcpQuery(plan.own, next);
    return traffic.chooseForQuery(plan, data, pos + 5, Math.min(next - 1, end), true);
  }

  /** It goes to the server as another Query. */
  private pcpQuery(own: PcpCommand, next: number): ReturnType<Traffic['chooseForQuery']> {
    const { traffic } = this;
    const made = traffic.pcp.query(own);
    const link = made === null ? null : traffic.chooseForQuery(made.plan, made.message, 5, made.message.length - 1, true);
    if (made === null || link === null || link === 'answered') return link;
    link.send(made.message);
    traffic.pcp.sent(link, own);
    this.run = next;
    return link;
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
