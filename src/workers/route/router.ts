/**
 * Where a statement goes: plan + what the session has done + node table → node id. Safe first.
 *
 *   anything not proven read-only ─────────────────────────────────────▶ primary
 *   a read ── pinned? facts? first character? wrote? isolated? delay? ──▶ primary, else the load-balance node
 */
import type { NodeTable } from '../../shared/memory/node-table.js';
import type { Redirect } from '../../shared/routing/redirect-list.js';
import type { Settings } from '../../shared/settings.js';
import { StatementKind, type Plan, type Verdict } from '../sql/plan.js';
import type { RelationFacts } from '../sql/relation-facts.js';
import { LoadBalance, nowhere } from './load-balance.js';
import type { WriteTracking } from './write-tracking.js';

export { nowhere } from './load-balance.js';
/** No node can be named yet: the plan's relations and functions have to be asked about first. */
export const askFirst = -2;

export class Router {
  /** The node that this session's reads go to. */
  loadBalanceNode = nowhere;
  /** Session state has changed in a way that cannot be repeated elsewhere: reads stay on the primary. */
  pinned = false;
  /** What the session began with keeps its reads on the primary: DISCARD ALL brings that state back. */
  pinnedFromStart = false;
  /** A transaction block is open, as far as is known: predicted when BEGIN is sent, corrected by ReadyForQuery. */
  inTransaction = false;
  /** Its BEGIN was seen as a statement of its own, so the reader can be given one like it. */
  begunPlainly = false;
  /** How a node that joins it is told to begin. */
  beginAs = 'BEGIN';
  /** The transaction must not be spread: isolation above READ COMMITTED, savepoints, or a BEGIN that was not seen. */
  isolated = false;
  /** The transaction has failed on the reader: the reader answers until its end. */
  readerFailed = false;
  /** The transaction has failed on the primary: it answers until the end. */
  primaryFailed = false;
  /** Nodes that this session could not reach; not tried again until the node table changes. */
  private readonly unreachable = new Set<number>();
  private unreachableEpoch = -1;
  private primaryInTransaction = nowhere;
  private readonly loadBalance: LoadBalance;
  /** statement_level_load_balance: the next read that may leave the primary gets a node of its own. */
  private pickIsDue = false;

  /** @param redirect what the redirect lists say about the session; null = nothing */
  constructor(
    private readonly nodes: NodeTable,
    readonly settings: Settings,
    private readonly facts: RelationFacts,
    private readonly tracking: WriteTracking,
    redirect: Redirect | null,
  ) {
    this.loadBalance = new LoadBalance(nodes, settings, redirect, (node) => this.usable(node));
  }

  get isRaw(): boolean {
    return this.settings.backend_clustering_mode === 'raw';
  }

  private usable(node: number): boolean {
    if (node < 0 || !this.nodes.isAlive(node)) return false;
    if (this.unreachable.size === 0) return true;
    if (this.unreachableEpoch !== this.nodes.epoch) {
      this.unreachable.clear();
      return true;
    }
    return !this.unreachable.has(node);
  }

  /** A link to the node could not be opened. */
  avoid(node: number): void {
    this.unreachableEpoch = this.nodes.epoch;
    this.unreachable.add(node);
  }

  /** Where writes go: the primary; the main node when none is known (it will refuse writes itself) and in raw mode. */
  get primaryNode(): number {
    if (this.inTransaction && this.primaryInTransaction >= 0) return this.primaryInTransaction;
    const primary = this.isRaw ? nowhere : this.nodes.primary;
    if (primary >= 0 && this.usable(primary)) return primary;
    for (const { id } of this.settings.backends) if (this.usable(id)) return id;
    return nowhere;
  }

  /** Reads of this session may go to another node than writes, as things stand. */
  get balances(): boolean {
    return !this.pinned && !this.isRaw && (this.loadBalanceNode !== this.primaryNode || this.changesReader);
  }

  /** The load-balance node may become another one in the course of the session. */
  private get changesReader(): boolean {
    return this.settings.statement_level_load_balance && this.settings.load_balance_mode;
  }

  /** Chooses the session's load-balance node among the live nodes. */
  private pickLoadBalanceNode(): number {
    const primary = this.primaryNode;
    this.loadBalanceNode = this.isRaw || !this.settings.load_balance_mode ? primary : this.loadBalance.pick(primary);
    return this.loadBalanceNode;
  }

  private pickIfDue(): void {
    if (!this.pickIsDue) return;
    this.pickIsDue = false;
    this.pickLoadBalanceNode();
  }

  /** Where a read would go now, other things apart. */
  get readerNow(): number {
    this.pickIfDue();
    if (this.primaryFailed) return this.primaryNode;
    if (this.inTransaction) return this.usable(this.loadBalanceNode) ? this.loadBalanceNode : this.primaryNode;
    return this.readerForLogin();
  }

  /** The load-balance node, chosen when there is none yet or the one there was cannot be used. */
  readerForLogin(): number {
    return this.usable(this.loadBalanceNode) ? this.loadBalanceNode : this.pickLoadBalanceNode();
  }

  /**
   * The node for a statement.
   * @param mayLeave its text may leave the primary (first character, primary_routing_query_pattern_list)
   * @param given a verdict that was asked for just now and is not remembered
   * @returns a node id, `askFirst`, or `nowhere`
   */
  nodeFor(plan: Plan, mayLeave: boolean, given?: Verdict): number {
    if (this.readerFailed) return this.loadBalanceNode;
    const primary = this.primaryNode;
    const reads = plan.kind === StatementKind.read || plan.kind === StatementKind.empty;
    if (!this.balances || this.primaryFailed) return primary;
    // A write is judged as well when it calls functions: they may change the session's state behind our back.
    if (plan.functions.length > 0 || (reads && plan.relations.length > 0)) {
      const verdict = given ?? this.facts.quickVerdict(plan, this.nodes.ddlGeneration);
      if (verdict === undefined) return askFirst;
      if (verdict === 'opaque') this.pinned = true;
      this.tracking.mentions(plan.functions, this.inTransaction);
      if (verdict !== 'balance') {
        // A function that writes makes its SELECT a write (semantics 3).
        if (verdict !== 'primary') this.tracking.calls(plan, this.inTransaction, verdict === 'opaque' || this.settings.write_function_list.length > 0);
        if (plan.transactionLocal && this.inTransaction) this.isolated = true;
        return primary;
      }
    }
    if (!reads) return primary;
    return mayLeave && this.mayReadElsewhere(plan) ? this.readerOr(primary) : primary;
  }

  private mayReadElsewhere(plan: Plan): boolean {
    if (this.inTransaction && (!this.begunPlainly || this.isolated)) return false;
    return !this.tracking.keeps(plan, this.inTransaction);
  }

  private readerOr(primary: number): number {
    this.pickIfDue();
    if (!this.usable(this.loadBalanceNode)) {
      if (this.inTransaction) return primary;
      this.pickLoadBalanceNode();
    }
    const reader = this.loadBalanceNode;
    if (reader === primary || !this.loadBalance.isTooLate(reader)) return reader;
    // In a transaction the reader stays the same; else a fresher one becomes the session's.
    if (!this.settings.prefer_lower_delay_standby || this.inTransaction) return primary;
    const fresher = this.loadBalance.fresher(primary);
    if (fresher === null) return primary;
    return (this.loadBalanceNode = fresher);
  }

  /** A statement (or a batch) has been given its node and is sent: with statement_level_load_balance the next gets its own. */
  statementSent(): void {
    // A transaction keeps the node that its first read gets.
    if (this.changesReader && !this.inTransaction) this.pickIsDue = true;
  }

  /**
   * A statement that calls or reads something is being run, and what comes before it in its batch is booked: what it was judged
   * to do counts from here on. (It was judged when a BEGIN before it was not sent yet.)
   */
  ran(plan: Plan): void {
    if (!this.inTransaction || (plan.functions.length === 0 && plan.relations.length === 0)) return;
    const verdict = this.facts.quickVerdict(plan, this.nodes.ddlGeneration) ?? 'writes';
    this.tracking.mentions(plan.functions, true);
    if (verdict === 'balance') return;
    if (plan.transactionLocal) this.isolated = true;
    if (verdict !== 'primary') this.tracking.calls(plan, true, verdict === 'opaque' || this.settings.write_function_list.length > 0);
  }

  /** What was written is being answered: other sessions must know before the client does. */
  shareWrites(): void {
    this.tracking.share();
  }

  /** The first reads of a transaction that begins now stay on the primary. */
  get keepsNextTransaction(): boolean {
    return this.tracking.keepsAny;
  }

  /** A statement is being sent: what it will have done when it succeeds. */
  sent(plan: Plan): void {
    // What comes behind it is not in the failed transaction any more, or not surely: it waits for the answer.
    if (plan.kind === StatementKind.commit || plan.kind === StatementKind.rollback || plan.statements > 1) this.readerFailed = false;
    switch (plan.kind) {
      case StatementKind.read:
      case StatementKind.empty:
      case StatementKind.own:
        return;
      case StatementKind.begin:
        if (this.inTransaction) {
          // One of the two is not run, and it is not known which.
          if (plan.beginIsolated || plan.beginAs !== this.beginAs) this.isolated = true;
          return;
        }
        this.primaryInTransaction = this.primaryNode;
        this.inTransaction = true;
        this.begunPlainly = true;
        this.beginAs = plan.beginAs;
        this.isolated = plan.beginIsolated;
        return;
      case StatementKind.commit:
      case StatementKind.rollback:
        if (plan.kind === StatementKind.commit) this.tracking.share();
        if (plan.chain) this.isolated = true;
        else this.inTransaction = false;
        return;
      case StatementKind.savepoint:
        this.isolated = true;
        return;
      default:
        this.tracking.sent(plan, this.inTransaction);
        // With disable_load_balance_on_write = off reads may follow, and would not find it on the reader.
        if (this.inTransaction && (plan.transactionLocal || plan.kind === StatementKind.set)) this.isolated = true;
        if (plan.opaque) this.pinned = true;
    }
  }

  /** The transaction has something on the primary that is not to be seen from elsewhere (a named portal, …). */
  keepTransaction(): void {
    if (this.inTransaction) this.isolated = true;
  }

  /** All answers are in: what the server says about the transaction. */
  settled(open: boolean): void {
    this.inTransaction = open;
    if (open) {
      // A transaction that was opened inside a longer string, by AND CHAIN, …: the reader has no counterpart.
      if (!this.begunPlainly) this.isolated = true;
      if (this.primaryInTransaction < 0) this.primaryInTransaction = this.primaryNode;
      return;
    }
    this.begunPlainly = false;
    this.isolated = false;
    this.readerFailed = false;
    this.primaryInTransaction = nowhere;
    this.tracking.transactionOver();
  }

  /** DISCARD ALL: the session is as new. */
  discarded(): void {
    this.pinned = this.pinnedFromStart;
    this.tracking.discarded();
  }
}
