/**
 * A bounded map that forgets what was not used lately. Two plain Maps, young and old: a look-up in the young one is
 * all that a hit costs; when the young one is full it becomes the old one, and what is asked for again moves back.
 * What is kept is at most `maxEntries` entries and `maxBytes` bytes, of both together.
 */
export class RecentMap<K, V> {
  private young = new Map<K, V>();
  private old = new Map<K, V>();
  private youngBytes = 0;
  private oldBytes = 0;
  private readonly halfEntries: number;
  private readonly halfBytes: number;

  /**
   * @param sizeOf what an entry weighs, in bytes
   */
  constructor(
    maxEntries: number,
    maxBytes: number,
    private readonly sizeOf: (key: K, value: V) => number,
  ) {
    this.halfEntries = Math.max(1, maxEntries >> 1);
    this.halfBytes = Math.max(1, maxBytes >> 1);
  }

  get size(): number {
    return this.young.size + this.old.size;
  }

  get sizeBytes(): number {
    return this.youngBytes + this.oldBytes;
  }

  get(key: K): V | undefined {
    const value = this.young.get(key);
    return value === undefined ? this.revive(key) : value;
  }

  /** An entry heavier than half of `maxBytes` is not kept. */
  set(key: K, value: V): void {
    const sizeBytes = this.sizeOf(key, value);
    if (sizeBytes > this.halfBytes) return;
    const before = this.young.get(key);
    if (before !== undefined) {
      this.young.delete(key);
      this.youngBytes -= this.sizeOf(key, before);
    }
    if (this.young.size >= this.halfEntries || this.youngBytes + sizeBytes > this.halfBytes) {
      this.old = this.young;
      this.oldBytes = this.youngBytes;
      this.young = new Map();
      this.youngBytes = 0;
    }
    this.forgetOld(key);
    this.young.set(key, value);
    this.youngBytes += sizeBytes;
  }

  clear(): void {
    this.young.clear();
    this.old.clear();
    this.youngBytes = 0;
    this.oldBytes = 0;
  }

  private revive(key: K): V | undefined {
    const value = this.old.get(key);
    if (value !== undefined) this.set(key, value);
    return value;
  }

  private forgetOld(key: K): void {
    const value = this.old.get(key);
    if (value === undefined) return;
    this.old.delete(key);
    this.oldBytes -= this.sizeOf(key, value);
  }
}
