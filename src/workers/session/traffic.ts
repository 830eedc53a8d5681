/**
 * A session's traffic between its client and its backend links.
 *
 * At most one link is `current`: only its answers go to the client, so that answers come in the order of the questions. Another
 * link becomes current when the old one owes nothing. A link that joins is first brought to the session's state (settings,
 * transaction, prepared statements) by messages whose answers the client does not see.
 */
import { LogLevel } from '../../shared/logger.js';
import { errors, PgError } from '../../shared/errors.js';
import { CountedKind } from '../../shared/memory/statement-counts.js';
import { B, TX } from '../../shared/protocol/letters.js';
import { OwnStatements } from '../commands/own-statements.js';
import type { BackendLink, LinkUser } from '../backend/backend-link.js';
import { type Router, askFirst, nowhere } from '../route/router.js';
import type { PgpoolCommand } from '../sql/own-command.js';
import { StatementKind, type Plan } from '../sql/plan.js';
import { PcpStatements } from '../commands/pcp-statements.js';
import { Portals, type Batch } from './batch.js';
import { Farewell } from './farewell.js';
import { Interjections } from './interjections.js';
import { Judge } from './judge.js';
import { LinkState } from './link-state.js';
import { LinkSupply } from './link-supply.js';
import { QueryTexts } from './query-texts.js';
import { SessionSettings } from './session-settings.js';
import { SettingsBook } from './settings-book.js';
import type { Session } from './session.js';
import { SqlPrepares } from './sql-prepares.js';
import type { Statement } from './statement.js';

/** What the traffic waits for before it looks at the client's next message again. */
type Waiting = 'nothing' | 'answers' | 'link' | 'facts';

export class Traffic implements LinkUser {
  readonly router: Router;
  readonly supply: LinkSupply;
  readonly portals = new Portals();
  /** The link that answers now. */
  current: BackendLink | null = null;
  private readonly settings = new SessionSettings();
  private readonly settingsBook: SettingsBook;
  private readonly statements = new Map<string, Statement>();
  readonly linkState: LinkState;
  readonly texts: QueryTexts;
  readonly own: OwnStatements;
  readonly pcp: PcpStatements;
  private readonly sqlPrepares = new SqlPrepares();
  private unnamed: Statement | null = null;
  private waiting: Waiting = 'nothing';
  private splitting: BackendLink | null = null;
  /** DISCARD ALL has been sent; nothing is sent behind it before it is answered. */
  discarding = false;
  private sentBehindDiscard = false;
  /** The node that the session's writes go to: its state cannot be moved to another. -1 = none yet. */
  private writeNode = -1;
  private seenEpoch = -1;
  readonly farewell: Farewell;
  private readonly judge = new Judge(this);
  private ddlUnderWay = false;
  private readonly sharesWrites: boolean;
  /** Number of the answer at which the others were last told of either. */
  private noted = -1;
  /** Answers that the current link had given when it last owed nothing. */
  private answeredBefore = 0;
  private readonly interjections: Interjections;
  /** notice_per_node_statement: kept apart so that the quiet case costs one test. */
  private talkative = false;
  /** Text of the statement that was bound last; see BackendLink.statement. */
  boundText = '';
  /** There is but one node to go to: what a statement is need not be known. */
  readonly single: boolean;

  constructor(private readonly session: Session) {
    this.router = session.makeRouter();
    this.settingsBook = new SettingsBook(this.settings, this.router);
    this.supply = new LinkSupply(session, this);
    this.interjections = new Interjections(session.client);
    this.farewell = new Farewell(session);
    this.linkState = new LinkState(this, this.settings, this.statements);
    this.single = this.router.isRaw || session.settings.backends.length === 1;
    this.sharesWrites = session.settings.disable_load_balance_on_write === 'dml_adaptive_global';
    this.own = new OwnStatements(session, this);
    this.texts = new QueryTexts(session, this.router, this.single);
    this.pcp = new PcpStatements(session, this);
    this.settingsChanged();
  }

  /** The session has other settings than before, or begins. */
  settingsChanged(): void {
    this.talkative = this.session.settings.notice_per_node_statement;
  }

  /** Nothing more is wanted from the client. */
  get over(): boolean {
    return this.session.over || this.farewell.said;
  }

  isPrimary(link: BackendLink): boolean {
    return link.node === this.router.primaryNode;
  }

  heardFromClient(): void {
    this.session.heard();
  }

  fail(error: PgError): void {
    this.session.fail(error);
  }

  /* ---- statements ---- */

  statementOf(name: string): Statement | undefined {
    return name === '' ? (this.unnamed ?? undefined) : this.statements.get(name);
  }

  unprepared(_link: BackendLink, name: string): void {
    if (name === '') this.unnamed = null;
    else this.statements.delete(name);
  }

  /** Who waits for answers need not any more: everything goes to this link now. */
  changed(link: BackendLink): void {
    if (link !== this.current) return;
    if (this.farewell.said) this.farewell.changed(link);
    else this.goOn('answers');
  }

  forgetUnnamed(): void {
    this.unnamed = null;
    this.portals.unnamed = null;
    this.portals.unnamedLink = null;
  }

  /* ---- choosing ---- */

  /** The same where there is one node and nothing to tell anybody: null when the long way has to be taken. */
  plainQuery(plan: Plan, data: Buffer, from: number, to: number): BackendLink | null {
    const { current } = this;
    if (current === null || plan.own !== null || this.talkative) return null;
    this.session.sent(current, plan.counts, this.texts.shown(data, from, to));
    this.expectAnswer();
    return current;
  }

  /** The link for a simple query; null = wait; 'answered' = pgloom has answered it itself. */
  chooseForQuery(plan: Plan, data: Buffer, from: number, to: number, withinBatch: boolean): BackendLink | 'answered' | null {
    if (plan.kind === StatementKind.own && this.current?.copyIn !== true) return this.answerSelf(plan);
    const node = withinBatch ? this.router.primaryNode : this.judge.nodeFor(plan, this.texts.mayLeave(plan, data, from, to));
    const link = this.choose(node);
    if (link === null) return null;
    if (plan.discardAll && !link.batchOpen && this.mustSettle(link)) return null;
    const name = plan.executes ?? plan.prepares?.name ?? plan.deallocates;
    if (name !== null && name !== '' && !this.linkState.prepareFor(link, name)) return null;
    this.judge.forget();
    if (this.talkative) this.tell(link, data.toString('utf8', from, to));
    if (plan.prepares !== null) this.sqlPrepares.add({ ...plan.prepares, mayLeave: this.texts.passesPatterns(data, from, to) }, data, from, to);
    this.session.sent(link, plan.counts, this.texts.shown(data, from, to));
    this.executed(plan);
    this.router.statementSent();
    this.expectAnswer();
    return link;
  }

  waitFor(what: 'link' | 'facts'): void {
    this.waiting = what;
    this.session.client.stall();
  }

  factsArrived(): void {
    this.goOn('facts');
  }

  /** The primary's link, or null = wait. */
  choosePrimary(): BackendLink | null {
    return this.choose(this.router.primaryNode);
  }

  /** The link for a whole batch, brought to know the statements it needs; null = wait. */
  chooseForBatch(batch: Batch): BackendLink | null {
    const primary = this.router.primaryNode;
    let node = batch.needsPrimary && !this.router.readerFailed ? primary : this.router.readerNow;
    for (const statement of batch.touched) {
      const { executes } = statement.plan;
      if (executes !== null && !batch.wanted.includes(executes)) batch.wanted.push(executes);
      // A plain BEGIN may go where what follows it goes (JDBC sends it with the first statement).
      if (statement.plan.begunAnywhere && batch.touched.length > 1 && statement === batch.touched[0]) {
        if (this.router.keepsNextTransaction) node = primary;
        continue;
      }
      const wanted = this.judge.nodeFor(statement.plan, statement.mayLeave);
      if (wanted === askFirst) return null;
      if (node !== primary) node = wanted;
    }
    if (batch.touched.length === 0 && !batch.needsPrimary && this.current !== null) node = this.current.node;
    if (batch.needsPortal && this.portals.unnamedLink !== null) node = this.portals.unnamedLink.node;
    const unfit = batch.wanted.find((name) => this.statementOf(name)?.unfitFor === node);
    const link = this.choose(unfit === undefined ? node : primary);
    if (link === null) return null;
    if (batch.executes.some((plan) => plan?.discardAll === true) && this.mustSettle(link)) return null;
    if (!this.linkState.prepare(link, batch)) return null;
    this.judge.forget();
    if (this.talkative) for (const { text, plan } of batch.touched) if (plan.own === null) this.tell(link, text);
    return link;
  }

  /** Does a further statement fit the link that the batch runs on? */
  fits(link: BackendLink, statement: Statement | undefined, primaryOnly: boolean): boolean | 'wait' {
    const onPrimary = this.isPrimary(link);
    if (statement === undefined) return onPrimary;
    if (!onPrimary && (primaryOnly || statement.plan.executes !== null)) return false;
    if (!onPrimary && statement.bySql && link.statements.get(statement.name) !== statement) return false;
    // Judged on the primary, too: what it does to the session has to be known.
    const node = this.judge.nodeFor(statement.plan, statement.mayLeave);
    if (node === askFirst) return 'wait';
    this.judge.forget();
    return onPrimary || node === link.node;
  }

  /** Makes the link to the node current; null = wait (or the session has failed). */
  private choose(node: number): BackendLink | null {
    const { current } = this;
    if (current !== null && this.single) return current;
    if (this.seenEpoch !== this.session.worker.nodes.epoch && this.primaryHasChanged()) return null;
    if (current !== null && (current.node === node || current.unsure || current.copyIn)) return current;
    if (node === askFirst) return null;
    if (node === nowhere) {
      this.fail(errors.allNodesDown());
      return null;
    }
    if (current !== null && !current.quiet) {
      this.waitForAnswers(null);
      return null;
    }
    const link = this.supply.get(node);
    if (link === null) {
      this.waitFor('link');
      return null;
    }
    if (!this.linkState.isFollowing(link)) return null;
    this.linkState.catchUp(link);
    this.current = link;
    if (this.isPrimary(link)) this.writeNode = link.node;
    this.answeredBefore = link.answered;
    return link;
  }

  /**
   * Another node is the primary now. What the session has on the old one (temporary tables, LISTEN, prepared by SQL, …) cannot be
   * moved, so the session ends, as all do in Pgpool-II. In a transaction the old node has the last word.
   */
  private primaryHasChanged(): boolean {
    const { router } = this;
    if (router.inTransaction) return false;
    this.seenEpoch = this.session.worker.nodes.epoch;
    if (this.writeNode < 0 || router.primaryNode === this.writeNode) return false;
    this.fail(errors.primaryChanged());
    return true;
  }

  /** Something is owed that will come; the client waits for it. */
  private mustSettle(link: BackendLink): boolean {
    if (link.debt === 0 || !link.countable) return false;
    this.waitForAnswers(null);
    return true;
  }

  /** Stalls the client until nothing is owed (and, after a split, the batch's link has answered). */
  waitForAnswers(split: BackendLink | null): void {
    this.waiting = 'answers';
    this.splitting = split;
    this.session.client.stall();
  }

  /** A link has been opened, or could not be (the router then knows). */
  linkArrived(): void {
    if (this.session.loggedIn) this.goOn('link');
    else this.session.entrance.firstLink();
  }

  private goOn(reason: Waiting): void {
    if (this.waiting !== reason || this.over) return;
    // Something of another link has been answered; what is waited for has not.
    if (reason === 'answers' && (this.linkState.isAwaiting || this.splitting !== null)) return;
    this.waiting = 'nothing';
    this.session.client.proceed();
  }

  /* ---- bookkeeping of what is sent ---- */

  counted(link: BackendLink, counts: Plan['counts'], text: string): void {
    this.session.sent(link, counts, text);
  }

  /** An Execute is sent to the current link. */
  portalExecuted(plan: Plan | null): void {
    if (plan !== null && plan.own !== null && plan.own.type !== 'pcp') return this.own.executed(plan.own);
    if (this.current !== null) this.counted(this.current, plan === null ? CountedKind.other : plan.counts, this.boundText);
    this.executed(plan);
  }

  /** A statement is being run: notes what it does to the session. `plan` is null for portals that are not known. */
  executed(plan: Plan | null): void {
    if (plan === null) {
      // A statement prepared by SQL, or in a batch that is not answered yet: it may be anything.
      this.router.pinned = true;
      return;
    }
    const executed = this.judge.executedBy(plan);
    if (executed !== null) return this.executed(executed.plan);
    if (this.discarding) this.sentBehindDiscard = true;
    this.linkState.endSent(plan);
    if (plan.kind === StatementKind.read) {
      this.router.ran(plan);
      return;
    }
    this.settingsBook.sent(plan);
    this.router.sent(plan);
    if (plan.functions.length > 0) this.router.ran(plan);
    if (plan.discardAll) {
      this.discarding = true;
      this.sentBehindDiscard = false;
    }
    // In a failed transaction it fails, and everything stays prepared.
    const fails = this.router.readerFailed || this.current?.status === TX.failed;
    if (plan.deallocates !== null && !fails) this.linkState.deallocate(plan.deallocates, this.current);
    if (plan.ddl) {
      this.ddlUnderWay = true;
      this.session.worker.nodes.noteDdl();
    }
  }

  /** A function call: nothing is known about it. */
  wroteSomething(): void {
    this.executed(this.texts.bigPlan());
    this.expectAnswer();
  }

  expectAnswer(): void {
    this.session.executing();
  }

  toBackend(data: Buffer, from: number, to: number): void {
    const { current } = this;
    if (current === null) return;
    current.used = true;
    current.forward(data, from, to, this.session.client);
  }

  private tell(link: BackendLink, sql: string): void {
    this.session.tell(link, sql, (notice) => this.interjections.put(notice, this.current));
  }

  private answerSelf(plan: Plan): 'answered' | null {
    const { current } = this;
    if (current !== null && !current.quiet && !current.unsure) {
      const { batchOpen } = current;
      if (batchOpen) current.endBatchSilently();
      // When the batch has failed the server would pass over this query.
      this.waitForAnswers(batchOpen ? current : null);
      return null;
    }
    // A client that asks and never reads gets no further answers; the message is shown again when it has read.
    if (this.session.client.isHeldBack) return null;
    const answered = this.session.answerOwn(plan.own as PgpoolCommand, this.status, () => this.goOn('link'));
    if (answered === null) this.waitFor('link');
    return answered;
  }

  /** Characters beyond ASCII may be said to the server as they are. */
  get serverIsUtf8(): boolean {
    return (this.current?.parameters.get('server_encoding') ?? 'UTF8') === 'UTF8';
  }

  /** Transaction status as the client knows it. */
  get status(): number {
    if (!this.router.inTransaction) return TX.idle;
    return this.current?.status ?? TX.open;
  }

  /* ---- LinkUser ---- */

  relay(link: BackendLink, data: Buffer, start: number, end: number): void {
    // Before the client (and then anybody) can know that it is done.
    if ((this.ddlUnderWay || this.sharesWrites) && link.answered !== this.noted) {
      this.noted = link.answered;
      if (this.ddlUnderWay) this.session.worker.nodes.noteDdl();
      this.router.shareWrites();
    }
    this.session.client.forward(data, start, end, link);
    this.interjections.passed(link);
  }

  complete(link: BackendLink): void {
    if (link === this.current) this.session.complete(link.node);
  }

  settled(link: BackendLink, own: boolean): void {
    if (own) {
      this.linkState.settled(link);
      this.goOn('answers');
      return;
    }
    if (link !== this.current) return;
    const failed = link.sawError;
    link.sawError = false;
    if (this.splitting === link) {
      this.splitting = null;
      this.session.splitSettled(link.droppedFailed);
    }
    if (this.sqlPrepares.isAwaited) for (const statement of this.sqlPrepares.settled(failed)) this.prepared(link, statement);
    this.updateState(link, failed);
    this.session.settled(link.status, link.lastFailed);
    if (this.farewell.said) this.farewell.settled(link);
    else this.goOn('answers');
  }

  private updateState(link: BackendLink, failed: boolean): void {
    const { router } = this;
    const open = link.status !== TX.idle;
    if (this.settings.isUncertain) this.settingsBook.answered(link, failed, link.answered - this.answeredBefore === 1, open);
    // ROLLBACK AND CHAIN on the reader opens a new transaction there, which has not failed.
    if (this.isPrimary(link)) router.primaryFailed = link.status === TX.failed;
    else router.readerFailed = link.status === TX.failed;
    router.settled(open);
    this.answeredBefore = link.answered;
    if (this.ddlUnderWay) this.session.worker.nodes.noteDdl();
    if (this.discarding) this.discarded(failed);
    if (open) return;
    // What DDL did is seen by others only now: what was learnt meanwhile is old.
    this.ddlUnderWay = false;
    this.portals.clearNamed();
    this.linkState.endElsewhere(link);
  }

  private discarded(failed: boolean): void {
    this.discarding = false;
    if (failed) return;
    this.settings.clear();
    this.statements.clear();
    this.forgetUnnamed();
    this.router.discarded();
    // What was set behind it, in the same batch, has not been followed.
    if (this.sentBehindDiscard) this.router.pinned = true;
    if (this.current !== null) {
      this.current.statements.clear();
      this.current.settingsVersion = this.settings.version;
    }
    this.supply.releaseAllBut(this.current);
  }

  prepared(link: BackendLink, statement: Statement): void {
    if (statement.bySql) link.statements.set(statement.name, statement);
    if (statement.name === '') this.unnamed = statement;
    else this.statements.set(statement.name, statement);
  }

  unasked(link: BackendLink, message: Buffer, letter: number): void {
    if (letter === B.parameterStatus && !this.isPrimary(link)) return;
    this.interjections.pass(link, message, this.current);
  }

  failed(link: BackendLink, message: Buffer | null, swallowed: boolean): void {
    if (!swallowed) this.session.countFailure(link, message);
    if (swallowed) {
      if (this.linkState.failed(link)) return;
      this.session.log.log(LogLevel.warning, `DB node ${link.node} did not follow the session's state`);
      this.fail(errors.backendProtocol(link.node, 'the session state could not be brought to this node'));
      return;
    }
    if (link.debt > 0 || link.batchOpen) return;
    // Nobody asked: the server ends the connection. The reader can be replaced, the primary's session state cannot.
    this.lost(link, 'terminated by the server', message);
  }

  lost(link: BackendLink, reason: string, lastWords: Buffer | null = null): void {
    const owes = link.debt > 0 || link.batchOpen || link.midMessage;
    const mustEnd = link.node === this.writeNode || this.isPrimary(link) || owes || (this.router.inTransaction && this.linkState.hasBegunOn(link));
    const toldAlready = link.sawError && owes;
    const wasCurrent = this.current === link;
    this.supply.forget(link);
    if (wasCurrent) this.current = null;
    if (this.portals.unnamedLink === link) this.portals.unnamedLink = null;
    if (this.farewell.said && (wasCurrent || this.current === null)) return this.farewell.lost();
    this.session.nodeTrouble(link.node, reason);
    if (!mustEnd) {
      this.linkState.lost(link);
      return this.goOn('answers');
    }
    if (link.midMessage) this.session.abort(`DB node ${link.node}: ${reason}`);
    else if (toldAlready) this.session.finish(`DB node ${link.node}: ${reason}`, null);
    else if (lastWords !== null) this.session.finish(`DB node ${link.node}: ${reason}`, lastWords);
    else this.fail(errors.backendBroken(link.node, reason));
  }

  broken(link: BackendLink, error: Error): void {
    this.session.log.log(LogLevel.error, `internal error while reading from DB node ${link.node}`, { error });
    this.fail(errors.internal());
  }
}
