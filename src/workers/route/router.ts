/**
 * Where a statement goes: plan + what the session has done + node table → node id. Safe first.
 *
 *   anything not proven read-only ─────────────────────────────────────▶ primary
 *   a read ── pinned? facts? first character? wrote? isolated? delay? ──▶ primary, else the load-balance node
 */
import type { NodeTable } from '../../shared/memory/node-table.js';
import type { Backend, Settings } from '../../shared/settings.js';
import { StatementKind, type Plan, type Verdict } from '../sql/plan.js';
import type { RelationFacts } from '../sql/relation-facts.js';

/** No node can be named yet: the plan's relations and functions have to be asked about first. */
export const askFirst = -2;
/** Every node is down. */
export const nowhere = -1;

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
  beginReadOnly = false;
  /** The transaction must not be spread: isolation above READ COMMITTED, savepoints, or a BEGIN that was not seen. */
  isolated = false;
  /** Something was written, in the sense of disable_load_balance_on_write. */
  wrote = false;
  /** The transaction has failed on the reader: the reader answers until its end. */
  readerFailed = false;
  /** Nodes that this session could not reach; not tried again until the node table changes. */
  private readonly unreachable = new Set<number>();
  private unreachableEpoch = -1;
  private primaryInTransaction = nowhere;

  constructor(private readonly nodes: NodeTable, readonly settings: Settings, private readonly facts: RelationFacts) {}

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
    return !this.pinned && !this.isRaw && this.loadBalanceNode !== this.primaryNode;
  }

  /** Chooses the session's load-balance node by weight among the live nodes. `random` is in [0, 1). */
  pickLoadBalanceNode(random: number): number {
    const primary = this.primaryNode;
    this.loadBalanceNode = primary;
    if (this.isRaw || !this.settings.load_balance_mode) return primary;
    const candidates = this.settings.backends.filter(({ id, weight }) => weight > 0 && this.usable(id));
    const sum = candidates.reduce((total, { weight }) => total + weight, 0);
    let rest = random * sum;
    for (const candidate of candidates) {
      rest -= candidate.weight;
      if (rest < 0) return (this.loadBalanceNode = candidate.id);
    }
    return (this.loadBalanceNode = candidates.at(-1)?.id ?? primary);
  }

  /** Where a read would go now, other things apart. */
  get readerNow(): number {
    if (this.inTransaction) return this.usable(this.loadBalanceNode) ? this.loadBalanceNode : this.primaryNode;
    return this.readerForLogin(Math.random());
  }

  /** The load-balance node, chosen when there is none yet or the one there was cannot be used. */
  readerForLogin(random: number): number {
    return this.usable(this.loadBalanceNode) ? this.loadBalanceNode : this.pickLoadBalanceNode(random);
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
    if (this.pinned || this.loadBalanceNode === primary || this.isRaw) return primary;
    // A write is judged as well when it calls functions: they may change the session's state behind our back.
    if (plan.functions.length > 0 || (reads && plan.relations.length > 0)) {
      const verdict = given ?? this.facts.quickVerdict(plan, this.nodes.ddlGeneration);
      if (verdict === undefined) return askFirst;
      if (verdict === 'opaque') this.pinned = true;
      if (verdict !== 'balance') {
        // A function that writes makes its SELECT a write (semantics 3).
        if (plan.functions.length > 0) this.noteWrite();
        if (plan.transactionLocal && this.inTransaction) this.isolated = true;
        return primary;
      }
    }
    if (!reads) return primary;
    return mayLeave && this.mayReadElsewhere() ? this.readerOr(primary) : primary;
  }

  private mayReadElsewhere(): boolean {
    const mode = this.settings.disable_load_balance_on_write;
    if (this.inTransaction) return this.begunPlainly && !this.isolated && !(this.wrote && mode !== 'off');
    return !(mode === 'always' && this.wrote);
  }

  private readerOr(primary: number): number {
    if (!this.usable(this.loadBalanceNode)) {
      if (this.inTransaction) return primary;
      this.pickLoadBalanceNode(Math.random());
    }
    const { delay_threshold: threshold } = this.settings;
    const reader = this.loadBalanceNode;
    if (threshold > 0 && !this.nodes.delayIsTime(reader) && this.nodes.delay(reader) > threshold) return primary;
    return reader;
  }

  /** A statement is being sent: what it will have done when it succeeds. */
  sent(plan: Plan): void {
    switch (plan.kind) {
      case StatementKind.read:
      case StatementKind.empty:
      case StatementKind.pool:
        return;
      case StatementKind.begin:
        if (this.inTransaction) return;
        this.primaryInTransaction = this.primaryNode;
        this.inTransaction = true;
        this.begunPlainly = true;
        this.beginReadOnly = plan.beginReadOnly;
        this.isolated = plan.beginIsolated;
        return;
      case StatementKind.commit:
      case StatementKind.rollback:
        if (plan.chain) this.isolated = true;
        else this.inTransaction = false;
        return;
      case StatementKind.savepoint:
        this.isolated = true;
        return;
      default:
        this.noteWrite();
        // With disable_load_balance_on_write = off reads may follow, and would not find it on the reader.
        if (this.inTransaction && (plan.transactionLocal || plan.kind === StatementKind.set)) this.isolated = true;
        if (plan.opaque) this.pinned = true;
    }
  }

  private noteWrite(): void {
    if (this.inTransaction || this.settings.disable_load_balance_on_write === 'always') this.wrote = true;
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
    const mode = this.settings.disable_load_balance_on_write;
    if (mode !== 'always' && mode !== 'trans_transaction') this.wrote = false;
  }

  /** DISCARD ALL: the session is as new. */
  discarded(): void {
    this.pinned = this.pinnedFromStart;
    this.wrote = false;
  }
}

/** Share of the nodes in the reads, for tests and messages. */
export function weightOf(backends: readonly Backend[], node: number): number {
  const sum = backends.reduce((total, { weight }) => total + weight, 0);
  return sum === 0 ? 0 : (backends.find(({ id }) => id === node)?.weight ?? 0) / sum;
}
