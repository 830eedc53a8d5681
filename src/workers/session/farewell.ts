/**
 * A client has said good-bye while it is still owed answers. It may want them, and libraries leave at an ErrorResponse, a
 * moment before its ReadyForQuery: where the answers can be counted the session ends with the last of them and its link
 * serves the next; else the server is told and ends the connection.
 */
import { terminateMessage } from '../../shared/protocol/writer.js';
import type { BackendLink } from '../backend/backend-link.js';
import { lingerMs } from '../link.js';
import type { Session } from './session.js';

const reason = 'client terminated';

export class Farewell {
  said = false;
  private aloneSinceMs = 0;

  constructor(private readonly session: Session) {}

  /** The client's Terminate. @param current the link that its last messages went to */
  say(current: BackendLink | null): void {
    if (current === null || current.debt === 0 || current.copyIn) return this.session.end(reason, true);
    this.said = true;
    if (current.countable) return;
    current.unsure = true;
    current.send(terminateMessage);
  }

  /** The link's answers may not come by themselves any more: nobody is left to send COPY data. */
  changed(link: BackendLink): void {
    if (link.copyIn) this.session.end(reason, false);
  }

  /** The link owes nothing. */
  settled(link: BackendLink): void {
    if (link.countable) this.session.end(reason, true);
  }

  /** The link is gone. */
  lost(): void {
    this.session.end(reason, false);
  }

  /** The client has closed its socket, too: the answers are not for it any more, but the link is waited for a little. */
  clientGone(nowMs: number): void {
    this.aloneSinceMs = nowMs;
  }

  /** Once a second: a link that takes long is not worth waiting for. */
  tick(nowMs: number): void {
    if (this.aloneSinceMs > 0 && nowMs - this.aloneSinceMs > lingerMs) this.session.end(reason, false);
  }
}
