import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { makeCertificate } from './certificate.js';
import { startBenchCluster, startTlsServer } from './cluster.js';
import { judge } from './goals.js';
import { describeMachine } from './machine.js';
import { parseOptions, USAGE, type BenchOptions } from './options.js';
import { findProgram } from './programs.js';
import { procIsThere } from './proc-cpu.js';
import { markdownReport, type Report } from './report.js';
import { runRounds, type Guard } from './rounds.js';
import { makeScratchDirectory, undoEverything } from './scratch.js';
import { summarize } from './summary.js';
import { chooseTargets } from './targets/all.js';
import type { Target } from './targets/target.js';
import type { Workload } from './workloads/workload.js';

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** A program the bench cannot do without, and Debian's packages for it. */
function required(name: string, packages: string): string {
  const found = findProgram(name);
  if (found === null) throw new Error(`${name} is not installed (Debian: apt install ${packages})`);
  return found;
}

/** Workloads that a target cannot be entered by, for the report. */
function notTaken(targets: readonly Target[], workloads: readonly Workload[]): string[] {
  return targets.flatMap((target) => {
    const names = workloads.filter(({ access }) => !target.takes(access)).map(({ name }) => name);
    return names.length === 0 ? [] : [`${target.name} in ${names.join(', ')}: the server here does not take clients that way`];
  });
}

const postgresPackages = 'postgresql-client postgresql-contrib';

/** What the workloads with TLS or passwords need beside; null when none is asked for. */
async function prepareGuard(
  workloads: readonly Workload[], targets: readonly Target[], options: BenchOptions, pgbench: string, psql: string,
): Promise<Guard | null> {
  const encrypted = workloads.filter((workload) => workload.access.encrypted);
  if (encrypted.length === 0 && !workloads.some((workload) => workload.access.scram)) return null;
  const openssl = required('openssl', 'openssl');
  const certificate = makeCertificate(openssl, options.keyKind);
  const direct = targets.find((target) => target.name === 'direct');
  const wanted = encrypted.some((workload) => workload.suitsDirect && direct?.takes(workload.access) === true);
  const tlsServer = wanted ? await startTlsServer(options, certificate, pgbench, psql) : null;
  return { openssl, certificate, password: randomBytes(12).toString('hex'), tlsServer };
}

/** What tells one bench from another. */
export interface Series {
  /** How it is called, for the report. */
  readonly command: string;
  /** Its workloads; a bad name in the options is an Error. */
  readonly workloads: (options: BenchOptions) => Workload[];
}

/** The whole of a bench: cluster, rounds, report. */
async function measureSeries(series: Series, options: BenchOptions): Promise<void> {
  const pgbench = required('pgbench', postgresPackages);
  const psql = required('psql', postgresPackages);
  const workloads = series.workloads(options);
  if (!procIsThere) say('no /proc here: CPU and memory are left out');
  chooseTargets(options, ''); // a wrong name is told before the cluster starts
  say('starting the cluster');
  const cluster = await startBenchCluster(options, pgbench, psql);
  const choice = chooseTargets(options, cluster.version);
  const { targets } = choice;
  const skipped = [...choice.skipped, ...notTaken(targets, workloads)];
  for (const line of skipped) say(`skipped ${line}`);
  const guard = await prepareGuard(workloads, targets, options, pgbench, psql);
  const { samples, handshakes } = await runRounds({
    cluster, guard, workloads, targets, rounds: options.rounds, say,
    context: { pgbench, seconds: options.seconds, logDirectory: makeScratchDirectory('logs') },
  });
  const subject = targets.find((target) => target.name.startsWith('pgloom'))?.name ?? 'pgloom';
  const summaries = summarize(samples, targets.map((target) => target.name), subject);
  const report: Report = {
    machine: describeMachine(),
    command: [series.command, ...process.argv.slice(2)].join(' '),
    versions: { server: cluster.version, ...Object.fromEntries(targets.map((target) => [target.name, target.version()])) },
    rounds: options.rounds,
    subject,
    skipped,
    handshakes,
    keyDescription: Object.keys(handshakes).length === 0 ? null : guard?.certificate.description ?? null,
    workloads: workloads.map(({ name, unit, title }) => ({ name, unit, title: title(options.seconds) })),
    summaries,
    verdicts: judge(summaries, subject),
  };
  process.stdout.write(markdownReport(report));
  if (options.jsonFile !== null) {
    writeFileSync(options.jsonFile, `${JSON.stringify({ ...report, samples }, null, 2)}\n`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Runs a bench as this process's command line asks and prints its report to standard output, progress and
 * complaints to standard error. Exit code 2 for a flag that is not one or has a bad value, 1 for any other failure; leaves nothing running either way.
 */
export async function runSeries(series: Series): Promise<void> {
  let options: BenchOptions;
  try {
    options = parseOptions(process.argv.slice(2));
  } catch (error) {
    say(`${messageOf(error)}\n\n${USAGE}`);
    process.exitCode = 2;
    return;
  }
  try {
    await measureSeries(series, options);
  } catch (error) {
    say(`bench: ${messageOf(error)}`);
    process.exitCode = 1;
  } finally {
    await undoEverything();
  }
}
