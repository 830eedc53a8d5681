/**
 * The client's messages on their way to the backends.
 *
 *   read buffer  [ … sent … | run: to be written to the current link | open: a batch not decided yet | unread ]
 *                            ^run                                    ^open                           ^pos
 *
 * Only headers are looked at, and of few messages a bit more. Everything else is written on as the slice of the read
 * buffer in which it came.
 */
import { errors } from '../../shared/errors.js';
import { F, TX } from '../../shared/protocol/letters.js';
import type { OwnCommand, PcpCommand, PgpoolCommand } from '../sql/own-command.js';
import type { Plan } from '../sql/plan.js';
import { Batch } from './batch.js';
import type { ClientReader } from './client-link.js';
import { messageLimits } from './message-limits.js';
import type { Traffic } from './traffic.js';
import { Statement } from './statement.js';

/** A statement or a batch is held back up to this size; what is longer is not parsed, or decided on what has been seen. */
const maxHeldBytes = 65_536;
/** Statement and portal names longer than this are refused: nobody has them, and they would have to be held. */
const maxNameBytes = 1024;

export class ClientRelay implements ClientReader {
  readonly batch = new Batch();
  /** Bytes of the undecided batch, kept by the link, that have been looked at. */
  private scanned = 0;
  /** Bytes still to come of a message that is being written on (or dropped). */
  private remaining = 0;
  private dropping = false;
  /** A batch that was split between nodes has failed: the rest of it is not to be run. */
  private skipToSync = false;
  private run = 0;
  private open = -1;
  private pos = 0;

  constructor(private readonly traffic: Traffic) {}

  get isBetweenMessages(): boolean {
    return this.remaining === 0;
  }

  /** Between two messages and outside any batch. */
  get idle(): boolean {
    return this.remaining === 0 && !this.batch.isOpen && !this.skipToSync;
  }

  /** The batch's link has answered the part that was sent there before it was split. */
  splitSettled(failed: boolean): void {
    if (!failed) return;
    this.skipToSync = true;
    this.traffic.pcp.forget();
  }

  process(data: Buffer, start: number, end: number): number {
    if (this.traffic.over) return end;
    this.run = start;
    this.pos = start + this.scanned;
    this.open = this.batch.undecided ? start : -1;
    this.scanned = 0;
    if (this.remaining > 0) this.goOn(end);
    const { traffic } = this;
    while (end - this.pos >= 5) {
      const { pos } = this;
      const letter = data[pos] as number;
      const length = ((data[pos + 1] as number) << 24) | ((data[pos + 2] as number) << 16) | ((data[pos + 3] as number) << 8) | (data[pos + 4] as number);
      if (length < 4 || length > (messageLimits[letter] as number)) return this.refuse(letter, length, data, end);
      const next = pos + 1 + length;
      if (this.skipToSync && letter !== F.sync && letter !== F.terminate) {
        this.flush(data);
        this.take(next, end, true);
        continue;
      }
      // DISCARD ALL shares its answer with nothing: what it takes back must be told apart from what comes behind it.
      if (traffic.discarding && !this.batch.isOpen && traffic.current?.countable === true) {
        traffic.waitForAnswers(null);
        return this.leave(data);
      }
      // Most messages are looked at when they are all there, large ones when their names surely are.
      if (next > end && letter !== F.copyData && (length <= maxHeldBytes || end - pos < 3 * maxNameBytes)) break;
      if (!this.message(letter, data, pos, next, end)) return this.leave(data);
      if (traffic.over) return end;
      // What follows is for a reader that logs it, or for one that does not any more.
      if (traffic.own.takeReaderChange()) return this.leave(data);
    }
    if (this.open >= 0 && (this.remaining > 0 || this.pos - this.open > maxHeldBytes)) this.decide(data);
    return this.leave(data);
  }

  /** Handles one message; false when it has to wait (nothing of it is then consumed). */
  private message(letter: number, data: Buffer, pos: number, next: number, end: number): boolean {
    const { traffic } = this;
    traffic.heardFromClient();
    switch (letter) {
      case F.query:
        return this.query(data, pos, next, end);
      case F.parse:
        return this.parse(data, pos, next, end);
      case F.bind:
        return this.bind(data, pos, next, end);
      case F.describe:
      case F.close:
        return this.describeOrClose(letter, data, pos, next, end);
      case F.execute:
        return this.execute(data, pos, next, end);
      case F.sync:
        return this.sync(data, next, end);
      case F.flush:
        if (this.batch.undecided && !this.decide(data)) return false;
        this.take(next, end, traffic.current === null);
        return true;
      case F.functionCall: {
        if (this.batch.isOpen && !this.endBatch(data)) return false;
        const link = traffic.choosePrimary();
        if (link === null) return false;
        traffic.wroteSomething();
        link.askSimple();
        this.take(next, end, false);
        return true;
      }
      case F.terminate:
        this.flush(data);
        traffic.farewell.say(traffic.current);
        return true;
      default: // COPY data and its end go where the COPY runs
        if (this.batch.undecided && !this.decide(data)) return false;
        if (letter !== F.copyData) traffic.current?.copyEnded();
        this.take(next, end, traffic.current === null);
        return true;
    }
  }

  private query(data: Buffer, pos: number, next: number, end: number): boolean {
    const { traffic, batch } = this;
    const withinBatch = batch.isOpen;
    if (withinBatch && !this.endBatch(data)) return false;
    const plan = traffic.pcp.resolved(next <= end ? traffic.texts.planOf(data, pos + 5, next - 1) : traffic.texts.bigPlan());
    if (plan === null) return false;
    if (plan.own !== null) this.flush(data); // it waits for what was asked before
    if (plan.own?.type === 'pcp') return this.pcpQuery(plan.own, next, end, withinBatch);
    const link = traffic.chooseForQuery(plan, data, pos + 5, Math.min(next - 1, end), withinBatch);
    if (link === null) return false;
    if (link === 'answered') {
      this.flush(data);
      this.run = this.pos = next;
      return true;
    }
    traffic.forgetUnnamed();
    link.forgetUnnamed();
    link.askSimple();
    this.take(next, end, false);
    return true;
  }

  /** It goes to the server as another Query. */
  private pcpQuery(own: PcpCommand, next: number, end: number, withinBatch: boolean): boolean {
    const { traffic } = this;
    const made = traffic.pcp.query(own);
    const link = made === null ? null : traffic.chooseForQuery(made.plan, made.message, 5, made.message.length - 1, withinBatch || own.acts);
    if (made === null || link === null || link === 'answered') return false;
    traffic.forgetUnnamed();
    link.forgetUnnamed();
    link.askSimple();
    link.send(made.message);
    traffic.pcp.sent(link, own);
    this.take(next, end, true);
    return true;
  }

  /** A Query or FunctionCall in an open batch: what is undecided goes to the primary with it. */
  private endBatch(data: Buffer): boolean {
    const { traffic, batch } = this;
    if (batch.undecided) {
      batch.needsPrimary = true;
      if (!this.decide(data)) return false;
    }
    if (batch.link !== null && !traffic.isPrimary(batch.link)) return this.split(data);
    batch.close();
    return true;
  }

  private parse(data: Buffer, pos: number, next: number, end: number): boolean {
    const { traffic, batch } = this;
    const limit = Math.min(next, end);
    const nameEnd = data.indexOf(0, pos + 5);
    if (nameEnd < 0 || nameEnd >= limit || nameEnd - pos > maxNameBytes) return this.malformed('Parse');
    const whole = next <= end;
    const textEnd = whole ? data.indexOf(0, nameEnd + 1) : limit;
    if (textEnd < 0 || textEnd > limit || (whole && textEnd >= limit)) return this.malformed('Parse');
    const name = nameEnd === pos + 5 ? '' : data.latin1Slice(pos + 5, nameEnd);
    if (name !== '' && this.isUnanswered(data, name)) return false;
    const plan = traffic.pcp.resolved(whole ? traffic.texts.planOf(data, nameEnd + 1, textEnd) : traffic.texts.bigPlan());
    if (plan === null) return false;
    if (plan.own !== null) return this.parseOwn(data, name, plan.own, next, end, textEnd);
    // A Parse too large to be held cannot be said again elsewhere: its plan keeps it on the primary.
    const message = whole ? Buffer.from(data.subarray(pos, next)) : Buffer.alloc(0);
    const mayLeave = traffic.texts.mayLeave(plan, data, nameEnd + 1, textEnd);
    const statement = new Statement(name, message, plan, mayLeave, false, whole ? traffic.texts.shown(data, nameEnd + 1, textEnd) : '');
    if (!this.admit(data, statement)) return false;
    // The server refuses a name that is in use: the link must know of it to do so.
    if (batch.link !== null && name !== '') this.want(data, name);
    batch.parse(statement);
    this.take(next, end, false);
    return true;
  }

  /** A statement for pgloom itself: the server gets one in its place that gives the answer (see own-sql.ts). */
  private parseOwn(data: Buffer, name: string, own: OwnCommand, next: number, end: number, textEnd: number): boolean {
    const { traffic, batch } = this;
    const statement = own.type === 'pcp' ? traffic.pcp.parsed(name, own, data.subarray(textEnd + 1, next)) : traffic.own.statement(name, own);
    if (statement === null || !this.admitOwn(data, statement)) return false;
    if (name !== '') this.want(data, name);
    batch.parse(statement);
    traffic.own.send(statement);
    this.take(next, end, true);
    return true;
  }

  /**
   * Such a statement was prepared in an earlier batch: what it tells is made new. Not while it is under way, closed, or in a
   * failed transaction, where the server would not prepare it.
   */
  private isOld(name: string, statement: Statement): boolean {
    const { traffic, batch } = this;
    const link = batch.link ?? traffic.current;
    if (batch.parsed(name) !== undefined || batch.closes.includes(name) || traffic.status === TX.failed) return false;
    return link === null || !(link.isParsing(statement) || link.isClosing(name));
  }

  private renewOwn(data: Buffer, name: string, own: PgpoolCommand, primaryOnly: boolean): boolean {
    const { traffic, batch } = this;
    const statement = traffic.own.statement(name, own);
    if (statement === null || !this.admitOwn(data, statement, primaryOnly)) return false;
    traffic.own.renew(batch.link as NonNullable<typeof batch.link>, statement);
    return true;
  }

  /** The results of pgpool_adm's functions are put into the statement that is being bound. */
  private renewPcp(data: Buffer, statement: Statement, own: PcpCommand, primaryOnly: boolean): boolean {
    const { traffic, batch } = this;
    if (own.acts && !traffic.pcp.hasAsked) {
      if (batch.undecided && !this.decide(data)) return false;
      if (batch.link !== null) return this.split(data);
      this.flush(data);
      if (!traffic.pcp.settle(null)) return false;
    }
    if (!traffic.pcp.isReady(own) || !this.admitOwn(data, statement, primaryOnly)) return false;
    traffic.pcp.renew(batch.link as NonNullable<typeof batch.link>, statement, own);
    return true;
  }

  /** It is sent apart from the client's bytes: what is before it has to be on its way. */
  private admitOwn(data: Buffer, statement: Statement, primaryOnly = false): boolean {
    if (!this.admit(data, statement, primaryOnly)) return false;
    if (this.batch.undecided && !this.decide(data)) return false;
    this.flush(data);
    return true;
  }

  private bind(data: Buffer, pos: number, next: number, end: number): boolean {
    const { traffic, batch } = this;
    const limit = Math.min(next, end);
    const portalEnd = data.indexOf(0, pos + 5);
    const nameEnd = portalEnd < 0 ? -1 : data.indexOf(0, portalEnd + 1);
    if (nameEnd < 0 || nameEnd >= limit || nameEnd - pos > 2 * maxNameBytes) return this.malformed('Bind');
    const name = nameEnd === portalEnd + 1 ? '' : data.latin1Slice(portalEnd + 1, nameEnd);
    const portal = portalEnd === pos + 5 ? '' : data.latin1Slice(pos + 5, portalEnd);
    if (this.isUnanswered(data, name)) return false;
    const statement = batch.parsed(name) ?? traffic.statementOf(name);
    const own = statement?.plan.own;
    if (statement !== undefined && own?.type === 'pcp') {
      if (!this.renewPcp(data, statement, own, portal !== '')) return false;
    } else if (statement !== undefined && own !== null && own !== undefined && own.type !== 'pcp' && this.isOld(name, statement)) {
      if (!this.renewOwn(data, name, own, portal !== '')) return false;
    } else {
      if (!this.admit(data, statement, portal !== '')) return false;
      this.want(data, name);
    }
    traffic.portals.bind(portal, statement?.plan ?? null);
    traffic.boundText = statement?.shown ?? '';
    traffic.portals.unnamedLink = batch.link;
    this.take(next, end, false);
    return true;
  }

  private describeOrClose(letter: number, data: Buffer, pos: number, next: number, end: number): boolean {
    const { traffic, batch } = this;
    if (next > end || next - pos < 7) return this.malformed('Describe or Close');
    const ofStatement = data[pos + 5] === 0x53;
    const name = data.latin1Slice(pos + 6, next - 1);
    if (ofStatement && letter === F.describe) {
      if (this.isUnanswered(data, name)) return false;
      const statement = batch.parsed(name) ?? traffic.statementOf(name);
      if (!this.admit(data, statement)) return false;
      this.want(data, name);
    } else if (ofStatement) {
      if (!this.admit(data, null)) return false;
    } else if (!this.admitPortal(data, name)) {
      return false;
    }
    if (letter === F.close) this.closing(ofStatement ? name : null);
    this.take(next, end, false);
    return true;
  }

  /**
   * A Parse or Close of this name was sent in an earlier batch and is not answered: whether the name stands for the new or the
   * old statement is known when it is. True when that has to be waited for.
   */
  private isUnanswered(data: Buffer, name: string): boolean {
    if (this.batch.parsed(name) !== undefined || this.traffic.current?.isUnanswered(name) !== true) return false;
    this.flush(data, this.open >= 0 ? this.open : this.pos);
    this.traffic.waitForAnswers(null);
    return true;
  }

  private closing(name: string | null): void {
    const { batch } = this;
    if (batch.link !== null) batch.link.expectClose(name);
    else batch.closes.push(name);
  }

  private execute(data: Buffer, pos: number, next: number, end: number): boolean {
    const { traffic } = this;
    const nameEnd = data.indexOf(0, pos + 5);
    if (next > end || nameEnd < 0 || nameEnd >= next) return this.malformed('Execute');
    const portal = nameEnd === pos + 5 ? '' : data.latin1Slice(pos + 5, nameEnd);
    if (!this.admitPortal(data, portal)) return false;
    const plan = traffic.portals.plan(portal);
    if (this.batch.link === null) this.batch.execute(plan);
    else traffic.portalExecuted(plan);
    this.take(next, end, false);
    return true;
  }

  private sync(data: Buffer, next: number, end: number): boolean {
    const { traffic, batch } = this;
    this.skipToSync = false;
    if (batch.undecided && !this.decide(data)) return false;
    const link = traffic.current ?? traffic.choosePrimary();
    if (link === null) return false;
    link.askSync();
    traffic.router.statementSent();
    traffic.expectAnswer();
    batch.close();
    this.take(next, end, false);
    return true;
  }

  /* ---- batches ---- */

  /**
   * Lets a message of a batch in: it opens a batch, joins the undecided one, or has to fit the link the batch runs on.
   * @param statement what it is about; undefined when the session does not know it, null when that does not matter
   */
  private admit(data: Buffer, statement: Statement | null | undefined, primaryOnly = false): boolean {
    const { traffic, batch } = this;
    if (batch.link !== null) {
      const fits = statement === null || traffic.fits(batch.link, statement, primaryOnly);
      if (fits === 'wait') {
        this.flush(data);
        return false;
      }
      if (fits) return true;
      return this.split(data);
    }
    if (!batch.undecided) {
      batch.undecided = true;
      this.open = this.pos;
    }
    if (statement === undefined || primaryOnly) batch.needsPrimary = true;
    else if (statement !== null && batch.touched.at(-1) !== statement) batch.touched.push(statement);
    return true;
  }

  /** Execute, Describe or Close of a portal: bound in this batch, or living where it was bound. */
  private admitPortal(data: Buffer, portal: string): boolean {
    const { traffic, batch } = this;
    // Named portals are the primary's.
    if (batch.isOpen) return portal === '' || this.admit(data, undefined, true);
    if (!this.admit(data, null)) return false;
    if (portal !== '') batch.needsPrimary = true;
    else if (traffic.portals.unnamedLink !== null) {
      batch.needsPortal = true;
      // What may follow is judged by itself: a write cannot go where the portal is.
      return this.decide(data);
    }
    return true;
  }

  /** The batch runs on the reader and now needs the primary: close it there, and go on when all is answered. */
  private split(data: Buffer): boolean {
    const { traffic, batch } = this;
    const link = batch.link as NonNullable<typeof batch.link>;
    this.flush(data);
    link.endBatchSilently();
    batch.close();
    traffic.waitForAnswers(link);
    return false;
  }

  /** The name must be known to the link before the message goes there. */
  private want(data: Buffer, name: string): void {
    const { traffic, batch } = this;
    if (batch.parsed(name) !== undefined) return;
    if (batch.link === null) {
      if (!batch.wanted.includes(name)) batch.wanted.push(name);
      return;
    }
    this.flush(data);
    traffic.linkState.prepareWithin(batch.link, name);
  }

  /** Chooses the node for the undecided batch; false when that has to wait. */
  private decide(data: Buffer): boolean {
    const { traffic, batch } = this;
    if (traffic.current !== null && this.open > this.run) this.flush(data, this.open);
    const link = traffic.chooseForBatch(batch);
    if (link === null) return false;
    batch.book(link, this.booked);
    if (batch.needsPrimary) traffic.router.keepTransaction();
    batch.decided(link);
    link.batchOpen = true;
    traffic.portals.unnamedLink = link;
    this.open = -1;
    return true;
  }

  private readonly booked = (plan: Plan | null): void => this.traffic.portalExecuted(plan);

  /* ---- bytes ---- */

  private goOn(end: number): void {
    const taken = Math.min(this.remaining, end - this.pos);
    this.remaining -= taken;
    this.pos += taken;
    if (this.dropping) this.run = this.pos;
  }

  /** Moves past a message, of which the rest may still be to come. */
  private take(next: number, end: number, drop: boolean): void {
    if (next > end) {
      this.remaining = next - end;
      this.dropping = drop;
      this.pos = end;
    } else {
      this.pos = next;
    }
    if (drop) this.run = this.pos;
  }

  /** Writes what is ready to the current link. */
  private flush(data: Buffer, upTo: number = this.pos): void {
    if (upTo > this.run) this.traffic.toBackend(data, this.run, upTo);
    this.run = upTo;
  }

  /** The end of this round: what can go goes, what is undecided is kept and not looked at again. */
  private leave(data: Buffer): number {
    if (this.open < 0) {
      this.flush(data);
      return this.pos;
    }
    this.flush(data, this.open);
    this.scanned = this.pos - this.open;
    return this.open;
  }

  private malformed(what: string): boolean {
    this.traffic.fail(errors.protocolViolation(`invalid ${what} message`));
    return true;
  }

  private refuse(letter: number, length: number, data: Buffer, end: number): number {
    this.flush(data);
    const known = (messageLimits[letter] as number) > 0;
    this.traffic.fail(known ? errors.badMessageLength(String.fromCharCode(letter), length) : errors.unknownMessage(letter));
    return end;
  }
}
