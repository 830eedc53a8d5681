/**
 * One client's session, from the accepted socket to the free child.
 *
 *   startup, login, first link, welcome (entrance.ts) ──▶ relay (traffic.ts) ──▶ end
 */
import { timingSafeEqual } from 'node:crypto';
import { encodeError, encodeNotice, errors, PgError } from '../../shared/errors.js';
import { LogLevel, newLogIdentity, type LogIdentity, type Logger } from '../../shared/logger.js';
import { reachesClient } from '../../shared/log-level.js';
import { countsNothing } from '../../shared/memory/statement-counts.js';
import { ChildState } from '../../shared/memory/child-table.js';
import type { HandOver } from '../../shared/messages.js';
import type { PcpAnswer, PcpCall } from '../../shared/pcp-functions.js';
import { F, TX } from '../../shared/protocol/letters.js';
import { int16, message } from '../../shared/protocol/writer.js';
import type { Value } from '../../shared/parameters/kinds.js';
import type { Settings } from '../../shared/settings.js';
import type { OwnAnswer } from '../commands/own-answer.js';
import type { BackendLink } from '../backend/backend-link.js';
import type { PoolEntry } from '../backend/pool.js';
import { Router } from '../route/router.js';
import { staleTime } from '../route/stale-time.js';
import { WriteTracking } from '../route/write-tracking.js';
import type { PgpoolCommand } from '../sql/own-command.js';
import { makePlan } from '../sql/make-plan.js';
import { withoutPasswords } from '../sql/masked-text.js';
import { StatementKind, type Plan } from '../sql/plan.js';
import type { Worker } from '../worker.js';
import { ownAnswer } from '../commands/own-commands.js';
import { ownSql } from '../commands/own-sql.js';
import { SessionParameters } from '../commands/session-parameters.js';
import { sendSimpleAnswer } from '../commands/simple-answer.js';
import { connectionClosed } from '../link.js';
import { ClientLink } from './client-link.js';
import { ClientRelay } from './client-relay.js';
import { ConnectionLog } from './connection-log.js';
import { Entrance } from './entrance.js';
import { failureKind } from './failure-kind.js';
import { Latency } from './latency.js';
import { messageLogFor, type MessageLog } from './message-log.js';
import { PlainRelay } from './plain-relay.js';
import { Statement } from './statement.js';
import { Traffic } from './traffic.js';

/** What decides whether and how messages are logged. */
const loggedSettings = ['log_min_messages', 'log_error_verbosity', 'log_client_messages', 'log_backend_messages', 'log_statement', 'log_per_node_statement'] as const;

export class Session {
  /** What holds for this session: as at its begin, but for what PGPOOL SET has changed. */
  settings: Settings;
  readonly parameters: SessionParameters;
  readonly childRow: number;
  readonly client: ClientLink;
  readonly identity: LogIdentity;
  readonly log: Logger;
  private readonly connectionLog: ConnectionLog;
  /** The log of messages and statements; null when the settings want none. */
  messages: MessageLog | null;
  /** Null when nobody measures. */
  private readonly latency: Latency | null;
  readonly entrance: Entrance;
  traffic!: Traffic;
  private relay!: ClientRelay | PlainRelay;
  /** A long answer of pgloom's own has just been sent. */
  private ownAnswered = false;
  /** What holds when all is answered. */
  private readonly changes: { readonly answer: number; readonly before: ReadonlyMap<string, Value> }[] = [];
  /** Every other time that an own statement is wanted, the others of the thread come first. */
  private ownYielded = false;
  /** The logs of messages have been turned on or off, and the reader has not been changed yet. */
  private readerIsOld = false;
  private readerChanged = false;
  loggedIn = false;
  over = false;
  /** What the session does, for SHOW POOL_POOLS. */
  readonly connectedMs: number;
  private heardMs: number;

  constructor(readonly worker: Worker, private readonly handOver: HandOver, private readonly done: (reason: string) => void) {
    this.settings = worker.settings;
    this.parameters = new SessionParameters(this.settings);
    // First, because it may throw: a descriptor that is no socket must cost no child.
    this.client = new ClientLink(handOver.fd, this);
    this.childRow = worker.children.take();
    this.connectedMs = Date.now();
    this.heardMs = worker.nowMs;
    this.identity = newLogIdentity('child', this.childRow < 0 ? 0 : worker.childTable.id(this.childRow));
    this.identity.host = handOver.host;
    this.log = worker.log.child(this.identity);
    this.connectionLog = new ConnectionLog(this.settings, this.log, handOver, worker.hostNames);
    this.messages = messageLogFor(this.settings, this.log);
    this.entrance = new Entrance(this, handOver);
    this.latency = worker.latencies === null ? null : new Latency(worker.latencies, worker.row);
  }

  start(): void {
    this.worker.sessions.add(this);
    this.connectionLog.received();
    this.entrance.open();
    if (this.childRow < 0) this.fail(errors.tooManyClients());
    else if (this.worker.stopping !== 'no') this.fail(errors.shuttingDown());
    else this.client.feedHead(this.handOver.head);
  }

  /** The client is let in, or a server is to be heard about that. */
  beginTraffic(): void {
    this.traffic = new Traffic(this);
    this.relay = this.traffic.single ? new PlainRelay(this.traffic) : new ClientRelay(this.traffic);
  }

  /** The login is over: messages are the relay's. */
  welcomed(): void {
    this.loggedIn = true;
    this.client.reader = this.messages?.before(this.relay) ?? this.relay;
  }

  get database(): string {
    return this.entrance.database;
  }

  get entry(): PoolEntry {
    return this.entrance.login.entry;
  }

  /** The router of this session, by the settings that it began with. */
  makeRouter(): Router {
    const { worker, settings, entrance: { user, database, application } } = this;
    const { rules } = worker;
    const isGlobal = settings.disable_load_balance_on_write === 'dml_adaptive_global';
    const mutations = isGlobal ? { table: worker.mutations, database, staleMs: () => staleTime(worker.nodes, settings) } : null;
    const tracking = new WriteTracking(settings, rules.relationships, mutations);
    return new Router(worker.nodes, settings, worker.factsOf(database), tracking, rules.redirectFor(user, database, application));
  }

  /** A link joined the session. */
  attached(link: BackendLink): void {
    const { childTable } = this.worker;
    childTable.setBackend(this.childRow, link.openedMs, link.sessions, link.pid);
    childTable.setLoadBalanceNode(this.childRow, this.traffic.router.loadBalanceNode);
  }

  /* ---- what the traffic reports ---- */

  heard(): void {
    this.heardMs = this.worker.nowMs;
  }

  executing(): void {
    if (this.over) return;
    this.latency?.asked();
    this.worker.childTable.setState(this.childRow, ChildState.executing);
  }

  /** The node's answers are all there. Counted before the client knows: whoever looks at the metrics next finds them. */
  complete(node: number): void {
    this.latency?.complete(node);
  }

  /** @param lastFailed number of the link's last answer that was an error */
  settled(status: number, lastFailed: number): void {
    if (this.changes.length > 0) this.settleChanges(lastFailed);
    if (this.readerIsOld && this.relay.isBetweenMessages) this.renewReader();
    // The time that a query took is not the client's idleness.
    this.heardMs = this.worker.nowMs;
    this.worker.childTable.setState(this.childRow, status === TX.idle ? ChildState.idle : ChildState.idleInTransaction);
  }

  splitSettled(failed: boolean): void {
    this.relay.splitSettled(failed);
  }

  /** Something of the client's is sent to the link: it counts there, and is what SHOW POOL_POOLS shows of it. */
  sent(link: BackendLink, kind: Plan['counts'], statement: string): void {
    link.statement = statement;
    this.latency?.sent(kind);
    if (kind !== countsNothing) this.worker.workerTable.countStatement(this.worker.row, link.node, kind);
  }

  /** An error of the server passes. */
  countFailure(link: BackendLink, message: Buffer | null): void {
    this.worker.workerTable.countStatement(this.worker.row, link.node, failureKind(message));
  }

  nodeTrouble(node: number, reason: string): void {
    this.worker.report({ type: 'nodeFailed', node, reason });
  }

  /** notice_per_node_statement. (For log_statement and log_per_node_statement see statement-log.ts.) */
  tell(link: BackendLink, sql: string, toClient: (notice: Buffer) => void): void {
    const { settings } = this;
    const perNode = `DB node id: ${link.node} backend pid: ${link.pid} statement: ${withoutPasswords(sql)}`;
    if (settings.notice_per_node_statement && reachesClient(LogLevel.notice, settings.client_min_messages)) toClient(encodeNotice('NOTICE', '00000', perNode));
  }

  /**
   * Answers a simple query for pgloom itself; null when that takes a while: it is to be asked again when `ready` is called,
   * and is then answered.
   */
  answerOwn(command: PgpoolCommand, status: number, ready: () => void): 'answered' | null {
    if (this.ownAnswered) {
      this.ownAnswered = false;
      return 'answered';
    }
    const answer = ownAnswer(this, command, ready);
    if (answer === null) return null;
    const answered = (): void => {
      this.ownAnswered = true;
      ready();
    };
    const sent = sendSimpleAnswer(this.client, answer, status, answered, () => this.heard());
    // A client that asks for one report after the other must leave the others of its thread their turn.
    if (sent && answer.type === 'rows') setImmediate(answered);
    if (!sent || answer.type === 'rows') return null;
    if (answer.type === 'done') answer.change?.();
    return 'answered';
  }

  /** The statement that answers the command in the extended protocol; null when that takes a while, as in answerOwn. */
  ownStatement(name: string, own: PgpoolCommand, ready: () => void): Statement | null {
    // The others of the thread have their turn first.
    this.ownYielded = !this.ownYielded;
    if (this.ownYielded) {
      setImmediate(ready);
      return null;
    }
    const answer = ownAnswer(this, own, ready);
    if (answer === null) return null;
    const parse = (what: OwnAnswer): Buffer => message(F.parse, name, ownSql(what, this.traffic.serverIsUtf8), int16(0));
    const kept = answer.type === 'rows' ? parse({ type: 'rows', table: { ...answer.table, rows: [], count: 0 } }) : null;
    return new Statement(name, parse(answer), makePlan(StatementKind.read, { own, counts: countsNothing }), true, false, null, kept);
  }

  /** Asks the primary thread for what functions of pgpool_adm give. */
  askPcp(calls: readonly PcpCall[], done: (answer: PcpAnswer) => void): void {
    this.worker.pcpDesk.request({ user: this.entrance.user, address: this.handOver.host, calls }, done);
  }

  /**
   * An own statement is executed: what it changes in the session is seen by what comes behind it, and holds when it is answered
   * without an error.
   * @param answer number of the link's answer that tells
   */
  ownExecuted(own: PgpoolCommand, answer: number): void {
    if (own.type !== 'set' && own.type !== 'reset') return;
    const before = this.parameters.snapshot();
    try {
      if (own.type === 'set') this.parameters.change(own.name, own.value);
      else if (own.name === null) this.parameters.resetAll();
      else this.parameters.change(own.name, null);
    } catch (error) {
      if (error instanceof PgError) return; // the server has been given a statement that fails
      throw error;
    }
    this.changes.push({ answer, before });
  }

  /** PGPOOL SET, or RESET when the value is null, in a simple query. The parameter has been checked. */
  setParameter(name: string, value: string | null): void {
    this.parameters.change(name, value);
    this.changedWhileReading();
  }

  resetParameters(): void {
    this.parameters.resetAll();
    this.changedWhileReading();
  }

  /** What stands behind the query is for the new reader, if there is one. */
  private changedWhileReading(): void {
    const { reader } = this.client;
    this.parametersChanged();
    this.readerChanged = this.client.reader !== reader;
  }

  /** All is answered: what was changed holds up to the first change whose statement has failed, or was skipped. */
  private settleChanges(lastFailed: number): void {
    const failed = this.changes.find(({ answer }) => answer === lastFailed);
    if (failed !== undefined) this.parameters.restore(failed.before);
    this.changes.length = 0;
    this.parametersChanged();
  }

  /** Called while nothing is under way on the links. */
  private parametersChanged(): void {
    const before = this.settings;
    this.settings = this.parameters.current;
    const { settings, worker } = this;
    this.traffic.settingsChanged();
    if (settings.log_min_messages !== before.log_min_messages || settings.log_error_verbosity !== before.log_error_verbosity) {
      this.log.setOwn(settings === worker.settings ? null : settings);
    }
    this.readerIsOld ||= loggedSettings.some((name) => settings[name] !== before[name]);
    if (this.readerIsOld && this.relay.isBetweenMessages) this.renewReader();
  }

  /** The logs follow messages from their beginning: nothing may be half-way, to the client or to a server. */
  private renewReader(): void {
    this.readerIsOld = false;
    this.messages?.end();
    this.messages = messageLogFor(this.settings, this.log);
    this.client.reader = this.messages?.before(this.relay) ?? this.relay;
    for (const link of this.traffic.supply.all()) link.tap = this.messages?.tap(link) ?? null;
  }

  /** True once after another reader has been put in the place of the one that reads now. */
  takeReaderChange(): boolean {
    const changed = this.readerChanged;
    this.readerChanged = false;
    return changed;
  }

  /* ---- cancel ---- */

  /** This connection carries a CancelRequest for some session of any worker. There is never an answer. */
  cancelRequested(pid: number, key: Buffer): void {
    const { childTable } = this.worker;
    const row = childTable.rowOfId(pid);
    const secret = row < 0 ? Buffer.alloc(0) : childTable.secret(row).subarray(0, 4);
    if (row >= 0 && key.length === secret.length && timingSafeEqual(key, secret)) {
      const worker = childTable.workerOf(row);
      const code = key.readInt32BE(0);
      if (worker === this.worker.row) this.worker.cancel(row, pid, code);
      else this.worker.broadcast({ type: 'cancel', worker, childRow: row, childId: pid, key: code });
    } else {
      this.log.log(LogLevel.log, `invalid cancel key: no session with process id ${pid} and this key`);
    }
    this.finish('cancel request', null);
  }

  cancel(): void {
    if (this.loggedIn) this.traffic.supply.cancelAll();
  }

  /* ---- time limits, once a second ---- */

  tick(nowMs: number): void {
    const { settings } = this;
    if (this.childRow >= 0) this.worker.childTable.setLastActivity(this.childRow, this.heardMs);
    this.client.listenIfStalled();
    if (this.over) return;
    if (!this.loggedIn) {
      const limitMs = settings.authentication_timeout * 1000;
      if (limitMs > 0 && nowMs - this.connectedMs >= limitMs) this.fail(errors.authenticationTimeout());
      return;
    }
    this.traffic.farewell.tick(nowMs);
    // A host that dies without a word leaves its connections open for hours: the node table knows better.
    for (const link of this.traffic.supply.all()) if (!this.worker.nodes.isAlive(link.node)) this.traffic.lost(link, 'the node is down');
    if (this.over) return;
    const limit = settings.client_idle_limit;
    if (limit > 0 && nowMs - this.heardMs > limit * 1000 && this.traffic.current?.quiet !== false) this.fail(errors.clientIdleLimit(limit));
    else if (this.worker.stopping === 'fast') this.fail(errors.adminShutdown());
  }

  /* ---- the end ---- */

  clientGone(reason: string): void {
    // TLS 1.3: the client rejects our certificate when the handshake is over for us.
    if (this.client.isEncrypted && this.entrance.user === '' && reason !== connectionClosed) return this.handshakeFailed(reason);
    if (this.traffic?.farewell.said === true) this.traffic.farewell.clientGone(this.worker.nowMs);
    else this.end(reason, false);
  }

  handshakeFailed(reason: string): void {
    const { host } = this.handOver;
    this.log.log(LogLevel.log, `could not accept TLS connection from ${host === '' ? '[local]' : host}: ${reason}`);
    this.end(reason, false);
  }

  clientBroken(error: Error): void {
    this.log.log(LogLevel.error, 'internal error while reading from the client', { error });
    this.fail(errors.internal());
  }

  /**
   * Ends the session with an error for the client, unless a message to it is half-way.
   * @param reason the log's detail, which the client is not told
   * @param waitMs so much later is the client told; it takes up no child meanwhile
   */
  fail(error: PgError, { reason = error.detail, waitMs = 0 }: { readonly reason?: string | undefined; readonly waitMs?: number } = {}): void {
    if (this.over) return;
    const level = error.sqlstate.startsWith('57P0') || error.sqlstate.startsWith('28') ? LogLevel.fatal : LogLevel.error;
    this.log.log(level, error.message, { ...(reason !== undefined && { detail: reason }), ...(error.hint !== undefined && { hint: error.hint }) });
    if (this.traffic?.current?.midMessage === true) this.abort(error.message);
    else if (waitMs > 0 && this.worker.lateAnswers.take(this.client, encodeError(error), waitMs)) this.end(error.message, false);
    else this.finish(error.message, encodeError(error));
  }

  /** Ends the session; `last` is the last thing the client is told. */
  finish(reason: string, last: Buffer | null): void {
    if (this.over) return;
    this.client.finish(this.worker.nowMs, last ?? undefined);
    this.end(reason, false);
  }

  /** Ends the session in the middle of a message: all that can be done is to close. */
  abort(reason: string): void {
    if (this.over) return;
    this.client.destroy();
    this.end(reason, false);
  }

  /** @param reuse the client left in order, so its links may be reset and kept */
  end(reason: string, reuse: boolean): void {
    if (this.over) return;
    this.over = true;
    this.messages?.end();
    const { worker } = this;
    if (!this.client.closed && !worker.lateAnswers.has(this.client)) this.client.finish(worker.nowMs);
    const isLast = this.childRow >= 0 && worker.children.isLastClient(this.childRow);
    this.traffic?.supply.releaseAll(reuse && !isLast && this.relay.idle);
    this.entrance.close();
    if (this.entrance.user !== '') this.connectionLog.ended(this.entrance.user, this.database, this.connectedMs);
    worker.sessions.delete(this);
    if (this.childRow >= 0) worker.children.giveBack(this.childRow);
    this.done(reason);
  }
}
