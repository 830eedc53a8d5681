/**
 * Doubts about what is known of users' passwords, for all threads: one counter for users whose names hash alike. Whoever keeps an
 * answer of auth_query keeps with it the count at which it asked; the answer holds for as long as that is the count. Users who share
 * a counter are asked for once more than need be.
 */
const counters = 4096;

export class PasswordDoubts {
  readonly buffer: SharedArrayBuffer;
  private readonly words: Int32Array;

  /** @param buffer of the primary thread's; without it new memory */
  constructor(buffer?: SharedArrayBuffer) {
    this.buffer = buffer ?? new SharedArrayBuffer(counters * Int32Array.BYTES_PER_ELEMENT);
    this.words = new Int32Array(this.buffer);
  }

  count(user: string): number {
    return Atomics.load(this.words, counterOf(user));
  }

  /** A login has failed: what is known of the user may be old. */
  raise(user: string): void {
    Atomics.add(this.words, counterOf(user), 1);
  }
}

/** FNV-1a: it only spreads, nothing is kept from anybody. */
function counterOf(user: string): number {
  let hash = 0x811c_9dc5;
  for (let i = 0; i < user.length; i++) hash = Math.imul(hash ^ user.charCodeAt(i), 0x0100_0193);
  return (hash >>> 0) % counters;
}
