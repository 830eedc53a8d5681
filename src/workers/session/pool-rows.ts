/** The server connections of this worker, as it tells of them to SHOW POOL_POOLS of its own sessions and to other threads. */
import { LinkCollector, rowsMessage } from '../../shared/link-collector.js';
import type { Broadcast } from '../../shared/messages.js';
import type { LinkRow } from '../../shared/report/link-row.js';
import type { BackendLink } from '../backend/backend-link.js';
import type { PoolEntry } from '../backend/pool.js';
import { withoutPasswords } from '../sql/masked-text.js';
import type { Worker } from '../worker.js';
import type { Session } from './session.js';

export class PoolRows {
  private readonly collector: LinkCollector;
  private readonly finished = new WeakMap<Session, readonly LinkRow[]>();

  constructor(private readonly worker: Worker) {
    this.collector = new LinkCollector((message) => worker.broadcast(message), () => worker.workerTable.running - 1);
  }

  /** What another thread is told that asks for them. */
  answer(request: string): Broadcast {
    return rowsMessage(request, this.worker.row, this.own());
  }

  received(message: Extract<Broadcast, { type: 'rows' }>): void {
    this.collector.received(message);
  }

  /** Those of all workers, for a session; null while they are being fetched: `ready` is called when they are there. */
  take(session: Session, ready: () => void): readonly LinkRow[] | null {
    const rows = this.finished.get(session);
    if (rows !== undefined) {
      this.finished.delete(session);
      return rows;
    }
    this.collector.collect(this.own(), (all) => {
      this.finished.set(session, all);
      ready();
    });
    return null;
  }

  private own(): LinkRow[] {
    const rows: LinkRow[] = [];
    for (const session of this.worker.sessions) {
      if (!session.loggedIn) continue;
      for (const link of session.traffic.supply.all()) rows.push(linkRow(link, session.entry, session.childRow, true));
    }
    for (const { entry, link } of this.worker.pool.rows()) rows.push(linkRow(link, entry, link.lastChildRow, false));
    return rows;
  }
}

function linkRow(link: BackendLink, entry: PoolEntry, childRow: number, connected: boolean): LinkRow {
  return {
    childRow, node: link.node, database: entry.database, user: entry.as.user, openedMs: link.openedMs, idleSinceMs: connected ? 0 : link.idleSinceMs,
    sessions: link.sessions, backendPid: link.pid, connected, entry: entry.number, statement: withoutPasswords(Buffer.from(link.statement, 'latin1').toString('utf8')),
  };
}
