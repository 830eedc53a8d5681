/**
 * What a session has SET, so that a node that joins it later can be brought to the same state.
 *
 * Inside a transaction the SETs are only candidates: they hold when it commits.
 */
import type { SettingInPlan } from '../sql/plan.js';

export class SessionSettings {
  /** In the order in which they have to be said; a key that is set again moves to the end. */
  private readonly said = new Map<string, string>();
  private pending: SettingInPlan[] = [];
  /** Grows with every change; a link remembers the version it has been brought to. */
  version = 0;

  get isEmpty(): boolean {
    return this.said.size === 0;
  }

  get hasPending(): boolean {
    return this.pending.length > 0;
  }

  /** A SET or RESET is being sent. */
  sent(setting: SettingInPlan): void {
    this.pending.push(setting);
  }

  /** What was sent has succeeded and is not part of an open transaction. */
  keep(): void {
    for (const { key, text } of this.pending) {
      if (key === '*') this.forgetAllButIdentity();
      this.said.delete(key);
      this.said.set(key, text);
    }
    if (this.pending.length > 0) this.version++;
    this.pending = [];
  }

  /** RESET ALL leaves the role and the session's user as they are. */
  private forgetAllButIdentity(): void {
    for (const key of this.said.keys()) if (key !== 'role' && key !== 'session_authorization') this.said.delete(key);
  }

  /** What was sent has failed or was rolled back. */
  drop(): void {
    this.pending = [];
  }

  clear(): void {
    this.said.clear();
    this.pending = [];
    this.version++;
  }

  /** The statements that bring a fresh link to this session's state. */
  statements(): string[] {
    return [...this.said.values()];
  }
}
