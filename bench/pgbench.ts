import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Login } from './raw-client.js';
import { registerUndo } from './scratch.js';

/** What one pgbench run tells. */
export interface PgbenchResult {
  readonly transactions: number;
  readonly transactionsPerSecond: number;
}

/** Percentiles of one run, in microseconds. */
export interface Latency {
  readonly p50Us: number;
  readonly p95Us: number;
  readonly p99Us: number;
}

/**
 * Reads pgbench's report.
 * @throws Error when the two lines the bench needs are not in it.
 */
export function parsePgbenchReport(text: string): PgbenchResult {
  const transactions = /^number of transactions actually processed: (\d+)/m.exec(text)?.[1];
  const rate = /^tps = ([\d.]+)/m.exec(text)?.[1];
  if (transactions === undefined || rate === undefined) throw new Error(`pgbench's report was not understood: ${text}`);
  return { transactions: Number(transactions), transactionsPerSecond: Number(rate) };
}

/**
 * Latencies in microseconds from a per-transaction log (`pgbench -l`), whose lines are
 * client, transaction, latency, script, second, microsecond. With `betweenEnds` a transaction
 * lasts from the client's previous end to its own: under -C pgbench's latency starts only after
 * the connection is there, and the connection is what is asked about. Lines cut short are skipped.
 */
export function parseTransactionLog(text: string, betweenEnds: boolean): number[] {
  const latencies: number[] = [];
  const lastEndUs = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [client, , latency, , second, microsecond] = line.split(' ');
    if (client === undefined || latency === undefined || second === undefined || microsecond === undefined) continue;
    if (!betweenEnds) {
      latencies.push(Number(latency));
      continue;
    }
    const endUs = Number(second) * 1_000_000 + Number(microsecond);
    const previousUs = lastEndUs.get(client);
    lastEndUs.set(client, endUs);
    if (previousUs !== undefined) latencies.push(endUs - previousUs);
  }
  return latencies;
}

/** Percentiles by nearest rank; null when there is nothing to rank. */
export function percentiles(latenciesUs: readonly number[]): Latency | null {
  if (latenciesUs.length === 0) return null;
  const sorted = Float64Array.from(latenciesUs).sort();
  const rank = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { p50Us: rank(0.5), p95Us: rank(0.95), p99Us: rank(0.99) };
}

/**
 * Runs a program to its end and returns what it wrote to standard output.
 * @throws Error with the end of its standard error when it exits with anything but 0.
 */
export function runProgram(
  program: string, args: readonly string[], timeoutMs: number, environment: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: environment });
    const forget = registerUndo(() => void child.kill('SIGKILL'));
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-2000)));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      void forget();
      if (code === 0) resolve(output);
      else reject(new Error(`${path.basename(program)} ended with ${code ?? signal}: ${errors.trim().slice(-600)}`));
    });
  });
}

/** The arguments that point pgbench at a database. */
export function loginArguments(login: Login): string[] {
  return ['-h', login.host, '-p', String(login.port), '-U', login.user, login.database];
}

/** What libpq has to be told beside: encrypted or not is never left to its defaults, and a password is not on a command line. */
export function loginEnvironment(login: Login): Record<string, string> {
  return {
    PGSSLMODE: login.encrypted === true ? 'require' : 'disable',
    PGGSSENCMODE: 'disable',
    ...(login.password === undefined ? {} : { PGPASSWORD: login.password }),
  };
}

/**
 * Runs pgbench for some seconds, with a transaction log in `logDirectory` when one is given
 * (a buffered write a transaction, the same for every target).
 * @throws Error when pgbench fails or does not end in time.
 */
export async function runPgbench(
  program: string, loadArguments: readonly string[], login: Login, seconds: number, logDirectory: string | null,
): Promise<PgbenchResult> {
  const args = ['-n', ...loadArguments, '-T', String(seconds)];
  if (logDirectory !== null) args.push('-l', `--log-prefix=${path.join(logDirectory, 'transactions')}`);
  const report = await runProgram(program, [...args, ...loginArguments(login)], (seconds + 60) * 1000, {
    ...process.env, ...loginEnvironment(login),
  });
  return parsePgbenchReport(report);
}

/** Reads, ranks and deletes the transaction logs of the run before. */
export function takeLatency(logDirectory: string, betweenEnds: boolean): Latency | null {
  const latencies: number[] = [];
  for (const name of readdirSync(logDirectory)) {
    if (!name.startsWith('transactions')) continue;
    const file = path.join(logDirectory, name);
    for (const value of parseTransactionLog(readFileSync(file, 'utf8'), betweenEnds)) latencies.push(value);
    rmSync(file);
  }
  return percentiles(latencies);
}
