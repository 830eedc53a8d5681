/** Where a session gets its backend links from, and gives them back to. */
import { LogLevel } from '../../shared/logger.js';
import { PgError } from '../../shared/errors.js';
import type { BackendLink } from '../backend/backend-link.js';
import { LoginRefused } from '../authentication/login-refused.js';
import { NodeUnreachable, ServerRefusal } from '../backend/connect.js';
import { askRows } from '../backend/own-query.js';
import { cancelLink } from '../backend/server-socket.js';
import type { Plan, Verdict } from '../sql/plan.js';
import type { Session } from './session.js';
import type { Traffic } from './traffic.js';

const askTimeoutMs = 10_000;
/** The primary can be asked instead. */
const readerTimeoutMs = 2_000;
const cancelTimeoutMs = 10_000;

export class LinkSupply {
  private readonly links = new Map<number, BackendLink>();
  private readonly opening = new Set<number>();
  private released = false;

  constructor(private readonly session: Session, private readonly traffic: Traffic) {}

  get count(): number {
    return this.links.size;
  }

  all(): IterableIterator<BackendLink> {
    return this.links.values();
  }

  /** The session's link to the node, at once if it has one or the pool does; else null, and `linkArrived` is called later. */
  get(node: number): BackendLink | null {
    const attached = this.links.get(node);
    if (attached !== undefined) return attached;
    const { worker, entrance: { login } } = this.session;
    const pooled = login.isProved || login.isTrusted(node) ? worker.pool.take(login.entry, node) : null;
    if (pooled !== null) return this.attach(pooled);
    if (!this.opening.has(node)) this.open(node);
    return null;
  }

  private open(node: number): void {
    this.opening.add(node);
    const { worker, entrance: { login }, loggedIn } = this.session;
    worker.pool.open(login.entry, node, login.isProved ? null : login.askedBy(node, !loggedIn), loggedIn || login.mayEvict(node)).then(
      (link) => {
        this.opening.delete(node);
        login.opened(link);
        if (this.released) {
          this.session.entrance.settleAttempt();
          void worker.pool.release(login.entry, link, true);
        } else {
          this.attach(link);
          this.traffic.linkArrived();
        }
      },
      (error: Error) => {
        this.opening.delete(node);
        if (this.released) this.failedTooLate(node, error);
        else this.openFailed(node, error);
      },
    ).catch((error: unknown) => this.session.clientBroken(error as Error));
  }

  /** A node where the statement is prepared (a DEALLOCATE fails elsewhere): the primary if it is, or if nobody has it. */
  nodeWith(statement: string, primary: number): number {
    let node = primary;
    for (const link of this.links.values()) {
      if (!link.statements.has(statement)) continue;
      if (link.node === primary) return primary;
      node = link.node;
    }
    return node;
  }

  private attach(link: BackendLink): BackendLink {
    link.user = this.traffic;
    link.tap = this.session.messages?.tap(link) ?? null;
    link.sessions++;
    link.settingsVersion = 0;
    link.lastChildRow = this.session.childRow;
    this.links.set(link.node, link);
    this.session.attached(link);
    return link;
  }

  /** A reader that cannot be had is done without; without the node for writes the session is over. */
  private openFailed(node: number, error: Error): void {
    const { session } = this;
    if (error instanceof LoginRefused) return session.entrance.refuse(error);
    // The server that waited for the client's answer has gone; the client cannot be asked a second time.
    if (session.entrance.login.isAsking) return session.fail(new NodeUnreachable(node, error.message).toPgError());
    if (error instanceof NodeUnreachable) session.nodeTrouble(node, error.reason);
    const isNeeded = node === session.traffic.router.primaryNode;
    session.traffic.router.avoid(node);
    // A standby may lag behind (a new database, a new role) or still start: the primary has the last word.
    if (!isNeeded) return this.traffic.linkArrived();
    if (error instanceof NodeUnreachable && !session.loggedIn && session.traffic.router.primaryNode >= 0) return this.traffic.linkArrived();
    if (error instanceof ServerRefusal) return session.entrance.refusedByServer(node, error);
    session.entrance.settleAttempt();
    session.log.log(LogLevel.error, error.message);
    // What pgloom knows of the password does not open the server: it may be old.
    session.worker.passwords.query.forget(session.entrance.user);
    if (error instanceof PgError) session.fail(error);
    else session.fail(error instanceof NodeUnreachable ? error.toPgError() : new NodeUnreachable(node, error.message).toPgError());
  }

  /** The client has not waited: it may have guessed. */
  private failedTooLate(node: number, error: Error): void {
    const { entrance } = this.session;
    if (error instanceof LoginRefused) entrance.refuse(error);
    else if (error instanceof ServerRefusal && !this.session.loggedIn) entrance.refusedByServer(node, error);
    else entrance.settleAttempt();
  }

  /** The link is gone. */
  forget(link: BackendLink): void {
    if (this.links.get(link.node) === link) this.links.delete(link.node);
    this.session.worker.pool.forget(link);
    link.destroy();
  }

  releaseAllBut(kept: BackendLink | null): void {
    for (const link of this.links.values()) if (link !== kept) this.release(link, true);
  }

  /** The session is over. @param reuse its links may serve others, if they are clean */
  releaseAll(reuse: boolean): void {
    this.released = true;
    for (const link of this.links.values()) this.release(link, reuse);
  }

  private release(link: BackendLink, reuse: boolean): void {
    const { worker, entry } = this.session;
    this.links.delete(link.node);
    link.tap = null;
    void worker.pool.release(entry, link, reuse);
  }

  /**
   * Asks the catalog, on a link of the session's own entry, whether a read may leave the primary: that of the primary, or,
   * as relcache_query_target wishes and where it is safe, that of the session's load-balance node.
   */
  async askVerdict(plan: Plan): Promise<Verdict> {
    const { worker, database } = this.session;
    const { primaryNode, loadBalanceNode } = this.traffic.router;
    const wantsReader = worker.settings.relcache_query_target === 'load_balance_node'
      && loadBalanceNode >= 0 && loadBalanceNode !== primaryNode && worker.nodes.isAlive(loadBalanceNode);
    const reader = wantsReader
      ? { node: loadBalanceNode, ask: (sql: string) => this.askNode(loadBalanceNode, sql, readerTimeoutMs) }
      : null;
    return worker.factsOf(database).verdict(plan, worker.nodes.ddlGeneration, (sql) => this.askNode(primaryNode, sql, askTimeoutMs), reader);
  }

  /** Asks the primary's catalog, outside of the client's transaction; rows as text. */
  askCatalog(sql: string): Promise<(string | null)[][]> {
    return this.askNode(this.traffic.router.primaryNode, sql, askTimeoutMs);
  }

  private async askNode(node: number, sql: string, timeoutMs: number): Promise<(string | null)[][]> {
    const { worker, entry } = this.session;
    const link = worker.pool.take(entry, node) ?? (await worker.pool.open(entry, node));
    try {
      return await askRows(link, sql, timeoutMs);
    } finally {
      void worker.pool.release(entry, link, true);
    }
  }

  /** Cancels what the session runs now, on whichever links. */
  cancelAll(): void {
    for (const link of this.links.values()) if (link.debt > 0 || link.batchOpen) this.cancel(link);
  }

  /**
   * Sends a CancelRequest for what the link runs. Until the server has dealt with it the link is not reused: the signal
   * could hit the next client's query.
   */
  private cancel(link: BackendLink): void {
    const backend = this.session.settings.backends.find(({ id }) => id === link.node);
    if (backend === undefined) return;
    link.cancels++;
    cancelLink(link, backend, this.session.worker.tls.backend, cancelTimeoutMs, () => link.cancels--);
  }
}
