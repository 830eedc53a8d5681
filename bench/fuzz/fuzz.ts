/** Random and damaged messages at a running pgloom, with witnesses beside the attackers. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pgloom } from '../../test/support/pgloom.js';
import { rowsOf } from '../../test/support/wire-fields.js';
import { WireClient } from '../../test/support/wire.js';
import { attack } from './attacker.js';
import { witness } from './witness.js';

export interface FuzzOptions {
  readonly messages: number;
  readonly attackers?: number;
  readonly witnesses?: number;
  readonly seed?: number;
  readonly report?: (line: string) => void;
}

export interface FuzzResult {
  readonly messages: number;
  readonly connections: number;
  /** Right answers that the witnesses got. */
  readonly answers: number;
  /** Resident memory in the first tenth of the run and at its end, bytes. */
  readonly earlyBytes: number;
  readonly lateBytes: number;
}

const settleLimitMs = 30_000;
const reportMs = 10_000;

/** Numbers that are the same in each run with the same seed. */
export function numbersFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function residentBytes(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1] ?? 0) * 1024;
}

/** Fails when a witness gets a wrong answer, when a child does not come back, or when something of pgloom broke. */
export async function fuzz(pgloom: Pgloom, options: FuzzOptions): Promise<FuzzResult> {
  const { messages, attackers = 6, witnesses = 2, seed = 1, report = () => {} } = options;
  const progress = { sent: 0, connections: 0, wanted: messages };
  const stop = { now: false };
  let earlyBytes = 0;
  const timer = setInterval(() => {
    const now = residentBytes(pgloom.pid);
    if (progress.sent <= messages / 10 || earlyBytes === 0) earlyBytes = Math.max(earlyBytes, now);
    report(`${progress.sent} messages, ${progress.connections} connections, ${Math.round(now / 1e6)} MB`);
  }, Math.min(reportMs, Math.max(200, messages / 100)));
  const watching = Promise.all(Array.from({ length: witnesses }, () => witness(pgloom.port, stop)));
  // A wrong answer ends the attack early.
  watching.catch(() => { progress.sent = messages; });
  try {
    await Promise.all(Array.from({ length: attackers }, (_, n) => attack({ port: pgloom.port, random: numbersFrom(seed * 1000 + n), progress })));
  } finally {
    clearInterval(timer);
    stop.now = true;
  }
  const answers = (await watching).reduce((sum, count) => sum + count, 0);
  await allChildrenFree(pgloom);
  const faults = pgloom.stderr().split('\n').filter((line) => /internal error|PANIC|uncaught/i.test(line));
  assert.deepEqual(faults, []);
  return { messages: progress.sent, connections: progress.connections, answers, earlyBytes, lateBytes: residentBytes(pgloom.pid) };
}

/** Resolves when no more children than these serve anybody, the one that is asked among them. */
export async function allChildrenFree(pgloom: Pick<Pgloom, 'port'>, expected = 1): Promise<void> {
  const startedMs = Date.now();
  for (;;) {
    const busy = (await poolProcesses(pgloom.port)).filter((row) => row.at(-1) !== 'Wait for connection');
    if (busy.length <= expected) return;
    if (Date.now() - startedMs > settleLimitMs) assert.fail(`children are still busy: ${JSON.stringify(busy)}; the primary: ${JSON.stringify(await atWork(pgloom.port))}`);
    await sleep(200);
  }
}

/** What the primary is doing, for the report of a failure. */
function atWork(port: number): Promise<(string | null)[][]> {
  // A set_config() that sets nothing keeps it on the primary.
  return rows(port, `select pid, state, wait_event, state_change, query_start, left(query, 100), pg_blocking_pids(pid), set_config('fuzz.asked', 'now', true)
    from pg_stat_activity where backend_type = 'client backend' and state <> 'idle' and pid <> pg_backend_pid()`);
}

export function poolProcesses(port: number): Promise<(string | null)[][]> {
  return rows(port, 'show pool_processes');
}

async function rows(port: number, sql: string): Promise<(string | null)[][]> {
  const client = await WireClient.login(port, {}, 20_000);
  try {
    client.query(sql);
    return rowsOf(await client.readUntil('Z'));
  } finally {
    client.end();
  }
}
