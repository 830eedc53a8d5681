/**
 * SHOW POOL_POOLS: the links of every worker. A worker knows only its own, so the one that is asked asks all others
 * over the broadcast channel and answers when it has heard from each, or after a second.
 */
import { randomUUID } from 'node:crypto';
import { pack, unpack } from 'msgpackr';
import { ChildState, childStateText } from '../../shared/memory/child-table.js';
import type { BackendLink } from '../backend/backend-link.js';
import type { Worker } from '../worker.js';
import { startTime, timestamp } from './pool-answers.js';
import type { Session } from './session.js';

const columns = [
  'pool_pid', 'start_time', 'client_connection_count', 'pool_id', 'backend_id', 'database', 'username', 'backend_connection_time',
  'client_connection_time', 'client_disconnection_time', 'client_idle_duration', 'majorversion', 'minorversion', 'pool_counter',
  'pool_backendpid', 'pool_connected', 'status', 'load_balance_node', 'client_host', 'client_port', 'statement',
] as const;
const waitMs = 1000;

/** One link, as its worker tells of it. */
type LinkRow = readonly [childRow: number, poolId: number, node: number, database: string, user: string, openedMs: number, idleSinceMs: number, sessions: number, pid: number, connected: boolean];

interface Collection {
  readonly rows: LinkRow[];
  missing: number;
  ready: () => void;
}

export class PoolRows {
  private readonly wanted = new Map<string, Collection>();
  private readonly finished = new WeakMap<Session, LinkRow[]>();

  constructor(private readonly worker: Worker) {}

  /** This worker's links. */
  pack(): Uint8Array {
    return pack(this.own());
  }

  private own(): LinkRow[] {
    const rows: LinkRow[] = [];
    const nextPool = new Map<number, number>();
    const add = (childRow: number, poolId: number, database: string, user: string, link: BackendLink, connected: boolean): void => {
      rows.push([childRow, poolId, link.node, database, user, link.openedMs, connected ? 0 : link.idleSinceMs, link.sessions, link.pid, connected]);
    };
    for (const session of this.worker.sessions) {
      if (!session.loggedIn) continue;
      nextPool.set(session.childRow, 1);
      for (const link of session.traffic.supply.all()) add(session.childRow, 0, session.database, session.entry.as.user, link, true);
    }
    for (const { entry, link } of this.worker.pool.rows()) {
      const poolId = nextPool.get(link.lastChildRow) ?? 0;
      nextPool.set(link.lastChildRow, poolId + 1);
      add(link.lastChildRow, poolId, entry.database, entry.as.user, link, false);
    }
    return rows;
  }

  received(request: string, packed: Uint8Array): void {
    const collection = this.wanted.get(request);
    if (collection === undefined) return;
    collection.rows.push(...(unpack(packed) as LinkRow[]));
    collection.missing--;
    if (collection.missing === 0) collection.ready();
  }

  /** The rows for a session, or null while they are being fetched; `ready` is called when they are there. */
  take(session: Session, ready: () => void): readonly [readonly string[], string[][]] | null {
    const rows = this.finished.get(session);
    if (rows !== undefined) {
      this.finished.delete(session);
      return [columns, this.texts(session, rows)];
    }
    this.collect(session, ready);
    return null;
  }

  private collect(session: Session, ready: () => void): void {
    const { worker } = this;
    let others = -1;
    for (let row = 0; row < worker.workerTable.size; row++) if (worker.workerTable.threadOf(row) !== 0) others++;
    const request = randomUUID();
    const finish = (): void => {
      if (!this.wanted.delete(request)) return;
      clearTimeout(timer);
      this.finished.set(session, collection.rows);
      ready();
    };
    const collection: Collection = { rows: this.own(), missing: others, ready: finish };
    const timer = setTimeout(finish, others > 0 ? waitMs : 0);
    this.wanted.set(request, collection);
    if (others > 0) worker.broadcast({ type: 'wantRows', request });
  }

  private texts(session: Session, rows: readonly LinkRow[]): string[][] {
    const { childTable } = this.worker;
    const sorted = [...rows].sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
    return sorted.map(([row, poolId, node, database, user, openedMs, idleSinceMs, sessions, pid, connected]) => {
      const known = row >= 0 && childTable.state(row) !== ChildState.stopped;
      const idleSeconds = connected && childTable.state(row) !== ChildState.executing ? Math.floor((Date.now() - childTable.lastActivity(row)) / 1000) : 0;
      return [
        String(known ? childTable.id(row) : 0), known ? startTime(session, row) : '', String(known ? childTable.served(row) : 0), String(poolId), String(node),
        database, user, timestamp(openedMs), connected ? timestamp(childTable.clientConnectedAt(row)) : '', timestamp(idleSinceMs), String(Math.max(0, idleSeconds)),
        '3', '0', String(sessions), String(pid), connected ? '1' : '0', childStateText[known && connected ? childTable.state(row) : ChildState.waiting] ?? '',
        connected && childTable.loadBalanceNode(row) === node ? '1' : '0', connected ? childTable.host(row) : '', connected ? String(childTable.port(row)) : '', '',
      ];
    });
  }
}
