/** What a pgloom has written, which comes through a pipe: a little later than what its clients are told. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

const limitMs = 10_000;

/** Resolves when it stands in the log. @param fromAt characters of the log that are passed over */
export async function untilLogged({ stderr }: { stderr(): string }, pattern: RegExp, fromAt = 0): Promise<void> {
  for (const endMs = Date.now() + limitMs; !pattern.test(stderr().slice(fromAt)); await sleep(10)) {
    if (Date.now() > endMs) assert.match(stderr().slice(fromAt), pattern);
  }
}
