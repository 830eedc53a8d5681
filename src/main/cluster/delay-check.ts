/**
 * The replication delay (reference/semantics.md 13): every sr_check_period each node is asked how far it is, and
 * replication_delay_source_cmd is run.
 *
 *   every node at the same time, over a connection of its own that is kept ──▶ position
 *   a standby's position and the newest of the primary                     ──▶ bytes, time, state in the node table
 *
 * Nobody waits for anybody but a standby for the primary. A node that has not answered yet is not asked again. One that
 * does not answer keeps its delay for a while, and then the delay is awaited: lateness.ts keeps reads away from it.
 * While the primary itself does not answer, all delays stay as they are: it would be no better place to read.
 */
import { type Logger, LogLevel } from '../../shared/logger.js';
import { delayAwaited, delayUnknown, PgRole } from '../../shared/memory/node-table.js';
import type { AccessFiles } from '../../shared/messages.js';
import type { Backend, Settings } from '../../shared/settings.js';
import { DelayCommandError, identifierOf, parseDelays, runDelayCommand } from './delay-command.js';
import { measuredLine, toldLine } from './delay-log.js';
import { KeptClient } from './kept-client.js';
import { roleLogin } from './node-question.js';
import type { NodeStates } from './node-states.js';
import { WalHistory } from './wal-history.js';
import { bytesBetween, microsecondsBehind, positionSql, readPosition, senderNamed, type WalPosition } from './wal-position.js';

/** A delay is believed for so many periods after it was found out. */
const believedPeriods = 3;

export class DelayCheck {
  private timer: NodeJS.Timeout | null = null;
  private readonly stopping = new AbortController();
  private readonly clients = new Map<number, KeptClient>();
  private startedMs = 0;
  /** When a node was last heard of, by its id: its own answer, and the program's word about it. */
  private readonly answeredMs = new Map<number, number>();
  private readonly toldMs = new Map<number, number>();
  /** The newest position of the primary. */
  private ahead: { readonly node: number; readonly position: WalPosition; readonly history: WalHistory } | null = null;
  private commandRuns = false;
  private lastComplaint = '';

  constructor(
    private readonly settings: Settings,
    access: AccessFiles,
    private readonly states: NodeStates,
    private readonly log: Logger,
    /** The node has said what it is. */
    private readonly onRole: (backend: Backend, role: PgRole) => void,
  ) {
    for (const backend of settings.backends) {
      const login = roleLogin(backend, settings, access);
      if (login !== null) this.clients.set(backend.id, new KeptClient(backend, login));
    }
  }

  /**
   * Begins, if there is anything to check: streaming replication, more than one node, somebody to log in as or a
   * program to ask. Resolves after the first round, which lasts as long as the slowest node. Never rejects.
   */
  async start(): Promise<void> {
    const { settings } = this;
    const hasCommand = settings.replication_delay_source_cmd !== '';
    const isOn = settings.sr_check_period > 0 && settings.backend_clustering_mode === 'streaming_replication'
      && settings.backends.length > 1 && (hasCommand || this.clients.size > 0);
    const isAsked = isOn && this.clients.size > 0;
    this.states.expectDelays(isAsked ? delayAwaited : delayUnknown, isAsked || (isOn && hasCommand) ? delayAwaited : delayUnknown);
    if (!isOn) return;
    this.startedMs = performance.now();
    this.timer = setInterval(() => void this.round(), settings.sr_check_period * 1000);
    this.timer.unref();
    await this.round();
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
    this.stopping.abort();
    for (const client of this.clients.values()) client.close();
  }

  /** Asks around now. Does nothing when the checks are off. Never rejects. */
  async round(): Promise<void> {
    if (this.timer === null) return;
    this.doubtOld();
    const { backends } = this.settings;
    const alive = backends.filter(({ id }) => this.states.isAlive(id));
    const primary = alive.find(({ id }) => id === this.states.primary);
    const ahead = primary === undefined ? Promise.resolve(null) : this.ask(primary);
    const standbys = alive.filter((backend) => backend !== primary).map(async (backend) => {
      const [newest, behind] = await Promise.all([ahead, this.ask(backend)]);
      if (newest !== null && behind !== null) this.take(backend, behind);
    });
    await Promise.all([...standbys, primary === undefined ? undefined : this.runCommand(primary.id)]);
  }

  /** null when the node cannot be asked now, or has not answered. */
  private async ask(backend: Backend): Promise<WalPosition | null> {
    const client = this.clients.get(backend.id);
    if (client === undefined || client.busy) return null;
    try {
      const askedMs = performance.now();
      const position = readPosition(await client.ask(positionSql), askedMs);
      if (this.timer === null || position === null) return null;
      this.answeredMs.set(backend.id, performance.now());
      this.onRole(backend, position.role);
      if (position.role === PgRole.primary && backend.id === this.states.primary) this.noteAhead(backend.id, position);
      return position;
    } catch (error) {
      // Whether it is down is for the health check to say.
      if (this.timer !== null) this.log.log(LogLevel.debug1, `replication delay of node ${backend.id} could not be asked: ${(error as Error).message}`, { node: backend.id });
      return null;
    }
  }

  private noteAhead(node: number, position: WalPosition): void {
    const history = this.ahead?.node === node ? this.ahead.history : new WalHistory();
    if (position.lsn !== null) history.note(position.lsn, performance.now());
    this.ahead = { node, position, history };
  }

  /**
   * Compares with the newest position of the primary, not with the one of the same round: the answer may have taken
   * long, and the delay must not look smaller for it.
   */
  private take(backend: Backend, behind: WalPosition): void {
    const { ahead, settings, states } = this;
    const { id } = backend;
    if (this.timer === null || ahead === null || ahead.node !== states.primary || id === ahead.node || !states.isAlive(id)) return;
    const sender = senderNamed(ahead.position, backend.application_name);
    states.setReplication(id, sender?.state ?? '', sender?.syncState ?? '');
    if (behind.role !== PgRole.standby || ahead.position.lsn === null || behind.lsn === null) return;
    const delayBytes = bytesBetween(ahead.position.lsn, behind.lsn);
    const isTold = settings.replication_delay_source_cmd !== '';
    const delayUs = isTold ? delayUnknown : microsecondsBehind(sender, delayBytes, ahead.history.leastDelayUs(behind.lsn, behind.askedMs));
    states.setDelayBytes(id, delayBytes);
    if (!isTold) {
      states.setDelayUs(id, delayUs);
      if (delayUs === delayUnknown && settings.delay_threshold_by_time > 0 && delayBytes > 0) this.explain(backend);
    }
    const line = measuredLine(settings, id, ahead.node, delayBytes, delayUs);
    if (line !== null) this.log.log(LogLevel.log, line, { node: id });
  }

  private explain({ id, application_name: name }: Backend): void {
    this.states.remark(id, LogLevel.warning, `node ${id} is behind, and the primary does not tell by how much time: it shows no replay_lag of a standby with application_name '${name}' (backend_application_name${id}), or not to sr_check_user`, this.log);
  }

  /** One run at a time; it may last longer than a period. */
  private async runCommand(primary: number): Promise<void> {
    const { replication_delay_source_cmd: command, replication_delay_source_timeout: limitSeconds, backends } = this.settings;
    if (command === '' || this.commandRuns) return;
    this.commandRuns = true;
    const standbys = backends.filter(({ id }) => id !== primary);
    try {
      const output = await runDelayCommand(command, standbys.map(identifierOf), limitSeconds * 1000, this.stopping.signal);
      const delays = parseDelays(output, standbys);
      if (this.timer === null || this.states.primary !== primary) return;
      this.lastComplaint = '';
      standbys.forEach(({ id }, at) => this.told(id, delays[at] ?? null));
    } catch (error) {
      if (this.timer !== null) this.complain(error instanceof DelayCommandError ? error.message : 'could not be run');
    } finally {
      this.commandRuns = false;
    }
  }

  private told(node: number, delayUs: number | null): void {
    if (!this.states.isAlive(node)) return;
    if (delayUs === null) {
      this.states.remark(node, LogLevel.log, `replication_delay_source_cmd says that node ${node} is down; that is left to the health check`, this.log);
      return;
    }
    this.toldMs.set(node, performance.now());
    this.states.setDelayUs(node, delayUs);
    const line = toldLine(this.settings, node, this.states.primary, delayUs);
    if (line !== null) this.log.log(LogLevel.log, line, { node });
  }

  /** A program that is wrong each time is complained about once. */
  private complain(text: string): void {
    if (this.lastComplaint === text) return;
    this.lastComplaint = text;
    this.log.log(LogLevel.warning, `replication_delay_source_cmd ${text}; the delays stay as they are`);
  }

  /** Delays of standbys that have not been heard of for long are awaited. */
  private doubtOld(): void {
    const { settings, states } = this;
    const isTold = settings.replication_delay_source_cmd !== '';
    const believedMs = believedPeriods * settings.sr_check_period * 1000;
    for (const { id } of settings.backends) {
      if (id === states.primary || !states.isAlive(id)) continue;
      const isSilent = this.isOld(this.answeredMs.get(id), believedMs);
      const isUntold = isTold ? this.isOld(this.toldMs.get(id), believedMs + settings.replication_delay_source_timeout * 1000) : isSilent;
      const losesBytes = isSilent && states.delayBytes(id) >= 0;
      const losesTime = isUntold && states.delayUs(id) >= 0;
      if (losesBytes) states.setDelayBytes(id, delayAwaited);
      if (losesTime) states.setDelayUs(id, delayAwaited);
      if (losesBytes || losesTime) this.log.log(LogLevel.warning, `the replication delay of node ${id} is not known any more: no answer for ${believedPeriods} periods`, { node: id });
    }
  }

  private isOld(heardMs: number | undefined, limitMs: number): boolean {
    return performance.now() - (heardMs ?? this.startedMs) > limitMs;
  }
}
