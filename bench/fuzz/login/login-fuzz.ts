/** Many hostile logins at the same time, and how pgloom is afterwards. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pgloom } from '../../../test/support/pgloom.js';
import { allChildrenFree, numbersFrom, residentBytes } from '../fuzz.js';
import { secrets } from './accounts.js';
import { runCase } from './conversation.js';
import { clientHello } from './openings.js';
import type { Where } from './peer.js';
import { mostChildren, type Mode } from './scene.js';
import { Sameness } from './sameness.js';

export interface LoginFuzzOptions {
  readonly cases: number;
  /** Of the scene; default pool_hba. */
  readonly mode?: Mode;
  readonly seed?: number;
  /** The first case's number: `seed` and `first` repeat one case. */
  readonly first?: number;
  readonly atOnce?: number;
  /** Of cases over TCP, how many go for TLS; 0 where pgloom has none. */
  readonly tlsShare?: number;
  readonly report?: (line: string) => void;
}

export interface LoginFuzzResult {
  readonly cases: number;
  readonly seconds: number;
  readonly loggedIn: number;
  readonly overTls: number;
  readonly earlyBytes: number;
  readonly lateBytes: number;
  readonly earlyDescriptors: number;
  readonly lateDescriptors: number;
  /** By what users can be told apart: nothing. */
  readonly differences: readonly string[];
  /** Whose refusals were compared, by how they were asked. */
  readonly compared: Readonly<Record<string, readonly string[]>>;
}

const reportMs = 10_000;
const settleLimitMs = 30_000;
/** Beyond those at the beginning: links to the servers that stay in the pool, and a few. */
const descriptorsAllowed = mostChildren + 10;

/** @throws AssertionError or Violation: what pgloom did, with the seed and the case's number */
export async function fuzzLogins(pgloom: Pgloom, options: LoginFuzzOptions): Promise<LoginFuzzResult> {
  const { cases, mode = 'pool_hba', seed = 1, first = 0, atOnce = 100, tlsShare = 0.2, report = () => undefined } = options;
  const hellos = [await clientHello([]), await clientHello(['postgresql'])];
  const sameness = new Sameness();
  const counts = { begun: 0, ended: 0, loggedIn: 0, overTls: 0 };
  let failure: Error | null = null;
  let earlyBytes = 0;
  const startedMs = performance.now();
  const earlyDescriptors = descriptorsOf(pgloom.pid);
  const timer = setInterval(() => {
    const nowBytes = residentBytes(pgloom.pid);
    if (counts.ended <= cases / 5) earlyBytes = Math.max(earlyBytes, nowBytes);
    report(`${counts.ended} cases, ${Math.round(counts.ended / (performance.now() - startedMs) * 1000)} a second, ${counts.loggedIn} right logins, ${Math.round(nowBytes / 1e6)} MB, ${descriptorsOf(pgloom.pid)} descriptors`);
  }, Math.min(reportMs, Math.max(100, cases / 100)));
  const client = async (): Promise<void> => {
    while (counts.begun < cases && failure === null) {
      const number = first + counts.begun++;
      const random = numbersFrom(Math.imul(seed, 0x9e37_79b1) ^ Math.imul(number + 1, 0x85eb_ca6b));
      try {
        const end = await runCase({ where: placeOf(pgloom, random), random, hellos, tlsShare, sameness, tellsHashes: mode === 'auth_query' });
        counts.loggedIn += end.loggedIn ? 1 : 0;
        counts.overTls += end.tls ? 1 : 0;
      } catch (error) {
        failure ??= new Error(`seed ${seed}, case ${number}: ${(error as Error).message}`, { cause: error });
      }
      counts.ended++;
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(atOnce, cases) }, client));
  } finally {
    clearInterval(timer);
  }
  if (failure !== null) throw failure as Error;
  const seconds = (performance.now() - startedMs) / 1000;
  await allChildrenFree(pgloom);
  const lateDescriptors = await settledDescriptors(pgloom.pid, earlyDescriptors + descriptorsAllowed);
  assert.deepEqual(pgloom.stderr().split('\n').map(faultOf).filter((fault) => fault !== null).slice(0, 20), []);
  return {
    cases: counts.ended, seconds: Math.round(seconds), loggedIn: counts.loggedIn, overTls: counts.overTls,
    earlyBytes, lateBytes: residentBytes(pgloom.pid), earlyDescriptors, lateDescriptors, differences: sameness.differences(), compared: sameness.compared(),
  };
}

/** What must not stand in a line of the log: that something of pgloom's broke, or a secret. */
export function faultOf(line: string): string | null {
  if (secrets.some((secret) => line.includes(secret))) return `a secret: ${line}`;
  return /internal error|PANIC|uncaught|unhandled|TypeError|RangeError|^ +at /i.test(line) ? line : null;
}

/** Many addresses of our own: one address and port would run out of ports in half a minute. */
function placeOf(pgloom: Pgloom, random: () => number): Where {
  if (random() < 0.3) return { path: `${pgloom.socketDirectory}/.s.PGSQL.${pgloom.port}` };
  return { port: pgloom.port, localAddress: `127.${1 + Math.floor(random() * 100)}.${Math.floor(random() * 256)}.1` };
}

function descriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

async function settledDescriptors(pid: number, most: number): Promise<number> {
  for (const startedMs = performance.now(); ;) {
    const now = descriptorsOf(pid);
    if (now <= most) return now;
    if (performance.now() - startedMs > settleLimitMs) assert.fail(`${now} descriptors are open, at most ${most} were expected`);
    await sleep(200);
  }
}
