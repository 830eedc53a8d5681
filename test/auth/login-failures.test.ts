/** Counting and slowing down of failed logins, against a clock that the tests move. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { LoginFailures } from '../../src/shared/memory/login-failures.js';
import type { Orders } from './login-failures-thread.js';

const threadFile = new URL('./login-failures-thread.js', import.meta.url);
const baseMs = 1000;
const longestMs = 32 * baseMs;

class Clock {
  nowMs = 1_000_000;
  readonly failures = new LoginFailures(undefined, () => this.nowMs);

  fail(address: string, user: string, times = 1): number {
    let waitMs = 0;
    for (let i = 0; i < times; i++) waitMs = this.failures.failed(address, user, baseMs);
    return waitMs;
  }
}

/**
 * Guesses for `lastsMs` as fast as it is let: a guess is made when it is not held, and its answer is never waited for.
 * @returns guesses made
 */
function guessFor(clock: Clock, lastsMs: number, address: () => string, user: () => string): number {
  let guesses = 0;
  for (const endMs = clock.nowMs + lastsMs; clock.nowMs < endMs;) {
    const [from, as] = [address(), user()];
    const heldMs = clock.failures.heldMs(from, as, baseMs);
    if (heldMs === 0) {
      clock.fail(from, as);
      guesses++;
    }
    clock.nowMs += Math.max(1, heldMs);
  }
  return guesses;
}

describe('the answer to a failed login', () => {
  it('waits the base time at first, twice as long each further time, and 32 times as long at most', () => {
    const clock = new Clock();
    const waits = Array.from({ length: 8 }, () => clock.fail('192.0.2.1', 'ann'));
    assert.deepEqual(waits, [1000, 2000, 4000, 8000, 16_000, 32_000, 32_000, 32_000]);
  });

  it('waits by the failures of the address whatever users it names', () => {
    const clock = new Clock();
    const waits = Array.from({ length: 5 }, (_, i) => clock.fail('192.0.2.1', `user ${i}`));
    assert.deepEqual(waits, [1000, 2000, 4000, 8000, 16_000]);
  });

  it('waits by the failures of the user wherever they come from', () => {
    const clock = new Clock();
    const waits = Array.from({ length: 5 }, (_, i) => clock.fail(`192.0.2.${i}`, 'ann'));
    assert.deepEqual(waits, [1000, 2000, 4000, 8000, 16_000]);
  });

  it('waits no longer for what others do elsewhere under other names', () => {
    const clock = new Clock();
    clock.fail('192.0.2.1', 'ann', 50);
    assert.equal(clock.fail('192.0.2.2', 'ben'), baseMs);
  });

  it('is forgotten after a minute, not before', () => {
    const clock = new Clock();
    clock.fail('192.0.2.1', 'ann', 3);
    clock.nowMs += 49_000;
    assert.equal(clock.fail('192.0.2.1', 'ann'), 8000);
    clock.nowMs += 61_000;
    assert.equal(clock.fail('192.0.2.1', 'ann'), 1000);
  });

  it('does not get sooner by right logins between the wrong ones, with an account of one\'s own', () => {
    const clock = new Clock();
    clock.fail('192.0.2.1', 'ann', 5);
    clock.failures.succeeded('192.0.2.1', 'eve');
    clock.failures.succeeded('192.0.2.1', 'ann');
    assert.ok(clock.fail('192.0.2.1', 'ann') >= longestMs);
  });

  it('counts the 64 bits of an IPv6 network, and an IPv4 address in either clothes, as one address', () => {
    const clock = new Clock();
    const waits = ['2001:db8::1', '2001:db8::2', '2001:db8:0:0:ffff::3', '2001:db8:0:1::1'].map((address, i) => clock.fail(address, `user ${i}`));
    assert.deepEqual(waits, [1000, 2000, 4000, 1000]);
    assert.deepEqual(['192.0.2.9', '::ffff:192.0.2.9'].map((address, i) => clock.fail(address, `other ${i}`)), [1000, 2000]);
  });

  it('waits nothing with a base of 0, and is counted all the same', () => {
    const clock = new Clock();
    for (let i = 0; i < 40; i++) assert.equal(clock.failures.failed('192.0.2.1', 'ann', 0), 0);
    assert.equal(clock.failures.heldMs('192.0.2.1', 'ann', 0), 0);
    assert.equal(clock.failures.totals().failed, 40);
    assert.match(clock.failures.warning('192.0.2.1', 'ann') ?? '', /^40 failed logins from 192\.0\.2\.1 within a minute/);
  });
});

describe('a login', () => {
  it('is never held for the failures of its user elsewhere', () => {
    const clock = new Clock();
    for (let i = 0; i < 5000; i++) clock.fail(`10.0.${i >> 8}.${i & 255}`, 'ann');
    assert.equal(clock.failures.heldMs('192.0.2.1', 'ann', baseMs), 0);
  });

  it('is not held for sixteen clients of its address that fail again as soon as they are answered', () => {
    const clock = new Clock();
    const due = Array.from({ length: 16 }, () => clock.nowMs);
    for (const endMs = clock.nowMs + 600_000; clock.nowMs < endMs;) {
      const next = due.indexOf(Math.min(...due));
      clock.nowMs = Math.max(clock.nowMs, due[next] ?? 0);
      assert.equal(clock.failures.heldMs('192.0.2.1', 'ben', baseMs), 0);
      due[next] = clock.nowMs + clock.fail('192.0.2.1', 'ann');
    }
  });

  it('is not held where its user has logged in before, whatever others do there', () => {
    const clock = new Clock();
    clock.failures.succeeded('192.0.2.1', 'ben');
    clock.fail('192.0.2.1', 'ann', 5000);
    assert.ok(clock.failures.heldMs('192.0.2.1', 'ann', baseMs) > 0);
    assert.equal(clock.failures.heldMs('192.0.2.1', 'ben', baseMs), 0);
  });

  it('books its sixteenth before it is judged: guesses at once get no further than one after the other', () => {
    const clock = new Clock();
    clock.fail('192.0.2.1', 'ann', 6);
    let begun = 0;
    const attempts = [];
    for (; clock.failures.heldMs('192.0.2.1', `user ${begun}`, baseMs) === 0; begun++) attempts.push(clock.failures.begin('192.0.2.1', `user ${begun}`, baseMs));
    assert.ok(begun >= 12 && begun <= 17, String(begun));
    // Half of them were right.
    for (const attempt of attempts.slice(0, 8)) if (attempt !== null) clock.failures.settle(attempt);
    assert.equal(clock.failures.heldMs('192.0.2.1', 'user', baseMs), 0);
    for (let i = 0; i < 2; i++) assert.notEqual(clock.failures.begin('192.0.2.1', 'user', baseMs), null);
  });

  it('is as dear beside others as behind them, and cheap again when they were right', () => {
    const clock = new Clock();
    const attempts = [];
    while (clock.failures.heldMs('192.0.2.1', 'ann', baseMs) === 0) attempts.push(clock.failures.begin('192.0.2.1', 'ann', baseMs));
    assert.ok(attempts.length >= 19 && attempts.length <= 22, String(attempts.length));
    for (const attempt of attempts) if (attempt !== null) clock.failures.settle(attempt);
    for (let i = 0; i < 400; i++) {
      assert.equal(clock.failures.heldMs('192.0.2.1', 'ann', baseMs), 0);
      const attempt = clock.failures.begin('192.0.2.1', 'ann', baseMs);
      if (attempt !== null) clock.failures.settle(attempt);
    }
    // A thread that ended took some with it.
    for (let i = 0; i < 10; i++) clock.failures.begin('192.0.2.1', 'ann', baseMs);
    clock.nowMs += 61_000;
    assert.equal(clock.failures.begin('192.0.2.1', 'ann', baseMs)?.bookedMs, Math.ceil(baseMs / 16));
  });

  it('that is judged has cost what it would have cost without', () => {
    const [booked, plain] = [new Clock(), new Clock()];
    for (let i = 0; i < 40; i++) {
      for (const clock of [booked, plain]) {
        const attempt = clock === booked ? clock.failures.begin('192.0.2.1', 'ann', baseMs) : null;
        clock.nowMs += 10;
        if (attempt !== null) clock.failures.settle(attempt);
        clock.fail('192.0.2.1', 'ann');
      }
      const [one, other] = [booked, plain].map((clock) => clock.failures.heldMs('192.0.2.1', 'ann', baseMs)) as [number, number];
      assert.ok(Math.abs(one - other) <= 40 * 11, `${one} ${other}`);
    }
  });

  it('of a user known there is held only for failures under that name, whatever is looked at besides', () => {
    const clock = new Clock();
    clock.failures.succeeded('192.0.2.1', 'ben');
    clock.fail('192.0.2.1', 'ann', 6);
    for (let i = 0; i < 200; i++) {
      assert.equal(clock.failures.heldMs('192.0.2.1', 'ben', baseMs), 0);
      clock.failures.begin('192.0.2.1', 'ben', baseMs);
    }
  });

  it('by a Unix socket is never held', () => {
    const clock = new Clock();
    assert.equal(clock.fail('', 'ann', 5000), longestMs);
    assert.equal(clock.failures.heldMs('', 'ann', baseMs), 0);
  });

  it('is held for no longer than the longest delay', () => {
    const clock = new Clock();
    clock.failures.succeeded('192.0.2.1', 'ann');
    clock.fail('192.0.2.1', 'ann', 20_000);
    assert.ok(clock.failures.heldMs('192.0.2.1', 'ann', baseMs) <= longestMs);
    assert.ok(clock.failures.heldMs('192.0.2.1', 'ben', baseMs) <= longestMs);
  });
});

describe('somebody who guesses and never waits for the answer', () => {
  // Sixteen clients that wait for it make one guess in two seconds; the first burst is free.
  const allowed = 16 + 32 + 600 / 2;
  let serial = 0;

  it('gets no faster than sixteen who wait for it', () => {
    assert.ok(guessFor(new Clock(), 600_000, () => '192.0.2.1', () => 'ann') <= allowed);
  });

  it('gets no faster by another name each time', () => {
    assert.ok(guessFor(new Clock(), 600_000, () => '192.0.2.1', () => `user ${serial++}`) <= allowed);
  });

  it('gets no faster by another IPv6 address of his network each time', () => {
    assert.ok(guessFor(new Clock(), 600_000, () => `2001:db8::${(serial++ & 0xffff).toString(16)}`, () => 'ann') <= allowed);
  });

  it('gets no faster at a user who logs in from the same address', () => {
    const clock = new Clock();
    clock.failures.succeeded('192.0.2.1', 'ann');
    assert.ok(guessFor(clock, 600_000, () => '192.0.2.1', () => 'ann') <= allowed);
  });

  it('does not learn by the time of the answer who has logged in from the same address', () => {
    const clock = new Clock();
    clock.failures.succeeded('192.0.2.1', 'ann');
    clock.fail('192.0.2.1', 'eve', 100);
    const unknownMs = clock.failures.heldMs('192.0.2.1', 'ben', baseMs);
    assert.ok(unknownMs > 0);
    assert.equal(clock.fail('192.0.2.1', 'ann'), unknownMs + longestMs);
  });

  it('does not make room for himself by filling the tables with other names', () => {
    const clock = new Clock();
    clock.fail('192.0.2.1', 'ann', 20);
    for (let i = 0; i < 20_000; i++) clock.fail(`10.1.${i >> 8}.${i & 255}`, `user ${i}`);
    assert.equal(clock.fail('198.51.100.1', 'ann'), longestMs);
    assert.ok(clock.fail('192.0.2.1', 'ben') >= longestMs);
  });
});

describe('the warning', () => {
  it('comes at the tenth failure, then at ten times as many or after a minute, with names that the log may show', () => {
    const clock = new Clock();
    const told: (string | null)[] = [];
    for (let i = 1; i <= 300; i++) {
      clock.fail('192.0.2.1', `user ${i}`);
      told.push(clock.failures.warning('192.0.2.1', `user ${i}`));
    }
    assert.deepEqual(told.flatMap((text, i) => (text === null ? [] : [[i + 1, text]])), [
      [10, '10 failed logins from 192.0.2.1 within a minute, the last one as user "user 10"'],
      [100, '100 failed logins from 192.0.2.1 within a minute, the last one as user "user 100"'],
    ]);
    clock.nowMs += 61_000;
    clock.fail('192.0.2.1', 'ann', 30);
    assert.match(clock.failures.warning('192.0.2.1', 'ann') ?? '', /^30 failed logins from 192\.0\.2\.1/);
  });

  it('names the user when the failures come from many addresses', () => {
    const clock = new Clock();
    for (let i = 1; i <= 12; i++) clock.fail(`192.0.2.${i}`, 'ann');
    assert.equal(clock.failures.warning('192.0.2.12', 'ann'), '12 failed logins as user "ann" within a minute, the last one from 192.0.2.12');
  });

  it('speaks of Unix sockets', () => {
    const clock = new Clock();
    for (let i = 1; i <= 12; i++) clock.fail('', `user ${i}`);
    assert.match(clock.failures.warning('', 'user 12') ?? '', /^12 failed logins from Unix sockets within a minute/);
  });
});

/** Four threads fail logins as ordered, and end. */
async function failInThreads(orders: Orders): Promise<void> {
  const threads = Array.from({ length: 4 }, () => new Worker(threadFile, { workerData: orders }));
  const codes = await Promise.all(threads.map(async (thread) => (await once(thread, 'exit'))[0] as number));
  assert.deepEqual(codes, [0, 0, 0, 0]);
}

it('four threads that fail at once are counted to the last failure, and wait by what all of them did', async () => {
  const failures = new LoginFailures(undefined, () => 0);
  const times = 5000;
  await failInThreads({ buffer: failures.buffer, times, address: '192.0.2.1', users: 40 });
  assert.equal(failures.totals().failed, 4 * times);
  assert.equal(failures.failed('192.0.2.1', 'nobody', baseMs), longestMs);
  assert.match(failures.warning('192.0.2.1', 'nobody') ?? '', new RegExp(`^${4 * times + 1} failed logins from 192\\.0\\.2\\.1 `));
  assert.equal(failures.failed('198.51.100.1', 'user 7', baseMs), longestMs);
});

it('four threads that meet a new user at the same moment count him as one', async () => {
  const failures = new LoginFailures(undefined, () => 0);
  // So few that no set of the table overflows, whatever the secret.
  const users = 120;
  const meet = { threads: 4, word: new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)) };
  await failInThreads({ buffer: failures.buffer, times: users, address: '', users, meet });
  const waits = Array.from({ length: users }, (_, i) => failures.failed(`10.0.0.${i}`, `user ${i}`, baseMs));
  assert.deepEqual(waits, waits.map(() => 16 * baseMs));
});
