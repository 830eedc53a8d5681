/**
 * Which tables were written lately, for disable_load_balance_on_write = dml_adaptive_global: every worker marks, every
 * worker asks.
 *
 *   header (coldUntilMs, allUntilMs) | slot: key, firstMs, untilMs | slot … (all of them 64-bit words)
 *
 * A key is a hash of database and table; the empty table name stands for all tables of the database. Slots are
 * claimed by compare-and-swap and looked for in a short run behind the hash's own place. A slot whose time has passed may
 * be claimed by another key. Two keys with one hash, or a run that is full (then everything is marked), only send
 * more reads to the primary.
 */
const headerWords = 2;
const slotWords = 3;
const coldAt = 0;
const allAt = 1;
const runLength = 16;
/** However long a standby lags, a mark does not last longer (semantics.md section 3). */
const longestMs = 3_600_000;

export class MutationTable {
  private readonly words: BigInt64Array;
  readonly size: number;

  /** @param size tables that can be marked at a time */
  constructor(size: number, readonly buffer = new SharedArrayBuffer((headerWords + size * slotWords) * BigInt64Array.BYTES_PER_ELEMENT)) {
    this.size = size;
    this.words = new BigInt64Array(buffer);
  }

  /** Until then nothing is known about writes before this pgloom. */
  setColdUntil(timeMs: number): void {
    this.store(coldAt, timeMs);
  }

  /**
   * The table is stale on the standbys for `staleMs` from now on.
   * @param maxStalenessMs it does not stay so for longer than this after the first mark of a row of marks; 0 = no limit
   */
  mark(database: string, table: string, nowMs: number, staleMs: number, maxStalenessMs: number): void {
    const key = hashOf(database, table);
    const wantedMs = nowMs + Math.min(staleMs, longestMs);
    for (let attempt = 0; attempt < runLength; attempt++) {
      const slot = this.claim(key, nowMs);
      if (slot < 0) break;
      if (this.load(slot + 2) <= nowMs) this.store(slot + 1, nowMs);
      const limitMs = maxStalenessMs > 0 ? this.load(slot + 1) + maxStalenessMs : Infinity;
      this.extend(slot + 2, Math.min(wantedMs, limitMs));
      // Another worker may have taken the slot for its own key while it was still expired.
      if (Atomics.load(this.words, slot) === key) return;
    }
    this.extend(allAt, wantedMs);
  }

  /** May a standby still lack what was written to the table? */
  isStale(database: string, table: string, nowMs: number): boolean {
    return this.isMarked(hashOf(database, table), nowMs);
  }

  /** The same for any table of the database, whatever its name. */
  isAllStale(database: string, nowMs: number): boolean {
    return this.load(coldAt) > nowMs || this.load(allAt) > nowMs || this.isMarked(hashOf(database, ''), nowMs);
  }

  private isMarked(key: bigint, nowMs: number): boolean {
    for (let step = 0; step < runLength; step++) {
      const slot = this.slotAt(key, step);
      const found = Atomics.load(this.words, slot);
      if (found === 0n) return false;
      // A key may stand twice, when a slot in front of it was freed: all of them count.
      if (found === key && this.load(slot + 2) > nowMs) return true;
    }
    return false;
  }

  /** Word index of the key's slot; -1 when its run is full. */
  private claim(key: bigint, nowMs: number): number {
    for (let step = 0; step < runLength; step++) {
      const slot = this.slotAt(key, step);
      const found = Atomics.load(this.words, slot);
      if (found === key) return slot;
      if (found !== 0n && this.load(slot + 2) > nowMs) continue;
      const before = Atomics.compareExchange(this.words, slot, found, key);
      if (before === found || before === key) return slot;
    }
    return -1;
  }

  private slotAt(key: bigint, step: number): number {
    return headerWords + ((Number(key & 0x7fff_ffffn) + step) % this.size) * slotWords;
  }

  private load(at: number): number {
    return Number(Atomics.load(this.words, at));
  }

  private store(at: number, timeMs: number): void {
    Atomics.store(this.words, at, BigInt(Math.ceil(timeMs)));
  }

  /** Another worker may move the time at the same moment: the later one stays. */
  private extend(at: number, timeMs: number): void {
    const wanted = BigInt(Math.ceil(timeMs));
    for (;;) {
      const now = Atomics.load(this.words, at);
      if (now >= wanted || Atomics.compareExchange(this.words, at, now, wanted) === now) return;
    }
  }
}

/** Never 0, which marks an empty slot. */
function hashOf(database: string, table: string): bigint {
  const text = `${database}\0${table}`;
  let low = 0x811c9dc5;
  let high = 0x2545f491;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ code, 0x5bd1e995) + low;
  }
  return BigInt.asIntN(64, (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)) || 1n;
}
