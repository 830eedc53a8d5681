/**
 * A session's statements for pgloom itself (SHOW POOL_…, PGPOOL …) in the extended protocol: the server gets others in their place
 * that make it give the answer (see own-sql.ts).
 */
import { closeStatement } from '../../shared/protocol/writer.js';
import type { BackendLink } from '../backend/backend-link.js';
import type { Session } from '../session/session.js';
import type { Statement } from '../session/statement.js';
import type { Traffic } from '../session/traffic.js';
import type { PgpoolCommand } from '../sql/own-command.js';

export class OwnStatements {
  constructor(private readonly session: Session, private readonly traffic: Traffic) {}

  /** The statement that answers the command now; null = wait. */
  statement(name: string, own: PgpoolCommand): Statement | null {
    const { session, traffic } = this;
    // A client that does not read gets no further answers: the message is shown again when it has read.
    if (session.client.isHeldBack) return null;
    const statement = session.ownStatement(name, own, () => traffic.linkArrived());
    if (statement === null) traffic.waitFor('link');
    return statement;
  }

  /** Sends it in the place of the client's Parse, which has been booked. */
  send(statement: Statement): void {
    this.traffic.toBackend(statement.message, 0, statement.message.length);
    statement.forgetRows();
  }

  /** Prepares one anew on the link, silently. */
  renew(link: BackendLink, statement: Statement): void {
    const { name } = statement;
    if (name !== '') {
      const close = closeStatement(name);
      link.expectClose(name, true);
      this.traffic.toBackend(close, 0, close.length);
    }
    link.expectParse(statement, true);
    this.send(statement);
    this.traffic.prepared(link, statement);
  }

  /** An Execute is sent to the current link. */
  executed(own: PgpoolCommand): void {
    const { current } = this.traffic;
    if (current !== null) this.session.ownExecuted(own, current.asked + 1);
  }

  /** True once when the session has put another reader in the place of the one that reads now. */
  takeReaderChange(): boolean {
    return this.session.takeReaderChange();
  }
}
