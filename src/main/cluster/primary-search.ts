/** The search for a new primary: once a second, for search_primary_node_timeout, while there is none. */
import { type Logger, LogLevel } from '../../shared/logger.js';
import { pause } from './repeat.js';

const roundMs = 1_000;

export class PrimarySearch {
  private running = false;

  /**
   * @param round asks once around and says whether there is a primary now
   * @param limitMs search_primary_node_timeout; 0 is for ever
   */
  constructor(private readonly round: () => Promise<boolean>, private readonly limitMs: () => number, private readonly log: Logger) {}

  /** Does nothing when a search is under way. */
  start(): void {
    if (this.running) return;
    this.running = true;
    this.search().catch((error: unknown) => {
      this.running = false;
      this.log.log(LogLevel.error, 'the search for the primary broke off', { error: error as Error });
    });
  }

  stop(): void {
    this.running = false;
  }

  private async search(): Promise<void> {
    const startedMs = performance.now();
    this.log.log(LogLevel.log, 'looking for the primary node');
    while (this.running) {
      if (await this.round()) break;
      if (this.limitMs() > 0 && performance.now() - startedMs > this.limitMs()) {
        // The checks of the nodes go on and still notice a primary when one appears.
        this.log.log(LogLevel.warning, 'no primary node was found within search_primary_node_timeout');
        break;
      }
      await pause(roundMs);
    }
    this.running = false;
  }
}
