/**
 * The end of the engine.
 *
 *   smart   workers end when their clients have left; waits for that, however long
 *   fast    workers end their sessions with 57P01 now; waits 5 s at the most
 *
 * A smart shutdown under way can be made fast.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Broadcast } from '../../shared/messages.js';

export type ShutdownMode = 'smart' | 'fast';

/** How long sessions may take to end in fast mode. */
const fastLimitMs = 5_000;
/** How long the workers get to close their idle links to the servers properly. */
const farewellMs = 200;
const lookMs = 20;

/** What is shut down: the worker pool. */
export interface Stoppable {
  readonly sessions: number;
  broadcast(message: Broadcast): void;
  destroy(): Promise<void>;
}

export class Shutdown {
  private mode: ShutdownMode | null = null;
  private deadlineMs = Number.POSITIVE_INFINITY;
  private ended: Promise<void> | null = null;

  constructor(private readonly engine: Stoppable) {}

  /** Starts the shutdown, or hurries one that is under way. Resolves when the threads have ended. */
  run(mode: ShutdownMode): Promise<void> {
    if (this.mode === null || (this.mode === 'smart' && mode === 'fast')) {
      this.mode = mode;
      if (mode === 'fast') this.deadlineMs = performance.now() + fastLimitMs;
      this.engine.broadcast({ type: 'shutdown', mode });
    }
    this.ended ??= this.finish();
    return this.ended;
  }

  private async finish(): Promise<void> {
    while (this.engine.sessions > 0 && performance.now() < this.deadlineMs) await pause(lookMs);
    await pause(farewellMs);
    await this.engine.destroy();
  }
}
