/**
 * A table of fixed size that counts events of the last minute by key, for all threads, with Atomics only.
 *
 *   slot: tag | usedMs | six words of ten seconds: tick, count | told: when, count | busyUntilMs | inside: when, count   (64-bit words)
 *
 * A tag is a keyed hash that the caller makes: nobody outside can choose keys that meet in one place. A key may stand in the
 * eight slots of its set. When all are taken, the one with the fewest events, then the one longest unused, is replaced: a flood of
 * new keys replaces its like, not what fails often. A slot is never given up, so the empty ones of a set are its last ones, and no
 * count is lost while there are any; threads that replace a key at the same moment may lose a count, no more.
 */
const ways = 8;
const ticks = 6;
const tickMs = 10_000;
const At = { tag: 0, usedMs: 1, ring: 2, told: 8, busyUntil: 9, inside: 10 } as const;
export const slotWords = 11;
const countBits = 20n;
const countMask = (1n << countBits) - 1n;

export const minuteMs = ticks * tickMs;

export class FailureSlots {
  private readonly sets: bigint;

  /**
   * @param first index of the first slot's first word
   * @param size slots: a power of two, 8 at least
   */
  constructor(private readonly words: BigInt64Array, private readonly first: number, size: number) {
    this.sets = BigInt(size / ways);
  }

  /** The key's slot (index of its first word), -1 when it has none. */
  find(tag: bigint): number {
    const set = this.setOf(tag);
    for (let slot = set; slot < set + ways * slotWords; slot += slotWords) {
      if (Atomics.load(this.words, slot) === tag) return slot;
    }
    return -1;
  }

  /** The key's slot, another key's if need be. */
  claim(tag: bigint, nowMs: number): number {
    for (;;) {
      const slot = this.place(tag, nowMs);
      if (slot !== null) {
        this.store(slot + At.usedMs, nowMs);
        return slot;
      }
    }
  }

  /** One more event; gives how many there were within the last minute (to ten seconds), this one counted. */
  add(slot: number, nowMs: number): number {
    const tick = BigInt(Math.floor(nowMs / tickMs));
    const at = slot + At.ring + Number(tick % BigInt(ticks));
    this.change(at, (word) => (word >> 32n === tick ? word + 1n : (tick << 32n) | 1n));
    return this.count(slot, nowMs);
  }

  count(slot: number, nowMs: number): number {
    const tick = BigInt(Math.floor(nowMs / tickMs));
    let sum = 0;
    for (let i = 0; i < ticks; i++) {
      const word = Atomics.load(this.words, slot + At.ring + i);
      if (tick - (word >> 32n) < BigInt(ticks)) sum += Number(word & 0xffff_ffffn);
    }
    return sum;
  }

  /** Says true to one thread: a minute after it was told last, and each time that it has become ten times as many. */
  isToTell(slot: number, count: number, nowMs: number): boolean {
    const at = slot + At.told;
    const before = Atomics.load(this.words, at);
    const isRecent = before !== 0n && nowMs - Number(before >> countBits) < minuteMs;
    if (isRecent && count < 10 * Number(before & countMask)) return false;
    const now = (BigInt(Math.floor(nowMs)) << countBits) | (BigInt(count) & countMask);
    return Atomics.compareExchange(this.words, at, before, now) === before;
  }

  /**
   * Moves the time until which the key is busy: `ms` behind what it was, or behind now when that is over; at most `mostMs` from now.
   * @returns by how much
   */
  occupy(slot: number, nowMs: number, ms: number, mostMs: number): number {
    const from = (word: bigint): number => Math.max(Number(word), nowMs);
    const before = this.change(slot + At.busyUntil, (word) => BigInt(Math.ceil(Math.min(from(word) + ms, nowMs + mostMs))));
    return Math.max(0, Math.ceil(Math.min(from(before) + ms, nowMs + mostMs)) - from(before));
  }

  /** Takes back what `occupy` gave, if the key still has a slot. */
  relieve(tag: bigint, ms: number): void {
    const slot = this.find(tag);
    if (slot >= 0) this.change(slot + At.busyUntil, (word) => word - BigInt(Math.floor(ms)));
  }

  /** One more is inside. @returns how many there are besides */
  enter(slot: number, nowMs: number): number {
    return countInside(this.change(slot + At.inside, (word) => insideWord(countInside(word, nowMs) + 1, nowMs)), nowMs);
  }

  /** One less, if the key still has a slot. */
  leave(tag: bigint, nowMs: number): void {
    const slot = this.find(tag);
    if (slot >= 0) this.change(slot + At.inside, (word) => insideWord(Math.max(0, countInside(word, nowMs) - 1), nowMs));
  }

  busyUntilMs(slot: number): number {
    return Number(Atomics.load(this.words, slot + At.busyUntil));
  }

  private setOf(tag: bigint): number {
    return this.first + Number((tag & 0x7fff_ffffn) % this.sets) * ways * slotWords;
  }

  /**
   * The key's slot: its own, the first empty one, the least used one. One walk for all three: a thread that looked for the key and then for
   * room would not see the slot that another took for the same key in between, and take a second one.
   * @returns null when another thread has taken the slot meanwhile
   */
  private place(tag: bigint, nowMs: number): number | null {
    const set = this.setOf(tag);
    let [best, bestTag] = [set, 0n];
    let bestRank = [Infinity, Infinity] as const;
    for (let slot = set; slot < set + ways * slotWords; slot += slotWords) {
      const holder = Atomics.load(this.words, slot);
      if (holder === tag) return slot;
      if (holder === 0n) return this.take(slot, 0n, tag) ? slot : null;
      const rank = [this.count(slot, nowMs), Number(Atomics.load(this.words, slot + At.usedMs))] as const;
      if (rank[0] > bestRank[0] || (rank[0] === bestRank[0] && rank[1] >= bestRank[1])) continue;
      [best, bestTag, bestRank] = [slot, holder, rank];
    }
    return this.take(best, bestTag, tag) ? best : null;
  }

  private take(slot: number, holder: bigint, tag: bigint): boolean {
    if (Atomics.compareExchange(this.words, slot, holder, tag) !== holder) return false;
    if (holder !== 0n) for (let i = At.ring; i < slotWords; i++) Atomics.store(this.words, slot + i, 0n);
    return true;
  }

  private store(at: number, valueMs: number): void {
    Atomics.store(this.words, at, BigInt(Math.floor(valueMs)));
  }

  /** @returns what it was */
  private change(at: number, change: (word: bigint) => bigint): bigint {
    for (;;) {
      const before = Atomics.load(this.words, at);
      if (Atomics.compareExchange(this.words, at, before, change(before)) === before) return before;
    }
  }
}

/** Who was inside when his thread ended never leaves: after a minute in which nobody comes or goes nobody is taken to be there. */
function countInside(word: bigint, nowMs: number): number {
  return nowMs - Number(word >> countBits) < minuteMs ? Number(word & countMask) : 0;
}

function insideWord(count: number, nowMs: number): bigint {
  return (BigInt(Math.floor(nowMs)) << countBits) | (BigInt(count) & countMask);
}
