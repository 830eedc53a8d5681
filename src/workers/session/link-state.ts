/**
 * Brings a link that joins to the session's state: what was SET, the transaction, the statements prepared. It is said
 * by messages whose answers the client does not see.
 */
import { errors } from '../../shared/errors.js';
import { TX } from '../../shared/protocol/letters.js';
import { closeStatement, query, syncMessage } from '../../shared/protocol/writer.js';
import type { BackendLink } from '../backend/backend-link.js';
import { StatementKind, type Plan } from '../sql/plan.js';
import type { Batch } from './batch.js';
import type { SessionSettings } from './session-settings.js';
import type { Statement } from './statement.js';
import type { Traffic } from './traffic.js';

/** Fails in every transaction that has no savepoint; the reader's have none. */
const failing = 'ROLLBACK TO SAVEPOINT pgloom_failed';

export class LinkState {
  /** Links that pgloom has told to begin the session's transaction. */
  private readonly begunOn = new Set<BackendLink>();
  /** The link whose answers to what was put in are waited for. */
  private awaited: BackendLink | null = null;
  /** Statements that are being prepared on it. */
  private preparing: Statement[] = [];
  private preparingFailed = false;
  /** It is being told what was SET (and not what was prepared); one of it failed there. */
  private following = false;
  private followFailed = false;

  constructor(private readonly traffic: Traffic, private readonly settings: SessionSettings, private readonly statements: Map<string, Statement>) {}

  /**
   * Says on the link what the session has SET and it does not know; false while that is under way. The client's
   * statement waits, because it must not run there when a SET fails (a role that the standby does not have yet).
   */
  isFollowing(link: BackendLink): boolean {
    if (link.settingsVersion === this.settings.version) return true;
    const statements = this.settings.statementsSince(link.settingsVersion);
    link.settingsVersion = this.settings.version;
    if (statements.length === 0) return true;
    link.inject(Buffer.concat(statements.map(query)), statements.length);
    this.following = true;
    this.awaitOwn(link);
    return false;
  }

  /** The link has the session's transaction, from the client or from us. */
  hasBegunOn(link: BackendLink): boolean {
    return link.status !== TX.idle || this.begunOn.has(link);
  }

  /** Answers to what was put in are waited for. */
  get isAwaiting(): boolean {
    return this.awaited !== null;
  }

  private awaitOwn(link: BackendLink): void {
    this.awaited = link;
    this.traffic.waitForAnswers(null);
  }

  catchUp(link: BackendLink): void {
    if (!this.traffic.router.inTransaction || this.hasBegunOn(link)) return;
    link.inject(query(this.traffic.router.beginAs), 1);
    this.begunOn.add(link);
  }

  /**
   * Prepares on the link, before the batch, the statements it wants and does not have. False while that is under way;
   * a statement that cannot be prepared there is marked, and the batch goes to the primary.
   */
  prepare(link: BackendLink, batch: Batch): boolean {
    if (this.knowsAll(link, batch)) return true;
    const names = new Set(batch.wanted);
    // The link must know, too, of a name in use that the batch parses again, so that the server refuses it.
    for (const { name } of batch.parses) if (name !== '') names.add(name);
    if (!this.prepareNames(link, names)) return false;
    // What could not be prepared ahead (in a failed transaction, or for lack of its table): its error is the batch's.
    if (!link.unsure && !link.copyIn) for (const name of batch.wanted) this.prepareWithin(link, name);
    return true;
  }

  /** The same for the statement that a Query names. */
  prepareFor(link: BackendLink, name: string): boolean {
    // Behind a Flush the link's answers are not all asked for: nothing can be waited for.
    if (link.batchOpen) this.prepareWithin(link, name);
    else if (!this.traffic.router.readerFailed) return this.prepareNames(link, [name]);
    return true;
  }

  /** The same for statements by name. */
  prepareNames(link: BackendLink, names: Iterable<string>): boolean {
    const stale: string[] = [];
    const missing: Statement[] = [];
    for (const name of names) {
      const known = this.traffic.statementOf(name);
      const had = link.statements.get(name);
      if (had === known || known?.unfitFor === link.node) continue;
      // Closed or replaced by the client while another link was current.
      if (had !== undefined) stale.push(name);
      if (known !== undefined && known.message.length > 0) missing.push(known);
    }
    if (stale.length + missing.length === 0 || link.unsure || link.copyIn) return true;
    // In a failed transaction nothing can be prepared. On the reader it is of no more use, and can be failed again.
    const isFailed = link.quiet && link.status === TX.failed;
    if (isFailed && this.traffic.isPrimary(link)) return true;
    if (!link.quiet) {
      // What is put in now would be answered behind what the client has asked before.
      this.traffic.waitForAnswers(null);
      return false;
    }
    for (const name of stale) link.statements.delete(name);
    const parses = missing.filter(({ bySql }) => !bySql);
    const queries = missing.filter(({ bySql }) => bySql);
    for (const statement of parses) link.expectOwnParse(statement);
    this.preparing = missing;
    this.preparingFailed = false;
    const bySync = stale.length + parses.length > 0 ? [...stale.map(closeStatement), ...parses.map(({ message }) => message), syncMessage] : [];
    const prepares = [...bySync, ...queries.map(({ message }) => message)];
    const answers = queries.length + (bySync.length > 0 ? 1 : 0);
    if (isFailed) link.inject(Buffer.concat([query('ROLLBACK'), ...prepares, query('BEGIN'), query(failing)]), answers + 3);
    else link.inject(Buffer.concat(prepares), answers);
    this.awaitOwn(link);
    return false;
  }

  /** The usual case, without an object made. */
  private knowsAll(link: BackendLink, batch: Batch): boolean {
    for (const name of batch.wanted) if (link.statements.get(name) !== this.traffic.statementOf(name)) return false;
    for (const { name } of batch.parses) if (name !== '' && link.statements.get(name) !== this.statements.get(name)) return false;
    return true;
  }

  /** The same in the middle of a batch: no Sync may be put in, and a failure is the batch's failure. */
  prepareWithin(link: BackendLink, name: string): void {
    const wanted = this.traffic.statementOf(name);
    const had = link.statements.get(name);
    if (wanted === undefined || had === wanted || wanted.bySql || wanted.message.length === 0 || link.isParsing(wanted) || link.isClosing(name)) return;
    if (had !== undefined && name !== '') {
      link.expectClose(name, true);
      link.send(closeStatement(name));
    }
    link.expectParse(wanted, true);
    link.send(wanted.message);
  }

  /** DEALLOCATE by SQL is being sent to `current`: the others get a Close. @param name '' for ALL */
  deallocate(name: string, current: BackendLink | null): void {
    if (name === '') this.statements.clear();
    else this.statements.delete(name);
    for (const link of this.traffic.supply.all()) {
      const all = [...link.statements.keys()].filter((one) => one !== '');
      const names = name === '' ? all : all.filter((one) => one === name);
      for (const one of names) link.statements.delete(one);
      link.dropParses(name);
      if (link !== current && names.length > 0) link.inject(Buffer.concat([...names.map(closeStatement), syncMessage]), 1);
    }
  }

  /** If it ends the transaction: it is over on the other links as well, whatever comes right behind. */
  endSent(plan: Plan): void {
    const { current, router } = this.traffic;
    if (current === null) return;
    const ends = plan.kind === StatementKind.commit || plan.kind === StatementKind.rollback;
    if ((ends && this.traffic.isPrimary(current)) || (router.readerFailed && (ends || plan.statements > 1))) this.endElsewhere(current);
  }

  /** The transaction is over on one link: ends it on the other as well. */
  endElsewhere(link: BackendLink): void {
    if (this.traffic.supply.count === 1) {
      // The usual case; and Set.clear makes a new table each time.
      if (this.begunOn.size > 0) this.begunOn.clear();
      return;
    }
    for (const other of this.traffic.supply.all()) {
      if (other === link || !this.hasBegunOn(other)) continue;
      other.inject(query(this.traffic.isPrimary(other) ? 'ROLLBACK' : 'COMMIT'), 1);
      // Known before it is answered: the next transaction may follow at once.
      other.status = TX.idle;
    }
    if (this.begunOn.size > 0) this.begunOn.clear();
  }

  /** What was put in is answered. */
  settled(link: BackendLink): void {
    if (link !== this.awaited) return;
    this.awaited = null;
    if (this.following) {
      this.following = false;
      if (this.followFailed) this.cannotFollow(link);
      return;
    }
    for (const statement of this.preparing) {
      if (statement.bySql && !this.preparingFailed) link.statements.set(statement.name, statement);
      if (link.statements.get(statement.name) === statement) continue;
      statement.unfitFor = link.node;
      // The failure has ended the transaction there; here it goes on without that node.
      if (this.traffic.router.inTransaction) this.traffic.router.isolated = true;
    }
  }

  /** The session goes on without the reader. */
  private cannotFollow(link: BackendLink): void {
    this.followFailed = false;
    if (this.traffic.isPrimary(link)) return this.traffic.fail(errors.backendProtocol(link.node, 'the session state could not be brought to this node'));
    this.traffic.router.pinned = true;
    this.traffic.supply.forget(link);
  }

  /** An error answers what was put in; true when it was expected that it may fail. */
  failed(link: BackendLink): boolean {
    if (link !== this.awaited) return false;
    this.followFailed = this.following;
    this.preparingFailed = !this.following;
    return true;
  }

  /** The link is gone; true when it was waited for. */
  lost(link: BackendLink): boolean {
    this.begunOn.delete(link);
    if (link !== this.awaited) return false;
    this.awaited = null;
    this.following = this.followFailed = false;
    return true;
  }
}
