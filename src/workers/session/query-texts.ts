/** The texts of a session's statements: their plans, and whether a text may leave the primary. */
import type { Router } from '../route/router.js';
import { passesPatterns, textMayLeave } from '../sql/first-character.js';
import { plainPlan } from '../sql/plain-plan.js';
import { StatementKind, type Plan } from '../sql/plan.js';
import type { Session } from './session.js';
import { shownBytes } from './statement.js';

export class QueryTexts {
  /** The text that was looked up last, and where it stands; null where texts are not looked up. */
  private last = '';
  private lastData: Buffer | null = null;
  private lastFrom = 0;

  /** @param single there is but one node to go to: what a statement is need not be known */
  constructor(private readonly session: Session, private readonly router: Router, private readonly single: boolean) {}

  /** Plan of the SQL text data[from, to). */
  planOf(data: Buffer, from: number, to: number): Plan {
    if (this.single) {
      const plan = plainPlan(data, from, to);
      this.lastData = null;
      if (plan !== null) return plan;
    }
    const text = data.latin1Slice(from, to);
    this.last = text;
    this.lastData = data;
    this.lastFrom = from;
    return this.session.worker.plans.planOf(text);
  }

  /** The beginning of data[from, to), of which a plan has just been asked: what SHOW POOL_POOLS shows. One character for each byte. */
  shown(data: Buffer, from: number, to: number): string {
    const { last } = this;
    if (data === this.lastData && from === this.lastFrom && last.length === to - from && last.length <= shownBytes) return last;
    return data.latin1Slice(from, Math.min(to, from + shownBytes));
  }

  /** Plan of a statement that is too long to be looked at. */
  bigPlan(): Plan {
    return this.session.worker.bigPlan;
  }

  /** Pgpool-II's tests on the text itself: first character, primary_routing_query_pattern_list. */
  mayLeave(plan: Plan, data: Buffer, from: number, to: number): boolean {
    // Pgpool-II looks at the first character of what it takes for a SELECT, not of SHOW and COPY.
    if (plan.kind === StatementKind.read && !plan.countsAsSelect) return this.passesPatterns(data, from, to);
    return this.router.balances && textMayLeave(data, from, to, this.session.settings, this.session.worker.rules.primaryPatterns);
  }

  /** primary_routing_query_pattern_list alone. */
  passesPatterns(data: Buffer, from: number, to: number): boolean {
    return this.router.balances && passesPatterns(data, from, to, this.session.worker.rules.primaryPatterns);
  }
}
