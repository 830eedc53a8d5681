/** A thread of login-failures.test.ts: fails logins as its orders say, and ends. */
import { parentPort, workerData } from 'node:worker_threads';
import { LoginFailures } from '../../src/shared/memory/login-failures.js';

export interface Orders {
  readonly buffer: SharedArrayBuffer;
  readonly times: number;
  readonly address: string;
  /** Each failure is under one of that many names. */
  readonly users: number;
}

if (parentPort !== null) {
  const { buffer, times, address, users } = workerData as Orders;
  // A clock that stands: all failures are of the same minute.
  const failures = new LoginFailures(buffer, () => 0);
  for (let i = 0; i < times; i++) failures.failed(address, `user ${i % users}`, 1000);
}
