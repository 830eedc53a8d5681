/** Books what a session SETs: when it is sent, and when it is known whether it holds. */
import type { BackendLink } from '../backend/backend-link.js';
import type { Router } from '../route/router.js';
import { StatementKind, type Plan } from '../sql/plan.js';
import { setsIsolation } from './isolation.js';
import type { SessionSettings } from './session-settings.js';

export class SettingsBook {
  constructor(private readonly settings: SessionSettings, private readonly router: Router) {}

  /** A statement is being sent. Called before the router knows: it matters whether it finds a transaction open. */
  sent(plan: Plan): void {
    const { router, settings } = this;
    if (plan.setting !== null) {
      settings.sent(plan.setting, router.inTransaction);
      if (setsIsolation(plan.setting)) router.pinned = true;
    } else if (plan.kind === StatementKind.commit) settings.commitSent();
    else if (plan.kind === StatementKind.rollback) {
      // Behind a SET in one batch it takes the SET back, also without a BEGIN: the batch is a transaction.
      if (settings.isHoping && !router.inTransaction) router.pinned = true;
      settings.rollbackSent();
    }
    // ROLLBACK TO may take back a SET, or not.
    else if (plan.kind === StatementKind.savepoint && settings.hasPending) router.pinned = true;
  }

  /**
   * A SET was among what has been answered: does it hold?
   * @param alone nothing else was
   * @param open a transaction is
   */
  answered(link: BackendLink, failed: boolean, alone: boolean, open: boolean): void {
    const { router, settings } = this;
    if (failed) {
      // Among several statements, or in a transaction that may go on from a savepoint, nobody knows what was set.
      if (!alone || open) router.pinned = true;
      settings.drop();
      return;
    }
    // A transaction that was ended by something else (PREPARE TRANSACTION, …): who knows.
    if (!open && settings.hasPending) {
      router.pinned = true;
      settings.drop();
    }
    settings.keep();
    link.settingsVersion = settings.version;
  }
}
