import type { Certificate } from './certificate.js';
import type { BenchCluster, BenchNode } from './cluster.js';
import { throwIfInterrupted } from './scratch.js';
import { StandingTargets, type StartTarget } from './standing-targets.js';
import type { RunningTarget, Target } from './targets/target.js';
import { probeHandshake } from './tls-probe.js';
import type { Measurement, Workload, WorkloadContext } from './workloads/workload.js';

/** One workload on one target in one round: what was measured, or why not. */
export interface Sample {
  readonly round: number;
  readonly workload: string;
  readonly target: string;
  readonly measurement: Measurement | null;
  readonly failure: string | null;
}

/** What the rounds brought. */
export interface Rounds {
  readonly samples: readonly Sample[];
  /** Protocol, cipher and key exchange over TLS, by target. */
  readonly handshakes: Readonly<Record<string, string>>;
}

/** Everything a series of rounds works on. */
export interface RoundPlan {
  readonly cluster: BenchCluster;
  /** Null when no workload's clients come in over TLS or with a password. */
  readonly guard: Guard | null;
  readonly workloads: readonly Workload[];
  readonly targets: readonly Target[];
  readonly rounds: number;
  readonly context: WorkloadContext;
  /** One line of progress. */
  readonly say: (line: string) => void;
}

/** Each round begins with another target, so that none always runs after the same neighbour. */
export function rotated<T>(items: readonly T[], round: number): T[] {
  const shift = items.length === 0 ? 0 : round % items.length;
  return [...items.slice(shift), ...items.slice(0, shift)];
}

/** How the targets are set up where clients come in over TLS or with a password. */
export interface Guard {
  readonly openssl: string;
  readonly certificate: Certificate;
  readonly password: string;
  /** A server of our own for the target `direct` over TLS. */
  readonly tlsServer: BenchNode | null;
}

/** Starts targets and keeps what each agreed on with a client over TLS. */
class Starter {
  readonly handshakes: Record<string, string> = {};

  constructor(private readonly plan: RoundPlan) {}

  readonly start: StartTarget = async (target, clients, access) => {
    const { cluster, guard } = this.plan;
    if (guard === null && (access.encrypted || access.scram)) throw new Error('there is neither certificate nor password');
    const running = await target.start({
      nodes: cluster.nodes, user: cluster.user, database: cluster.database,
      clients: Math.min(clients, target.mostClients),
      certificate: access.encrypted ? guard?.certificate ?? null : null,
      password: access.scram ? guard?.password ?? null : null,
      tlsServer: guard?.tlsServer ?? null,
    });
    if (access.encrypted && guard !== null) await this.noteHandshake(guard.openssl, target.name, running);
    return running;
  };

  private async noteHandshake(openssl: string, name: string, { login }: RunningTarget): Promise<void> {
    if (this.handshakes[name] !== undefined) return;
    const handshake = await probeHandshake(openssl, login.host, login.port);
    this.handshakes[name] = handshake;
    this.plan.say(`${name}: ${handshake}`);
  }
}

/** Runs all rounds: in each, every workload on every target in turn. A failure is a sample, not the end. */
export async function runRounds(plan: RoundPlan): Promise<Rounds> {
  const starter = new Starter(plan);
  const { start } = starter;
  const standing = new StandingTargets(start, 64);
  const samples: Sample[] = [];
  try {
    for (let round = 0; round < plan.rounds; round++) {
      for (const workload of plan.workloads) {
        for (const target of rotated(plan.targets, round)) {
          if (target.name === 'direct' && !workload.suitsDirect) continue;
          if (!target.takes(workload.access)) continue;
          const sample = await measureOnce(plan, round, workload, target, standing, start);
          samples.push(sample);
          plan.say(describe(sample));
        }
      }
    }
  } finally {
    await standing.stopAll();
  }
  return { samples, handshakes: starter.handshakes };
}

async function measureOnce(
  plan: RoundPlan, round: number, workload: Workload, target: Target,
  standing: StandingTargets, start: StartTarget,
): Promise<Sample> {
  const about = { round, workload: workload.name, target: target.name };
  let fresh: RunningTarget | null = null;
  throwIfInterrupted();
  try {
    if (workload.fresh) fresh = await start(target, workload.clients, workload.access);
    const running = fresh ?? (await standing.get(target, workload.access));
    const measurement = await workload.measure(plan.context, target, running);
    return { ...about, measurement, failure: null };
  } catch (error) {
    throwIfInterrupted(); // what failed was stopped by us
    await standing.discard(target, workload.access);
    return { ...about, measurement: null, failure: error instanceof Error ? error.message : String(error) };
  } finally {
    await fresh?.stop();
  }
}

function describe(sample: Sample): string {
  const where = `round ${sample.round + 1} ${sample.workload.padEnd(13)} ${sample.target.padEnd(10)}`;
  if (sample.measurement === null) return `${where} FAILED: ${sample.failure}`;
  const { perSecond, cpuUs, memoryEachBytes } = sample.measurement;
  const parts = [
    perSecond === null ? '' : `${perSecond.toFixed(0)}/s`,
    cpuUs === null ? '' : `${cpuUs.toFixed(1)} µs CPU each`,
    memoryEachBytes === null ? '' : `${(memoryEachBytes / 1000).toFixed(1)} kB each`,
  ];
  return `${where} ${parts.filter((part) => part !== '').join(', ')}`;
}
