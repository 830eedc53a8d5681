/**
 * The relation cache: what one worker has learnt from the catalog, for all the others (enable_shared_relcache).
 *
 *   words: [guard: thread that writes, 0 = nobody][generation of the entries]
 *   map:   key = hash of generation and name │ value = check of key and text, text
 *
 * Looked at only when a worker's own memory does not know a name, never for each query: a look or a put costs 8 µs.
 *
 * The map is the package sharedmap, but its locks are never used: a thread that dies inside one leaves it held, and all
 * others would hang (Atomics.wait without a limit). Worker threads do die: an exception, their heap's limit. So
 * (a thread ends at any instruction, and nobody waits for it):
 *
 *   - Writers exclude each other by the guard word. Who finds it taken goes away: the fact is simply not shared. When
 *     its holder is no longer among the living threads, the next writer takes the guard over and empties the map first,
 *     which may be half written.
 *   - Readers take nothing. What a writer changes under their eyes does not pass the check, and counts as not found.
 *
 * sharedmap's other traps: a key or value of exactly the declared length overwrites its neighbour, so one more is declared;
 * a NUL ends a text and characters count in UTF-16, so keys are hashes and texts are printable ASCII; a full map
 * throws, so it is emptied before it is full; its search for a free place is slow in a map that is nearly full, so a fifth
 * stays free.
 */
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';

/** The part of sharedmap that is used. Its own declarations are not valid TypeScript. */
interface SharedMap {
  readonly length: number;
  get(key: string, locks: Locks): string | undefined;
  set(key: string, value: string, locks: Locks): void;
  clear(): void;
  unlockExclusive(): void;
}
interface Locks { readonly lockWrite: boolean; readonly lockExclusive: boolean }

const SharedMapClass = createRequire(import.meta.url)('sharedmap') as new (size: number, keyChars: number, valueChars: number) => SharedMap;

/** We hold what need be held: keeps sharedmap from locking. */
const withoutLocks: Locks = { lockWrite: true, lockExclusive: true };

/** 192 bits of SHA-256 in base64: names come from clients, and no two may be made to meet. */
const keyChars = 32;
/** 48 bits; it guards against chance only. */
const checkChars = 8;
/** Longest text that is shared. Most views are shorter; the others are asked for by each worker. */
export const longestText = 1000;
/** sharedmap rounds lengths up to multiples of four, takes two bytes a character, and a chain and a lock for each entry. */
const entryBytes = 2 * (roundUp(keyChars + 1) + roundUp(checkChars + longestText + 1)) + 5;
/** More than this is not spent, whatever relcache_size says: Pgpool-II keeps the facts in memqcache_total_size, 64 MB. */
const mostBytes = 64 * 1024 * 1024;
const fewestEntries = 64;

const GUARD = 0;
const GENERATION = 1;

function roundUp(chars: number): number {
  return Math.ceil(chars / 4) * 4;
}

/** What a worker gets; the map arrives there as a plain object over the same memory. */
export interface RelationCacheData {
  readonly map: object;
  readonly words: SharedArrayBuffer;
  readonly entries: number;
}

/** Made by the primary thread. @param entries how many facts it holds, within sensible bounds */
export function createRelationCache(entries: number): RelationCacheData {
  const within = Math.min(Math.max(entries, fewestEntries), Math.floor((mostBytes / entryBytes) * 0.8));
  return {
    map: new SharedMapClass(Math.ceil(within / 0.8), keyChars + 1, checkChars + longestText + 1),
    words: new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT),
    entries: within,
  };
}

export class RelationCache {
  private readonly map: SharedMap;
  private readonly words: Int32Array;
  private readonly entries: number;

  /**
   * @param threadId of the calling thread, not 0
   * @param isAlive whether a thread that has been seen writing still runs; asked only when it is in our way
   */
  constructor(data: RelationCacheData, private readonly threadId: number, private readonly isAlive: (threadId: number) => boolean) {
    this.map = Object.setPrototypeOf(data.map, SharedMapClass.prototype as object) as SharedMap;
    this.words = new Int32Array(data.words);
    this.entries = data.entries;
  }

  /** The text that was put for this name in this generation, or undefined. Never waits. */
  get(generation: number, name: readonly string[]): string | undefined {
    const key = keyOf(generation, name);
    const value = this.map.get(key, withoutLocks);
    if (value === undefined) return undefined;
    const text = value.slice(checkChars);
    return value.startsWith(checkOf(key, text)) ? text : undefined;
  }

  /**
   * Shares a text, unless it is too long or not printable ASCII, older than what is there, or another thread writes.
   * Never waits. Returns whether it is shared.
   *
   * @param generation newer than that of the entries: they are forgotten
   */
  put(generation: number, name: readonly string[], text: string): boolean {
    if (text.length > longestText || !/^[ -~]*$/.test(text)) return false;
    const key = keyOf(generation, name);
    const value = checkOf(key, text) + text;
    if (!this.enter()) return false;
    try {
      return this.write(generation, key, value);
    } catch {
      // sharedmap found itself in a state that it does not know. The facts are to be had from the server.
      this.empty(generation);
      return false;
    } finally {
      Atomics.store(this.words, GUARD, 0);
    }
  }

  /** Number of entries; for tests. */
  get length(): number {
    return this.map.length;
  }

  private write(generation: number, key: string, value: string): boolean {
    // The counter is an int32 that may wrap.
    const newer = (generation - Atomics.load(this.words, GENERATION)) | 0;
    if (newer < 0) return false;
    if (newer > 0 || (this.map.length >= this.entries && this.map.get(key, withoutLocks) === undefined)) this.empty(generation);
    this.map.set(key, value, withoutLocks);
    return true;
  }

  private enter(): boolean {
    const holder = Atomics.compareExchange(this.words, GUARD, 0, this.threadId);
    if (holder === 0) return true;
    if (this.isAlive(holder) || Atomics.compareExchange(this.words, GUARD, holder, this.threadId) !== holder) return false;
    this.empty(Atomics.load(this.words, GENERATION));
    return true;
  }

  /** Under the guard. `clear` is the one method that locks without being asked; its lock is ours alone. */
  private empty(generation: number): void {
    try {
      this.map.unlockExclusive();
    } catch {
      // As it should be: not locked. Otherwise its holder died in `clear`.
    }
    this.map.clear();
    Atomics.store(this.words, GENERATION, generation);
  }
}

/** The generation is part of the key: whoever reads cannot meet what was learnt before a change, at whatever moment. */
function keyOf(generation: number, name: readonly string[]): string {
  return hash(JSON.stringify([generation, ...name]), keyChars);
}

function checkOf(key: string, text: string): string {
  return hash(key + text, checkChars);
}

function hash(text: string, chars: number): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, chars);
}
