/** A thread of login-failures.test.ts: fails logins as its orders say, and ends. */
import { parentPort, workerData } from 'node:worker_threads';
import { LoginFailures } from '../../src/shared/memory/login-failures.js';

export interface Orders {
  readonly buffer: SharedArrayBuffer;
  readonly times: number;
  readonly address: string;
  /** Each failure is under one of that many names. */
  readonly users: number;
  /** So many threads wait for each other before each failure; the word counts how often one has come. */
  readonly meet?: { readonly threads: number; readonly word: Int32Array };
}

/** @param round counts from 0 */
function meetOthers({ threads, word }: NonNullable<Orders['meet']>, round: number): void {
  Atomics.add(word, 0, 1);
  // Awake, so that all go on in the same moment; on one core the others get their turn.
  for (let looks = 1; Atomics.load(word, 0) < (round + 1) * threads; looks++) if (looks % 100_000 === 0) Atomics.wait(word, 0, -1, 1);
}

if (parentPort !== null) {
  const { buffer, times, address, users, meet } = workerData as Orders;
  // A clock that stands: all failures are of the same minute.
  const failures = new LoginFailures(buffer, () => 0);
  for (let i = 0; i < times; i++) {
    if (meet !== undefined) meetOthers(meet, i);
    failures.failed(address, `user ${i % users}`, 1000);
  }
}
