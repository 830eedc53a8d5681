/**
 * The replication delay (reference/semantics.md 13): every sr_check_period the primary is asked how far it has
 * written and who replicates, each standby how far it has replayed. All are asked at the same time, so that a
 * standby that hangs delays nobody; a node that has not answered yet is left alone.
 */
import { type Logger, LogLevel } from '../../shared/logger.js';
import { PgRole } from '../../shared/memory/node-table.js';
import type { AccessFiles } from '../../shared/messages.js';
import type { Backend, Settings } from '../../shared/settings.js';
import type { Row } from './node-client.js';
import { askRows, limitOf, roleLogin } from './node-question.js';
import type { NodeStates } from './node-states.js';

/** In recovery or not, and the position: replayed on a standby, written on a primary. */
const positionSql = `SELECT pg_catalog.pg_is_in_recovery(), CASE WHEN pg_catalog.pg_is_in_recovery()
  THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_lsn() END`;
/** The primary's answer has the same first two columns. */
const primarySql = `SELECT p.*, r.application_name, r.state, r.sync_state
  FROM (${positionSql}) p LEFT JOIN pg_catalog.pg_stat_replication r ON true`;

interface Position {
  readonly role: PgRole;
  /** Byte position in the WAL; null when the server has none to tell. */
  readonly lsn: bigint | null;
  readonly rows: readonly Row[];
}

/** `16/B374D848` as a byte position; null when it is no such text. */
export function parseLsn(text: string | null | undefined): bigint | null {
  const parts = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text ?? '');
  return parts === null ? null : (BigInt(`0x${parts[1]}`) << 32n) + BigInt(`0x${parts[2]}`);
}

export class DelayCheck {
  private timer: NodeJS.Timeout | null = null;
  private readonly waiting = new Set<number>();

  constructor(
    private readonly settings: Settings,
    private readonly access: AccessFiles,
    private readonly states: NodeStates,
    private readonly log: Logger,
    /** The node has said what it is. */
    private readonly onRole: (backend: Backend, role: PgRole) => void,
  ) {}

  /** Begins, if there is anything to check: streaming replication, more than one node, somebody to log in as. */
  start(): void {
    const { settings } = this;
    const enabled = settings.sr_check_period > 0 && settings.backend_clustering_mode === 'streaming_replication' && settings.backends.length > 1;
    if (!enabled || settings.backends.every((backend) => roleLogin(backend, settings, this.access) === null)) return;
    this.timer = setInterval(() => this.round(), settings.sr_check_period * 1000);
    this.timer.unref();
    this.round();
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }

  private round(): void {
    const { backends } = this.settings;
    const primary = backends.find(({ id }) => id === this.states.primary);
    const primaryPosition = primary === undefined ? Promise.resolve(null) : this.ask(primary, primarySql);
    for (const backend of backends) {
      if (backend === primary || !this.states.isAlive(backend.id)) continue;
      const position = this.ask(backend, positionSql);
      void Promise.all([primaryPosition, position]).then(([ahead, behind]) => this.take(backend, ahead, behind));
    }
  }

  /** null when the node cannot be asked now. Never rejects. */
  private async ask(backend: Backend, sql: string): Promise<Position | null> {
    const login = roleLogin(backend, this.settings, this.access);
    if (login === null || this.waiting.has(backend.id)) return null;
    this.waiting.add(backend.id);
    try {
      const rows = await askRows(backend, login, sql, limitOf(backend));
      const [first] = rows;
      if (this.timer === null || first === undefined) return null;
      const role = first[0] === 'f' ? PgRole.primary : PgRole.standby;
      this.onRole(backend, role);
      return { role, lsn: parseLsn(first[1]), rows };
    } catch (error) {
      // Whether it is down is for the health check to say.
      this.log.log(LogLevel.debug1, `replication delay of node ${backend.id} could not be asked: ${(error as Error).message}`, { node: backend.id });
      return null;
    } finally {
      this.waiting.delete(backend.id);
    }
  }

  private take(backend: Backend, ahead: Position | null, behind: Position | null): void {
    if (this.timer === null || ahead === null || ahead.role !== PgRole.primary || !this.states.isAlive(backend.id)) return;
    if (behind?.role === PgRole.standby && ahead.lsn !== null && behind.lsn !== null) {
      const delayBytes = Math.max(0, Number(ahead.lsn - behind.lsn));
      this.states.setDelay(backend.id, delayBytes);
      this.logDelay(backend, delayBytes);
    }
    const sender = backend.application_name === '' ? undefined : ahead.rows.find((row) => row[2] === backend.application_name);
    this.states.setReplication(backend.id, sender?.[3] ?? '', sender?.[4] ?? '');
  }

  private logDelay(backend: Backend, delayBytes: number): void {
    const { log_standby_delay: when, delay_threshold: threshold } = this.settings;
    const isOver = threshold > 0 && delayBytes > threshold;
    if (when === 'none' || (when === 'if_over_threshold' && !isOver) || delayBytes === 0) return;
    this.log.log(LogLevel.log, `Replication of node: ${backend.id} is behind ${delayBytes} bytes from the primary server (node: ${this.states.primary})`, { node: backend.id });
  }
}
