/** Waiting for what comes a little later than the answer that a test has seen. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';

/** Far beyond what any of it takes on a machine that has other work to do as well. */
const defaultLimitMs = 30_000;

/**
 * Resolves when the condition holds.
 * @param what is waited for, or how things stand at the end, for the error
 * @throws Error when the condition has not held for `limitMs`
 */
export async function eventually(what: string | (() => string), holds: () => boolean | Promise<boolean>, limitMs = defaultLimitMs): Promise<void> {
  for (const deadlineMs = Date.now() + limitMs; !await holds(); await sleep(20)) {
    if (Date.now() > deadlineMs) throw new Error(`not within ${limitMs / 1000} s: ${typeof what === 'string' ? what : what()}`);
  }
}

/** Resolves when what is read is what is expected. */
export async function eventuallyEqual(expected: readonly string[], read: () => Promise<readonly string[]>, limitMs?: number): Promise<void> {
  let seen: readonly string[] = [];
  await eventually(() => `${expected.join(', ')}, not ${seen.join(', ')}`, async () => isDeepStrictEqual(seen = await read(), expected), limitMs);
}

/** The text, when it matches. */
export async function untilMatch(text: () => string, pattern: RegExp): Promise<string> {
  await eventually(() => `no ${pattern} in:\n${text().slice(-4000)}`, () => pattern.test(text()));
  return text();
}
