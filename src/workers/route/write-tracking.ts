/**
 * What a session has written, and which reads it keeps on the primary: disable_load_balance_on_write in all its modes
 * (semantics.md section 3).
 *
 *   off                  nothing is kept
 *   transaction          reads behind a write, up to the end of the transaction
 *   trans_transaction    and in every later transaction of the session
 *   always               every read behind a write
 *   dml_adaptive         in the transaction, reads of the tables written and of what depends on them
 *   dml_adaptive_global  and for a while, in every session, reads of tables that somebody has written
 */
import type { MutationTable } from '../../shared/memory/mutation-table.js';
import { dependentsOf, type ObjectRelationships } from '../../shared/routing/object-relationships.js';
import type { Settings } from '../../shared/settings.js';
import type { NameInPlan, Plan } from '../sql/plan.js';

export interface TrackingSettings extends Pick<Settings, 'disable_load_balance_on_write' | 'track_table_mutation_max_staleness'> {}

/** What dml_adaptive_global shares with the other sessions. */
export interface SharedMutations {
  readonly table: MutationTable;
  readonly database: string;
  /** How long the standbys may still lack what is written now, ms. */
  readonly staleMs: () => number;
}

export class WriteTracking {
  /** Something was written, in the modes that do not look at tables. */
  private wrote = false;
  /** Tables (and functions, as `name()`) written in the transaction, in the dml_adaptive modes. */
  private readonly written = new Set<string>();
  /** Something was written that cannot be named. */
  private anything = false;
  private readonly adaptive: boolean;

  constructor(private readonly settings: TrackingSettings, private readonly relationships: ObjectRelationships, private readonly shared: SharedMutations | null) {
    this.adaptive = settings.disable_load_balance_on_write.startsWith('dml_adaptive');
  }

  /** A statement that writes is being sent. */
  sent(plan: Plan, inTransaction: boolean): void {
    if (!this.notes(inTransaction)) return;
    for (const { name } of plan.writes ?? []) this.add(name);
    if (plan.writes === null) this.anything = true;
    // Marked already now, so that no other session can read between the commit and our hearing of it.
    this.share();
  }

  /**
   * A statement that calls a writing function is being sent.
   * @param writesRows what the function does is not known to leave tables alone, as PostgreSQL's own volatile ones do
   */
  calls(plan: Plan, inTransaction: boolean, writesRows: boolean): void {
    if (!this.notes(inTransaction)) return;
    this.addFunctions(plan.functions, writesRows);
    this.share();
  }

  /** Functions are called that are not known to write; the list may say that they do. */
  mentions(functions: readonly NameInPlan[], inTransaction: boolean): void {
    if (this.relationships.size > 0 && functions.length > 0 && this.adaptive && this.notes(inTransaction)) this.addFunctions(functions, false);
  }

  /** Whether the modes that look at tables want to know of a write; the others are told at once. */
  private notes(inTransaction: boolean): boolean {
    if (!this.adaptive) {
      if (inTransaction || this.settings.disable_load_balance_on_write === 'always') this.wrote = true;
      return false;
    }
    // Outside of a transaction only what all sessions share is of interest.
    return inTransaction || this.shared !== null;
  }

  private add(object: string): void {
    for (const one of dependentsOf(this.relationships, object)) this.written.add(one);
  }

  /** What a function writes is known only from the list. */
  private addFunctions(functions: readonly NameInPlan[], writesRows: boolean): void {
    const objects = functions.map(({ name }) => `${name}()`);
    const named = objects.filter((object) => this.relationships.has(object));
    for (const object of named) this.add(object);
    if (writesRows && named.length === 0) this.anything = true;
  }

  /** Must a read that may otherwise leave the primary stay there? */
  keeps(plan: Plan, inTransaction: boolean): boolean {
    switch (this.settings.disable_load_balance_on_write) {
      case 'off':
        return false;
      case 'always':
        return this.wrote;
      case 'dml_adaptive':
        return this.isWritten(plan);
      case 'dml_adaptive_global':
        return this.isWritten(plan) || this.isStale(plan);
      default:
        return inTransaction && this.wrote;
    }
  }

  /** In a transaction every read has to. */
  get keepsAny(): boolean {
    return this.anything || (this.wrote && this.settings.disable_load_balance_on_write !== 'off');
  }

  private isWritten({ relations, functions }: Plan): boolean {
    if (this.anything) return true;
    return this.written.size > 0 && (relations.some(({ name }) => this.written.has(name)) || functions.some(({ name }) => this.written.has(`${name}()`)));
  }

  private isStale({ relations, functions }: Plan): boolean {
    const { shared } = this;
    if (shared === null || relations.length + functions.length === 0) return false;
    const nowMs = Date.now();
    const { table, database } = shared;
    if (table.isAllStale(database, nowMs)) return true;
    return relations.some(({ name }) => table.isStale(database, name, nowMs)) || functions.some(({ name }) => table.isStale(database, `${name}()`, nowMs));
  }

  /** COMMIT is being sent, or what was written has been answered: the time that others stay away begins anew. */
  share(): void {
    const { shared } = this;
    if (shared === null || (!this.anything && this.written.size === 0)) return;
    const nowMs = Date.now();
    const staleMs = shared.staleMs();
    const longestMs = this.settings.track_table_mutation_max_staleness;
    if (this.anything) shared.table.mark(shared.database, '', nowMs, staleMs, longestMs);
    for (const object of this.written) shared.table.mark(shared.database, object, nowMs, staleMs, longestMs);
  }

  /** All answers are in and no transaction is open. */
  transactionOver(): void {
    const mode = this.settings.disable_load_balance_on_write;
    if (mode !== 'always' && mode !== 'trans_transaction') this.wrote = false;
    if (!this.adaptive) return;
    this.share();
    this.anything = false;
    if (this.written.size > 0) this.written.clear();
  }

  /** DISCARD ALL: the session is as new. */
  discarded(): void {
    this.wrote = false;
  }
}
