/**
 * A link to a backend: logged in, counted, and relayed to at most one session at a time.
 *
 *   connecting ──▶ login ──▶ ready (a session's) ──▶ resetting ──▶ ready (in the pool) ──▶ …
 *                                │
 *                                └── asking (pgloom's own query, see ask.ts)
 *
 * Reply debt: every Query, FunctionCall and Sync sent asks for one ReadyForQuery. `asked - answered` is the debt; a
 * link may go back to the pool, and a session may turn to another link, only when it is zero.
 * `swallow` of the next answers belong to messages pgloom has put in itself and are not shown to the client; they are
 * only ever put in at debt zero, so they come first.
 */
import type { Socket } from 'node:net';
import { B, TX, largeMessageBytes } from '../../shared/protocol/letters.js';
import { syncMessage } from '../../shared/protocol/writer.js';
import { authenticationOk, parameterStatus } from '../../shared/protocol/writer.js';
import type { ChannelBinding } from '../../shared/auth/scram.js';
import type { ServerMethod } from '../../shared/auth/server-login.js';
import { Link } from '../link.js';
import type { Statement } from '../session/statement.js';

/** What a link needs from whoever uses it; the session, the login, the reset and the catalog questions implement it. */
export interface LinkUser {
  /** Bytes of whole or partial messages to pass on; `boundary` is false when a message goes on in the next call. */
  relay(link: BackendLink, data: Buffer, start: number, end: number): void;
  /** The ReadyForQuery that brings the debt to zero is there, and is relayed next: the client cannot know yet. */
  complete(link: BackendLink): void;
  /** A ReadyForQuery has brought the debt to zero; `own`: it answered what pgloom had put in. */
  settled(link: BackendLink, own: boolean): void;
  /** A statement has been prepared (`1` received). */
  prepared(link: BackendLink, statement: Statement): void;
  /** The client's Close of a statement was done, or a Parse that failed took the unnamed one with it. */
  unprepared(link: BackendLink, name: string): void;
  /** The server now wants COPY data, or its answers cannot be counted any more: who waits for them has to look again. */
  changed(link: BackendLink): void;
  /** A notification, a notice or (from the primary) a parameter status that nobody asked for. */
  unasked(link: BackendLink, message: Buffer, letter: number): void;
  /** An ErrorResponse passes; true when it answers what pgloom had put in (it is then not relayed). */
  failed(link: BackendLink, message: Buffer | null, swallowed: boolean): void;
  /** The socket is gone, or the server has left the protocol. */
  lost(link: BackendLink, reason: string): void;
  /** An exception in our own code. */
  broken(link: BackendLink, error: Error): void;
}

/** Takes whole messages during login. */
export interface Handshake {
  message(link: BackendLink, letter: number, payload: Buffer): void;
  lost(link: BackendLink, reason: string): void;
}

/** How the relay treats a backend message: 1 = part of an answer, 2 = to be looked at, 3 = both, 0 = does not exist. */
const treatment = new Uint8Array(256);
for (const letter of [B.bindComplete, B.commandComplete, B.dataRow, B.emptyQuery, B.rowDescription, B.functionResult,
  B.copyDone, B.copyData, B.noData, B.portalSuspended, B.parameterDescription, B.copyOut, B.copyBoth]) treatment[letter] = 1;
for (const letter of [B.parseComplete, B.closeComplete, B.copyIn]) treatment[letter] = 3;
for (const letter of [B.notification, B.error, B.notice, B.parameterStatus, B.readyForQuery]) treatment[letter] = 2;

/** Notices, errors and the like are held whole up to this size; larger ones are passed on unseen. */
const maxHeldBytes = 65_536;

/** Batch number of what pgloom puts in by itself. */
const ownBatch = -1;

interface PendingParse {
  readonly statement: Statement;
  /** Value of `asked` when it was sent: once that many answers plus one have come, it has failed. */
  batch: number;
  readonly swallowed: boolean;
  /** A Query behind it drops the unnamed statement again. */
  dropped: boolean;
}

interface PendingClose {
  /** Of the statement; null for a portal. */
  readonly name: string | null;
  /** As PendingParse.batch. */
  batch: number;
  readonly swallowed: boolean;
}

export class BackendLink extends Link {
  pid = 0;
  key: Buffer = Buffer.alloc(0);
  /** What the server asked for at login; null before. */
  method: ServerMethod | null = null;
  /** Of the server's certificate; null without TLS. */
  binding: ChannelBinding | null = null;
  /** ParameterStatus values as the server last reported them. */
  readonly parameters = new Map<string, string>();
  /** default_transaction_isolation at login; asked for where there are several nodes. */
  isolation = '';
  private welcomeBytes: Buffer | null = null;
  private welcomeCanWrite = false;
  /** Transaction status of the last ReadyForQuery. */
  status: number = TX.idle;
  user: LinkUser | null = null;
  handshake: Handshake | null = null;

  /** Answers (ReadyForQuery) asked for and received. */
  asked = 0;
  answered = 0;
  /** The next so many answers are pgloom's own business. */
  swallow = 0;
  /** The answer with this number is dropped (a batch that goes on at another node was closed by us). 0 = none. */
  dropAnswer = 0;
  /** An ErrorResponse came since the last answer; the dropped answer's batch had one. */
  private answerFailed = false;
  droppedFailed = false;
  /** Number of the last answer that was an error. */
  lastFailed = 0;
  /** Messages of an extended batch have been sent and no Sync yet. */
  batchOpen = false;
  /** The server reads COPY data: it ignores Sync and Flush, and ends the connection at anything else. */
  copyIn = false;
  /**
   * The client has mixed messages in a way that leaves open how many answers will come (a Query behind an extended message
   * without Sync is skipped when that one fails, …). The session stays on the link, and the link is closed with it.
   */
  unsure = false;
  /** Numbers of the last answers asked for by a Sync, and by a Query or FunctionCall. */
  private lastSync = 0;
  private lastSimple = 0;
  /** Syncs taken for ignored in the COPY that is under way. */
  private ignoredSyncs = 0;
  /** Each CopyDone or CopyFail that was sent before its CopyInResponse came: `asked` then, and the answer it belongs to. */
  private readonly copyEnds: { asked: number; answer: number }[] = [];
  /** An ErrorResponse was relayed since the last time the debt was zero. */
  sawError = false;
  /** Something was run on the link since it left the pool, so that it has to be reset. */
  used = false;
  /** Version of the session's settings that it has been brought to (see SessionSettings). */
  settingsVersion = 0;
  /** Cancel requests under way: the link must not be reused before they are over. */
  cancels = 0;

  /** Bytes still to come of the message being passed on. */
  private remaining = 0;
  private dropping = false;
  private readonly pendingParses: PendingParse[] = [];
  private readonly pendingCloses: PendingClose[] = [];
  /** Named statements that the server has, by name; the unnamed one beside it. */
  readonly statements = new Map<string, Statement>();

  /** When it was opened, and how many sessions have had it. */
  readonly openedMs: number;
  sessions = 0;
  /** When it came back to the pool; row of the child whose client used it last. */
  idleSinceMs = 0;
  lastChildRow = -1;
  /** What a client's session sent last, one character for each byte. */
  statement = '';
  /** Still counted against the pool's capacity. */
  counted = true;

  constructor(readonly node: number, nowMs: number) {
    super();
    this.openedMs = nowMs;
  }

  /** Starts using a socket whose onread options came from `options`, or one for `goOn`. */
  begin(socket: Socket, handshake: Handshake): void {
    this.handshake = handshake;
    this.adopt(socket);
  }

  get options(): ReturnType<Link['readOptions']> {
    return this.readOptions();
  }

  get debt(): number {
    return this.asked - this.answered;
  }

  /**
   * AuthenticationOk and the parameters, as a client that begins with this link is told them.
   * @param canWrite the session can write somewhere: a standby must then not call it read-only
   */
  welcome(canWrite: boolean): Buffer {
    if (this.welcomeBytes !== null && this.welcomeCanWrite === canWrite) return this.welcomeBytes;
    const messages = [authenticationOk];
    for (const [name, value] of this.parameters) messages.push(parameterStatus(name, name === 'in_hot_standby' && canWrite ? 'off' : value));
    this.welcomeCanWrite = canWrite;
    return (this.welcomeBytes = Buffer.concat(messages));
  }

  /** Nothing has been asked that is not answered, and no message is half-way. */
  get quiet(): boolean {
    return this.asked === this.answered && this.swallow === 0 && !this.batchOpen && !this.unsure && this.remaining === 0 && this.unprocessed === 0;
  }

  /** Its answers come by themselves and can be counted: whoever waits for them will not wait for ever. */
  get countable(): boolean {
    return !this.unsure && !this.copyIn;
  }

  /** A Query or FunctionCall is being sent. */
  askSimple(): void {
    // After an error the server skips up to the next Sync, and would skip this one too.
    if (this.batchOpen) this.unsure = true;
    this.batchOpen = false;
    this.lastSimple = ++this.asked;
  }

  /** A Sync is being sent. */
  askSync(): void {
    if (this.copyIn) {
      this.ignoredSyncs++;
      return;
    }
    this.batchOpen = false;
    this.lastSync = ++this.asked;
  }

  /** Ends the open batch with a Sync of our own, whose answer the client does not see. */
  endBatchSilently(): void {
    this.askSync();
    this.dropAnswer = this.asked;
    this.send(syncMessage);
  }

  /** CopyDone or CopyFail is being sent; the server ignores it when there is no COPY. */
  copyEnded(): void {
    if (this.copyIn) this.copyIn = false;
    else if (this.asked !== this.answered || this.batchOpen) this.copyEnds.push({ asked: this.asked, answer: this.batchOpen ? this.asked + 1 : this.asked });
  }

  /**
   * CopyInResponse: the server ignores every Sync (and Flush) that it reads until the CopyDone or CopyFail. libpq sends
   * one with the Execute and another behind the data; only the second is answered.
   */
  private copyBegins(): void {
    const { copyEnds } = this;
    // Those of a COPY that was refused: the server has passed over them.
    while (copyEnds.length > 0 && (copyEnds[0] as { answer: number }).answer <= this.answered) copyEnds.shift();
    const end = copyEnds.shift();
    this.copyIn = end === undefined;
    if (this.lastSync > this.answered) {
      // The COPY's own Query, if it is one, is not ignored. Which Syncs the server has read before, and which in the COPY,
      // cannot be told when further Queries are under way.
      const own = this.lastSimple > this.answered ? 1 : 0;
      if (this.lastSimple > this.answered + 1) this.unsure = true;
      else this.ignoreSyncs((end?.asked ?? this.asked) - this.answered - own);
    }
    this.user?.changed(this);
  }

  private ignoreSyncs(count: number): void {
    if (count === 0) return;
    this.asked -= count;
    this.lastSync -= count;
    this.ignoredSyncs += count;
    if (this.dropAnswer > this.answered) this.unsure = true;
    for (const end of this.copyEnds) {
      end.asked -= count;
      end.answer -= count;
    }
    for (const pending of this.pendingParses) if (pending.batch > this.answered) pending.batch -= count;
    for (const pending of this.pendingCloses) if (pending.batch > this.answered) pending.batch -= count;
    if (this.asked === this.answered) this.batchOpen = true;
  }

  /** A message to the client is half-way: nothing else may be written to it now. */
  get midMessage(): boolean {
    return this.remaining > 0 && !this.dropping;
  }

  /**
   * Sends messages of pgloom's own whose answers the client must not see.
   * @param answers how many ReadyForQuery they will cause
   */
  inject(bytes: Buffer, answers: number): void {
    this.used = true;
    this.swallow += answers;
    this.send(bytes);
  }

  /** Remembers that a Parse was sent. To be called in the order of sending. */
  expectParse(statement: Statement, swallowed: boolean): void {
    this.used = true;
    this.pendingParses.push({ statement, batch: this.asked, swallowed, dropped: false });
  }

  /** A Query is being sent: the server drops the unnamed statement. */
  forgetUnnamed(): void {
    if (this.statements.size > 0) this.statements.delete('');
    for (const pending of this.pendingParses) if (pending.statement.name === '') pending.dropped = true;
  }

  /** Statements that are under way to the server will be gone when they have arrived: a DEALLOCATE goes behind them. @param name '' for all */
  dropParses(name: string): void {
    for (const pending of this.pendingParses) if (name === '' ? pending.statement.name !== '' : pending.statement.name === name) pending.dropped = true;
  }

  /** The same for a Parse that pgloom puts in with a Sync of its own. */
  expectOwnParse(statement: Statement): void {
    this.pendingParses.push({ statement, batch: ownBatch, swallowed: true, dropped: false });
  }

  /** Remembers that a Close was sent. @param name of the statement, null for a portal */
  expectClose(name: string | null, swallowed = false): void {
    this.pendingCloses.push({ name, batch: this.asked, swallowed });
  }

  /** A Parse or Close of the name was sent in a batch that has its Sync and is not answered yet. */
  isUnanswered(name: string): boolean {
    const { asked } = this;
    if (!this.countable) return false;
    return this.pendingParses.some(({ statement, batch }) => statement.name === name && batch < asked) ||
      this.pendingCloses.some((close) => close.name === name && close.batch < asked);
  }

  /** The statement is under way to the server. */
  isParsing(statement: Statement): boolean {
    return this.pendingParses.some((pending) => pending.statement === statement);
  }

  /** The client has closed the statement in what is not answered yet: the name is free behind that. */
  isClosing(name: string): boolean {
    return this.pendingCloses.some((close) => close.name === name && !close.swallowed);
  }

  private dropOwnParses(): void {
    const pending = this.pendingParses;
    while (pending[0]?.batch === ownBatch) pending.shift();
  }

  protected override gone(reason: string): void {
    if (this.handshake !== null) this.handshake.lost(this, reason);
    else this.user?.lost(this, reason);
  }

  protected override broken(error: Error): void {
    const user = this.user;
    this.destroy();
    if (user !== null) user.broken(this, error);
    else this.handshake?.lost(this, error.message);
  }

  protected override process(data: Buffer, start: number, end: number): number {
    if (this.handshake !== null) return this.processHandshake(data, start, end);
    let pos = start;
    let run = start;
    if (this.remaining > 0) {
      const taken = Math.min(this.remaining, end - pos);
      this.remaining -= taken;
      pos += taken;
      if (this.dropping) run = pos;
    }
    while (end - pos >= 5) {
      const letter = data[pos] as number;
      const length = ((data[pos + 1] as number) << 24) | ((data[pos + 2] as number) << 16) | ((data[pos + 3] as number) << 8) | (data[pos + 4] as number);
      const next = pos + 1 + length;
      const how = treatment[letter] as number;
      if (length < 4 || length > largeMessageBytes || how === 0) return this.outOfSync(letter, length, end);
      if ((how & 1) === 1 && this.swallow === 0 && this.asked === this.answered && !this.batchOpen && !this.unsure) return this.outOfSync(letter, length, end);
      if (how === 1 && this.swallow === 0) {
        if (next > end) {
          this.remaining = next - end;
          this.dropping = false;
          pos = end;
          break;
        }
        pos = next;
        continue;
      }
      if (letter === B.readyForQuery && this.swallow === 0 && next <= end) {
        // The usual end of an answer, kept apart from the rare cases because every query passes here.
        if (this.asked === this.answered) {
          if (!this.unsure) return this.outOfSync(letter, length, end);
          pos = next;
          continue;
        }
        const dropped = this.answer(data[pos + 5] as number);
        if (dropped) this.pass(data, run, pos);
        pos = next;
        if (dropped) run = pos;
        if (this.asked === this.answered) {
          this.user?.complete(this);
          this.pass(data, run, pos);
          run = pos;
          this.user?.settled(this, false);
          // What may follow is kept: a link that holds unread bytes is not quiet.
          if (this.closed || this.user === null) return this.closed ? end : pos;
        }
        continue;
      }
      if (next > end && (length <= maxHeldBytes || letter === B.readyForQuery)) break; // wait for the rest of it
      if (letter !== B.parseComplete && letter !== B.closeComplete) {
        // Whoever is told may write to the client: what came before has to be there first.
        this.pass(data, run, pos);
        run = pos;
      }
      const shown = this.look(letter, data, pos, Math.min(next, end), next > end);
      if (this.closed || this.user === null) return end;
      if (!shown) {
        this.pass(data, run, pos);
        run = Math.min(next, end);
      }
      if (next > end) {
        this.remaining = next - end;
        this.dropping = !shown;
        pos = end;
        break;
      }
      pos = next;
    }
    this.pass(data, run, pos);
    // Who waits for the link to be quiet may have waited for the rest of a message that nobody had asked for.
    if (pos === end && this.asked === this.answered && this.swallow === 0) this.user?.changed(this);
    return pos;
  }

  private pass(data: Buffer, from: number, to: number): void {
    if (to > from) this.user?.relay(this, data, from, to);
  }

  /** Books one ReadyForQuery that answers the client; true when it is to be dropped all the same. */
  private answer(status: number): boolean {
    this.status = status;
    this.answered++;
    const pending = this.pendingParses;
    if (pending.length > 0 && (pending[0] as PendingParse).batch < this.answered) this.parsesFailed();
    while (this.pendingCloses.length > 0 && (this.pendingCloses[0] as PendingClose).batch < this.answered) this.pendingCloses.shift();
    if (this.ignoredSyncs > 0 && !this.copyIn) this.ignoredSyncs = 0;
    const failed = this.answerFailed;
    this.answerFailed = false;
    if (failed) this.lastFailed = this.answered;
    if (this.dropAnswer === this.answered) {
      this.dropAnswer = 0;
      this.droppedFailed = failed;
      return true;
    }
    return false;
  }

  private parsesFailed(): void {
    const pending = this.pendingParses;
    const first = pending[0] as PendingParse;
    // A Parse of the unnamed statement drops the one there was before it fails; but it may have been skipped. What the
    // server has is not known: it must be closed before the name is used.
    if (first.statement.name === '' && !first.swallowed) {
      this.statements.set('', first.statement);
      this.user?.unprepared(this, '');
    }
    while (pending.length > 0 && (pending[0] as PendingParse).batch < this.answered) pending.shift();
  }

  /** The messages that matter. Returns whether the client is to see the message. */
  private look(letter: number, data: Buffer, pos: number, to: number, partial: boolean): boolean {
    const user = this.user as LinkUser;
    const swallowed = this.swallow > 0;
    switch (letter) {
      case B.readyForQuery:
        if (!swallowed) return true;
        this.status = data[pos + 5] as number;
        this.swallow--;
        if (this.swallow === 0) this.dropOwnParses();
        if (this.swallow === 0 && this.asked === this.answered) user.settled(this, true);
        return false;
      case B.parseComplete: {
        const parsed = this.pendingParses.shift();
        if (parsed !== undefined && !parsed.dropped) {
          this.statements.set(parsed.statement.name, parsed.statement);
          if (!parsed.swallowed) user.prepared(this, parsed.statement);
        }
        return !swallowed && parsed?.swallowed !== true;
      }
      case B.closeComplete: {
        if (swallowed) return false;
        const closed = this.pendingCloses.shift();
        if (closed?.swallowed === true) {
          if (closed.name !== null) this.statements.delete(closed.name);
          return false;
        }
        if (closed !== undefined && closed.name !== null) {
          this.statements.delete(closed.name);
          user.unprepared(this, closed.name);
        }
        return true;
      }
      case B.copyIn:
        if (!swallowed) this.copyBegins();
        return !swallowed;
      case B.error: {
        if (!swallowed) this.sawError = this.answerFailed = true;
        if (!swallowed) this.copyFails();
        user.failed(this, partial ? null : Buffer.from(data.subarray(pos, to)), swallowed);
        // An error that answers nothing (an administrator's command) is for `failed` to show or not.
        return !swallowed && (this.asked !== this.answered || this.batchOpen);
      }
      case B.parameterStatus:
        if (!partial) this.noteParameter(data, pos + 5, to);
        if (!partial && !swallowed) user.unasked(this, Buffer.from(data.subarray(pos, to)), letter);
        return false;
      case B.notification:
      case B.notice:
        if (partial) return !swallowed;
        if (!swallowed && this.asked !== this.answered) return true;
        if (!swallowed || letter === B.notification) user.unasked(this, Buffer.from(data.subarray(pos, to)), letter);
        return false;
      default:
        return false; // an answer to what pgloom put in
    }
  }

  private copyFails(): void {
    this.copyIn = false;
    // It may have failed before or after a Sync that we took for ignored.
    if (this.ignoredSyncs > 0) this.unsure = true;
  }

  private noteParameter(data: Buffer, from: number, to: number): void {
    this.welcomeBytes = null;
    const middle = data.indexOf(0, from);
    if (middle < 0 || middle >= to) return;
    this.parameters.set(data.toString('utf8', from, middle), data.toString('utf8', middle + 1, to - 1));
  }

  private outOfSync(letter: number, length: number, end: number): number {
    const user = this.user;
    this.destroy();
    user?.lost(this, `out of sync: message type ${letter}, length ${length}`);
    return end;
  }

  private processHandshake(data: Buffer, start: number, end: number): number {
    let pos = start;
    while (end - pos >= 5 && this.handshake !== null) {
      const letter = data[pos] as number;
      const length = data.readInt32BE(pos + 1);
      if (length < 4 || length > maxHeldBytes) {
        const { handshake } = this;
        this.destroy();
        handshake.lost(this, 'the server does not speak the PostgreSQL protocol');
        return end;
      }
      const next = pos + 1 + length;
      if (next > end) break;
      if (letter === B.parameterStatus) this.noteParameter(data, pos + 5, next);
      if (letter === B.readyForQuery) this.status = data[pos + 5] as number;
      this.handshake.message(this, letter, data.subarray(pos + 5, next));
      if (this.closed) return end;
      pos = next;
    }
    return pos;
  }
}
