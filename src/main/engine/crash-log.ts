/**
 * Logs a crashed worker thread once, with its stack.
 *
 * The same crash arrives up to three ways, in no fixed order: the worker's own report just before it dies, the
 * rejection of each of its sessions, the pool's error when it had none.
 */
import type { Report } from '../../shared/messages.js';
import { type Logger, LogLevel } from '../../shared/logger.js';

/** Time the worker's own report may arrive later than the rejections. */
const settleMs = 100;

export class CrashLog {
  private failed = new Map<string, number>();
  private reportedLately = new Set<string>();

  constructor(private readonly log: Logger) {}

  /** The worker said itself what happened. */
  reported(report: Extract<Report, { type: 'crashed' }>): void {
    this.reportedLately.add(report.stack);
    setTimeout(() => this.reportedLately.delete(report.stack), 10 * settleMs).unref();
    this.log.log(LogLevel.panic, `worker thread ${report.worker} crashed and ${report.sessions} clients with it; it is replaced`, { error: withStack(report.stack) });
  }

  /** A session's task was rejected: the thread crashed, or the session itself threw. */
  sessionFailed(error: unknown): void {
    const text = stackOf(error);
    const count = this.failed.get(text) ?? 0;
    this.failed.set(text, count + 1);
    if (count === 0) setTimeout(() => this.settle(text), settleMs).unref();
  }

  /** A thread without sessions crashed. */
  threadFailed(error: Error): void {
    const text = stackOf(error);
    setTimeout(() => {
      if (!this.reportedLately.has(text)) this.log.log(LogLevel.panic, 'an idle worker thread crashed; it is replaced', { error: withStack(text) });
    }, settleMs).unref();
  }

  private settle(text: string): void {
    const count = this.failed.get(text) ?? 0;
    this.failed.delete(text);
    if (!this.reportedLately.has(text)) this.log.log(LogLevel.error, `${count} sessions were ended by an error in their worker`, { error: withStack(text) });
  }
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** The log writes the stack of an error line by line. */
function withStack(stack: string): Error {
  const error = new Error('in a worker');
  error.stack = stack;
  return error;
}
