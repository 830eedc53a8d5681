/**
 * The health check of one node (reference/semantics.md 7.1).
 *
 *   up:    asked every health_check_period; no answer after health_check_max_retries further attempts → failed
 *   down:  asked every health_check_period, or every 10 s where that is 0; an answer is passed on, which may bring it back
 */
import { type Logger, LogLevel } from '../../shared/logger.js';
import { PgRole, PgStatus } from '../../shared/memory/node-table.js';
import type { HealthTable } from '../../shared/memory/health-table.js';
import type { Backend } from '../../shared/settings.js';
import type { NodeAnswer } from './node-question.js';
import type { NodeStates } from './node-states.js';
import { pause, Repeat } from './repeat.js';

/** How often a node that is down is asked when there are no health checks. */
const returnPeriodMs = 10_000;

export interface HealthQuestions {
  /** Does it answer? */
  readonly alive: () => Promise<NodeAnswer>;
  /** Does it answer, and is it the primary? Asked of nodes that are down. */
  readonly role: () => Promise<NodeAnswer>;
  readonly failed: (reason: string) => void;
  readonly answered: (answer: Extract<NodeAnswer, { alive: true }>) => void;
}

export class HealthCheck {
  private readonly repeat: Repeat;
  private stopped = false;

  constructor(
    private readonly backend: Backend,
    private readonly states: NodeStates,
    private readonly statistics: HealthTable,
    private readonly log: Logger,
    private readonly questions: HealthQuestions,
  ) {
    const periodMs = backend.health_check.period === 0 ? returnPeriodMs : backend.health_check.period * 1000;
    this.repeat = new Repeat(() => this.check(), () => periodMs, (error) => {
      log.log(LogLevel.error, `health check of node ${backend.id} broke off`, { error: error as Error });
    });
  }

  start(atOnce = false): void {
    this.repeat.start(atOnce);
  }

  stop(): void {
    this.stopped = true;
    this.repeat.stop();
  }

  private async check(): Promise<void> {
    if (!this.states.isAlive(this.backend.id)) {
      if (this.backend.health_check.period > 0) this.statistics.note(this.backend.id, 'skip', 0, 0, Date.now());
      await this.checkDown();
    } else if (this.backend.health_check.period > 0) {
      await this.checkUp(performance.now());
    }
  }

  private async checkDown(): Promise<void> {
    const answer = await this.questions.role();
    if (this.stopped) return;
    if (answer.alive) this.questions.answered(answer);
    else this.states.setPg(this.backend.id, PgStatus.down, PgRole.unknown);
  }

  private async checkUp(startedMs: number): Promise<void> {
    const { id, health_check } = this.backend;
    for (let retries = 0; ; retries++) {
      const answer = await this.questions.alive();
      if (this.stopped || !this.states.isAlive(id)) return;
      if (answer.alive) {
        this.statistics.note(id, 'success', retries, performance.now() - startedMs, Date.now());
        this.states.setPgUp(id, PgRole.unknown);
        return;
      }
      if (retries >= health_check.max_retries) {
        this.statistics.note(id, 'fail', retries, performance.now() - startedMs, Date.now());
        this.questions.failed(answer.reason);
        return;
      }
      this.states.remark(id, LogLevel.log, `health check of node ${id} failed: ${answer.reason}; trying again`, this.log);
      await pause(health_check.retry_delay * 1000);
      if (this.stopped) return;
    }
  }
}
