/**
 * Slows down guessing of passwords. A failed login waits for its answer: 1 s the first time, twice as long each further time
 * up to 8 s, counted for each address. Forgotten when a login succeeds, or a minute after the last failure.
 *
 *   address ──▶ its queue ──▶ one login at a time ──right──▶ next
 *                                                 └─wrong──▶ delay ──▶ next
 *
 * An address has its next login looked at when the delay is over, right or wrong, whether or not the client has waited for its
 * answer: nobody guesses faster by closing early or by connecting often. So whoever shares the address of somebody who guesses
 * waits, too, and is refused when more than 32 wait; other addresses notice nothing. Clients of Unix sockets all have the
 * address '', and root among them must not be locked out by the others: there only the answer waits.
 */
import { AdministrationError } from '../administration.js';
import { type Logger, LogLevel } from '../../shared/logger.js';

const firstMs = 1_000;
const longestMs = 8_000;
const memoryMs = 60_000;
const maxAddresses = 10_000;
/** Of an address with recent failures: one that is looked at, and 32 that wait. */
const maxQueued = 33;

interface Queue {
  /** The one whose turn it is and those that wait. */
  length: number;
  /** Resolves when the last of them is done. */
  last: Promise<void>;
}

export interface Attempt {
  /** '' for a Unix socket. */
  readonly address: string;
  /** An AdministrationError of it counts as a failure; any other error does not. */
  readonly login: () => Promise<void>;
  /** Holds up the answer to a failure; may end earlier when the client has gone. */
  readonly pause: (waitMs: number) => Promise<void>;
}

export class FailureDelays {
  /** In the order of the last failure. */
  private readonly failures = new Map<string, { readonly times: number; readonly atMs: number }>();
  private readonly queues = new Map<string, Queue>();
  /** How many failures were not told, of addresses that have failed just now. */
  private readonly untold = new Map<string, number>();

  /**
   * Runs `login` when it is its address's turn.
   * @throws what `login` throws; AdministrationError, FATAL, when too many wait already
   */
  async attempt({ address, login, pause }: Attempt): Promise<void> {
    const release = address === '' ? () => undefined : await this.turn(address);
    try {
      await login();
    } catch (error) {
      if (!(error instanceof AdministrationError)) {
        release();
        throw error;
      }
      const waitMs = this.note(address);
      setTimeout(release, waitMs).unref();
      await pause(waitMs);
      throw error;
    }
    this.failures.delete(address);
    release();
  }

  /**
   * Whether a failure is to be logged. Of those that follow from the same address within the longest delay only the number is,
   * at the end of it.
   */
  tells(address: string, log: Logger): boolean {
    const count = this.untold.get(address);
    if (count !== undefined) {
      this.untold.set(address, count + 1);
      return false;
    }
    if (this.untold.size >= maxAddresses) return false;
    this.untold.set(address, 0);
    setTimeout(() => {
      const more = this.untold.get(address) ?? 0;
      this.untold.delete(address);
      if (more > 0) log.log(LogLevel.warning, `${more} more failed logins to PCP from ${address === '' ? 'Unix sockets' : address} within ${longestMs / 1000} s`);
    }, longestMs).unref();
    return true;
  }

  /** Resolves when it is the caller's turn, with what ends it. */
  private async turn(address: string): Promise<() => void> {
    const queue = this.queues.get(address) ?? { length: 0, last: Promise.resolve() };
    if (queue.length >= maxQueued && this.failures.has(address)) {
      throw new AdministrationError('authentication failed', 'too many logins from this address are waiting', 'FATAL');
    }
    const { last } = queue;
    let end: () => void = () => undefined;
    queue.length += 1;
    queue.last = new Promise((resolve) => { end = resolve; });
    this.queues.set(address, queue);
    await last;
    return () => {
      queue.length -= 1;
      if (queue.length === 0) this.queues.delete(address);
      end();
    };
  }

  /** Notes a failure and says how long its answer is to wait. */
  private note(address: string): number {
    const nowMs = performance.now();
    const before = this.failures.get(address);
    const times = before === undefined || nowMs - before.atMs > memoryMs ? 1 : before.times + 1;
    this.failures.delete(address);
    this.failures.set(address, { times, atMs: nowMs });
    this.forgetOld(nowMs);
    return Math.min(longestMs, firstMs * 2 ** Math.min(times - 1, 10));
  }

  private forgetOld(nowMs: number): void {
    for (const [address, { atMs }] of this.failures) {
      if (nowMs - atMs <= memoryMs && this.failures.size <= maxAddresses) return;
      this.failures.delete(address);
    }
  }
}
