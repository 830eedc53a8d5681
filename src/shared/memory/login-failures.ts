/**
 * Failed logins of clients: counted for all threads, by address and by user, and slowed down.
 *
 * The answer to a failure waits: base, 2 × base, 4 × base … 32 × base, by the failures within the last minute of the address or of
 * the user, whichever has more. Right logins are answered at once and reset nothing: whoever has an account could clear his count
 * with it between two guesses.
 *
 * That alone would slow down only those who wait for their answer; one who guesses need not: no answer at once is an answer. So an
 * address is busy for a sixteenth of each delay, heard out or not. Sixteen clients of one address that fail and wait in turn never
 * notice. An address that is more than the longest delay behind has the verdict on its next login, right or wrong, put off
 * (`heldMs`): it guesses no faster than those sixteen, however it connects and whatever names it tries. A user who has logged
 * in from that address before is not held for what others do there, only for failures under that very name from there.
 *
 * The verdict may be another's, and come later (a server's, LDAP's, PAM's). So the sixteenth is booked before a proof is looked at
 * (`begin`), as if it and all that are looked at besides were wrong, and given back when it is right (`settle`): many guesses at
 * once get no further. For a user who has logged in from there before those besides do not count, or his own logins would hold
 * each other up.
 *
 * IPv6 clients own whole networks: 64 bits of an address count. Clients of Unix sockets all have the address '' and are never held.
 * The hash of a key is keyed with a secret of the process (see failure-slots.ts).
 */
import { createHmac, randomBytes } from 'node:crypto';
import { parseIp, unmapped } from '../auth/ip-address.js';
import { FailureSlots, slotWords } from './failure-slots.js';

const size = 2048;
const secretWords = 4;
const totalAt = secretWords;
const headWords = secretWords + 1;
const most = 32;
/** Failing clients of one address that are not held. */
const atOnce = 16;
/** Fewer failures within a minute are not worth a warning of their own. */
const worthTelling = 10;

/** A proof that is being looked at. */
export interface Attempt {
  readonly slots: FailureSlots;
  readonly tag: bigint;
  readonly bookedMs: number;
  /** Counted among those that are looked at. */
  readonly isInside: boolean;
}

/** Milliseconds of the clock that all threads of the machine share and nobody sets. */
const monotonicMs = (): number => Number(process.hrtime.bigint() / 1_000_000n);

export class LoginFailures {
  readonly buffer: SharedArrayBuffer;
  private readonly words: BigInt64Array;
  private readonly secret: Buffer;
  private readonly addresses: FailureSlots;
  private readonly users: FailureSlots;
  /** Address and user together, of right logins. */
  private readonly known: FailureSlots;

  /** @param buffer of the primary thread's; without it new memory with a new secret */
  constructor(buffer?: SharedArrayBuffer, private readonly now: () => number = monotonicMs) {
    this.buffer = buffer ?? new SharedArrayBuffer(LoginFailures.size());
    this.words = new BigInt64Array(this.buffer);
    const secret = new Uint8Array(this.buffer, 0, secretWords * 8);
    if (buffer === undefined) secret.set(randomBytes(secret.length));
    this.secret = Buffer.from(secret);
    [this.addresses, this.users, this.known] = [0, 1, 2]
      .map((table) => new FailureSlots(this.words, headWords + table * size * slotWords, size)) as [FailureSlots, FailureSlots, FailureSlots];
  }

  /** Bytes of memory. */
  static size(): number {
    return (headWords + 3 * size * slotWords) * BigInt64Array.BYTES_PER_ELEMENT;
  }

  /**
   * For how long the proof of a client must not be looked at yet, 0 nearly always. Ask right before looking, and again after the wait.
   * @param address of the client, '' for a Unix socket
   */
  heldMs(address: string, user: string, baseDelayMs: number): number {
    if (address === '' || baseDelayMs <= 0) return 0;
    const known = this.known.find(this.tag('known', network(address), user));
    return known < 0 ? this.addressHeldMs(address, baseDelayMs) : this.behindMs(this.known, known, baseDelayMs);
  }

  /**
   * The proof of a client is looked at now. Null when nothing is booked for it.
   * @param address of the client, '' for a Unix socket
   */
  begin(address: string, user: string, baseDelayMs: number): Attempt | null {
    if (address === '' || baseDelayMs <= 0) return null;
    const nowMs = this.now();
    const from = network(address);
    const knownTag = this.tag('known', from, user);
    const known = this.known.find(knownTag);
    const failures = (slots: FailureSlots, slot: number): number => (slot < 0 ? 0 : slots.count(slot, nowMs));
    const ofUser = failures(this.users, this.users.find(this.tag('user', user)));
    if (known >= 0) return { slots: this.known, tag: knownTag, bookedMs: this.book(this.known, known, ofUser, baseDelayMs), isInside: false };
    const tag = this.tag('address', from);
    const slot = this.addresses.claim(tag, nowMs);
    const besides = this.addresses.enter(slot, nowMs);
    const counted = Math.max(ofUser, failures(this.addresses, slot)) + besides;
    return { slots: this.addresses, tag, bookedMs: this.book(this.addresses, slot, counted, baseDelayMs), isInside: true };
  }

  private book(slots: FailureSlots, slot: number, failures: number, baseDelayMs: number): number {
    return slots.occupy(slot, this.now(), delayAfter(failures + 1, baseDelayMs) / atOnce, 2 * most * baseDelayMs);
  }

  /** The verdict is there: right, or none at all, or about to be counted by `failed`. */
  settle({ slots, tag, bookedMs, isInside }: Attempt): void {
    slots.relieve(tag, bookedMs);
    if (isInside) slots.leave(tag, this.now());
  }

  /**
   * Counts a failed login: call it when the verdict is known, whether or not the client is still there.
   * @returns milliseconds that the answer is to wait
   */
  failed(address: string, user: string, baseDelayMs: number): number {
    Atomics.add(this.words, totalAt, 1n);
    const nowMs = this.now();
    const from = network(address);
    const slot = this.addresses.claim(this.tag('address', from), nowMs);
    const times = Math.max(this.addresses.add(slot, nowMs), this.users.add(this.users.claim(this.tag('user', user), nowMs), nowMs));
    const delayMs = delayAfter(times, baseDelayMs);
    if (delayMs <= 0) return 0;
    const known = this.known.find(this.tag('known', from, user));
    // One whose user is known here has not been held: he must not learn that from a sooner answer.
    const evenMs = known < 0 ? 0 : this.addressHeldMs(address, baseDelayMs);
    // Nobody is held for longer than the longest delay.
    const mostMs = 2 * most * baseDelayMs;
    this.addresses.occupy(slot, nowMs, delayMs / atOnce, mostMs);
    if (known >= 0) this.known.occupy(known, nowMs, delayMs / atOnce, mostMs);
    return Math.ceil(delayMs + evenMs);
  }

  /** The user has logged in from this address. */
  succeeded(address: string, user: string): void {
    if (address !== '') this.known.claim(this.tag('known', network(address), user), this.now());
  }

  /**
   * Text of a warning now and then, else null. Ask after each `failed`.
   * @param user as the log may show it
   */
  warning(address: string, user: string): string | null {
    const nowMs = this.now();
    const from = address === '' ? 'Unix sockets' : address;
    const addressSlot = this.addresses.find(this.tag('address', network(address)));
    const userSlot = this.users.find(this.tag('user', user));
    const ofAddress = addressSlot < 0 ? 0 : this.addresses.count(addressSlot, nowMs);
    const ofUser = userSlot < 0 ? 0 : this.users.count(userSlot, nowMs);
    if (Math.max(ofAddress, ofUser) < worthTelling) return null;
    if (ofAddress >= ofUser) {
      return this.addresses.isToTell(addressSlot, ofAddress, nowMs) ? `${ofAddress} failed logins from ${from} within a minute, the last one as user "${user}"` : null;
    }
    return this.users.isToTell(userSlot, ofUser, nowMs) ? `${ofUser} failed logins as user "${user}" within a minute, the last one from ${from}` : null;
  }

  /** Since the start. */
  totals(): { readonly failed: number } {
    return { failed: Number(Atomics.load(this.words, totalAt)) };
  }

  private addressHeldMs(address: string, baseDelayMs: number): number {
    const slot = address === '' ? -1 : this.addresses.find(this.tag('address', network(address)));
    return slot < 0 ? 0 : this.behindMs(this.addresses, slot, baseDelayMs);
  }

  private behindMs(slots: FailureSlots, slot: number, baseDelayMs: number): number {
    return Math.max(0, Math.ceil(slots.busyUntilMs(slot) - this.now() - most * baseDelayMs));
  }

  /** Never 0, which marks an empty slot. */
  private tag(...parts: readonly string[]): bigint {
    return createHmac('sha256', this.secret).update(parts.join('\0')).digest().readBigInt64BE(0) || 1n;
  }
}

/** @param times how many failures there are, this one counted */
function delayAfter(times: number, baseDelayMs: number): number {
  return baseDelayMs * Math.min(most, 2 ** Math.min(times - 1, 10));
}

/** What counts of an address: all of IPv4's, 64 bits of IPv6's. */
function network(address: string): string {
  const parsed = parseIp(address);
  if (parsed === null) return address;
  const { family, bytes } = unmapped(parsed);
  return (family === 4 ? bytes : bytes.slice(0, 8)).join('.');
}
