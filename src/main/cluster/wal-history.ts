/**
 * How far the primary had come when: what a standby has not replayed of it is at least so old.
 *
 * pg_stat_replication.replay_lag is only as new as the standby's last word to the primary. A standby that the network
 * cuts off keeps a small one until wal_sender_timeout, while the rows that clients read from it grow old.
 */

interface Sample {
  readonly lsn: bigint;
  /** performance.now() when the answer was there: all up to `lsn` was written before. */
  readonly atMs: number;
}

const maxSamples = 512;

export class WalHistory {
  /** Both fields ascend. */
  private samples: Sample[] = [];

  /** The primary has come as far as this. */
  note(lsn: bigint, atMs: number): void {
    const last = this.samples.at(-1);
    // The first time at which a position was reached is the one that counts.
    if (last !== undefined && lsn <= last.lsn) return;
    this.samples.push({ lsn, atMs });
    // Half as fine, but as long: of two neighbours the later one stays, which never makes a standby look older.
    if (this.samples.length > maxSamples) this.samples = this.samples.filter((_, at) => at % 2 === 1);
  }

  /**
   * The least age in microseconds of what a standby lacks that was asked at this time and had replayed up to `lsn`;
   * 0 when nothing is known that it lacks.
   */
  leastDelayUs(lsn: bigint, askedMs: number): number {
    const missing = this.samples.find((sample) => sample.lsn > lsn);
    return missing === undefined ? 0 : Math.max(0, Math.round((askedMs - missing.atMs) * 1000));
  }
}
