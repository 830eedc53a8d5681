import type { BenchCluster } from './cluster.js';
import { throwIfInterrupted } from './scratch.js';
import type { RunningTarget, Target } from './targets/target.js';
import type { Measurement, Workload, WorkloadContext } from './workloads/workload.js';

/** One workload on one target in one round: what was measured, or why not. */
export interface Sample {
  readonly round: number;
  readonly workload: string;
  readonly target: string;
  readonly measurement: Measurement | null;
  readonly failure: string | null;
}

/** Everything a series of rounds works on. */
export interface RoundPlan {
  readonly cluster: BenchCluster;
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

/** Targets that stay up from workload to workload, started when first needed. */
class StandingTargets {
  private readonly running = new Map<string, RunningTarget>();
  private readonly start: (target: Target, clients: number) => Promise<RunningTarget>;
  private readonly clients: number;

  constructor(start: (target: Target, clients: number) => Promise<RunningTarget>, clients: number) {
    this.start = start;
    this.clients = clients;
  }

  async get(target: Target): Promise<RunningTarget> {
    let found = this.running.get(target.name);
    if (found === undefined) {
      found = await this.start(target, this.clients);
      this.running.set(target.name, found);
    }
    return found;
  }

  /** After a failure the target may be in any state: the next one who asks gets a new one. */
  async discard(target: Target): Promise<void> {
    const found = this.running.get(target.name);
    this.running.delete(target.name);
    await found?.stop();
  }

  async stopAll(): Promise<void> {
    for (const target of this.running.values()) await target.stop();
    this.running.clear();
  }
}

/** Runs all rounds: in each, every workload on every target in turn. A failure is a sample, not the end. */
export async function runRounds(plan: RoundPlan): Promise<Sample[]> {
  const { cluster } = plan;
  const start = (target: Target, clients: number): Promise<RunningTarget> =>
    target.start({
      nodes: cluster.nodes, user: cluster.user, database: cluster.database,
      clients: Math.min(clients, target.mostClients),
    });
  const standing = new StandingTargets(start, 64);
  const samples: Sample[] = [];
  try {
    for (let round = 0; round < plan.rounds; round++) {
      for (const workload of plan.workloads) {
        for (const target of rotated(plan.targets, round)) {
          if (target.name === 'direct' && !workload.suitsDirect) continue;
          const sample = await measureOnce(plan, round, workload, target, standing, start);
          samples.push(sample);
          plan.say(describe(sample));
        }
      }
    }
  } finally {
    await standing.stopAll();
  }
  return samples;
}

async function measureOnce(
  plan: RoundPlan, round: number, workload: Workload, target: Target,
  standing: StandingTargets, start: (target: Target, clients: number) => Promise<RunningTarget>,
): Promise<Sample> {
  const about = { round, workload: workload.name, target: target.name };
  let fresh: RunningTarget | null = null;
  throwIfInterrupted();
  try {
    if (workload.fresh) fresh = await start(target, workload.clients);
    const running = fresh ?? (await standing.get(target));
    const measurement = await workload.measure(plan.context, target, running);
    return { ...about, measurement, failure: null };
  } catch (error) {
    throwIfInterrupted(); // what failed was stopped by us
    await standing.discard(target);
    return { ...about, measurement: null, failure: error instanceof Error ? error.message : String(error) };
  } finally {
    await fresh?.stop();
  }
}

function describe(sample: Sample): string {
  const where = `round ${sample.round + 1} ${sample.workload.padEnd(9)} ${sample.target.padEnd(10)}`;
  if (sample.measurement === null) return `${where} FAILED: ${sample.failure}`;
  const { perSecond, cpuUs, memoryEachBytes } = sample.measurement;
  const parts = [
    perSecond === null ? '' : `${perSecond.toFixed(0)}/s`,
    cpuUs === null ? '' : `${cpuUs.toFixed(1)} µs CPU each`,
    memoryEachBytes === null ? '' : `${(memoryEachBytes / 1000).toFixed(1)} kB each`,
  ];
  return `${where} ${parts.filter((part) => part !== '').join(', ')}`;
}
