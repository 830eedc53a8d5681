/**
 * What a session has SET, so that a node that joins it later can be brought to the same state.
 *
 * Inside a transaction the SETs are only candidates: they hold when it commits. Whether what was sent has succeeded is
 * known when all answers are in.
 *
 *   sent (in a transaction) ──▶ pending ──COMMIT sent──▶ hoped ──answers in, no error──▶ said
 *   sent (outside) ──────────────────────────────────────▶ hoped
 */
import type { SettingInPlan } from '../sql/plan.js';

export class SessionSettings {
  /** In the order in which they have to be said; a key that is set again moves to the end. */
  private readonly said = new Map<string, { readonly text: string; readonly version: number }>();
  private pending: SettingInPlan[] = [];
  private hoped: SettingInPlan[] = [];
  /** Grows with every change; a link remembers the version it has been brought to. */
  version = 0;

  get isEmpty(): boolean {
    return this.said.size === 0;
  }

  /** Something was SET in a transaction whose end has not been sent. */
  get hasPending(): boolean {
    return this.pending.length > 0;
  }

  /** A SET that would hold has been sent and is not answered. */
  get isHoping(): boolean {
    return this.hoped.length > 0;
  }

  /** Something was sent of which it is not known yet whether it holds. */
  get isUncertain(): boolean {
    return this.pending.length > 0 || this.hoped.length > 0;
  }

  /** A SET or RESET is being sent. */
  sent(setting: SettingInPlan, inTransaction: boolean): void {
    (inTransaction ? this.pending : this.hoped).push(setting);
  }

  /** COMMIT is being sent. */
  commitSent(): void {
    if (this.pending.length > 0) this.hoped.push(...this.pending.splice(0));
  }

  /** ROLLBACK is being sent. */
  rollbackSent(): void {
    this.pending = [];
  }

  /** What was sent, but for an open transaction, has succeeded. */
  keep(): void {
    if (this.hoped.length === 0) return;
    this.version++;
    for (const { key, text } of this.hoped) {
      if (key === '*') this.forgetAllButIdentity();
      this.said.delete(key);
      this.said.set(key, { text, version: this.version });
    }
    this.hoped = [];
  }

  /** RESET ALL leaves the role and the session's user as they are. */
  private forgetAllButIdentity(): void {
    for (const key of this.said.keys()) if (key !== 'role' && key !== 'session_authorization') this.said.delete(key);
  }

  /** What was sent has failed or was rolled back. */
  drop(): void {
    this.pending = [];
    this.hoped = [];
  }

  clear(): void {
    this.said.clear();
    this.drop();
    this.version++;
  }

  /**
   * The statements that bring a link from an earlier version of the state (0 = a fresh link) to this session's. Only
   * what is new is said: an earlier SET might not be allowed any more under the role that was set after it.
   */
  statementsSince(version: number): string[] {
    const statements: string[] = [];
    for (const said of this.said.values()) if (said.version > version) statements.push(said.text);
    return statements;
  }
}
