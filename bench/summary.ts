import type { Sample } from './rounds.js';
import type { Measurement } from './workloads/workload.js';

/** The figures of a measurement that are numbers. */
export type Figure = Exclude<keyof Measurement, 'note'>;

const figures: readonly Figure[] = [
  'perSecond', 'cpuUserUs', 'cpuSystemUs', 'cpuUs', 'clientCpuUs', 'p50Us', 'p95Us', 'p99Us', 'memoryBytes', 'memoryEachBytes',
];

/** Medians over the rounds of one workload on one target. */
export interface Summary {
  readonly workload: string;
  readonly target: string;
  readonly rounds: number;
  readonly failures: readonly string[];
  readonly median: Measurement;
  /** The subject's figure over this target's, taken within a round, then the median; only where both were measured. */
  readonly subjectRatio: Readonly<Partial<Record<Figure, number>>>;
}

/** The middle of some numbers (the mean of the two in the middle); null for none. */
export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
  return (upper + lower) / 2;
}

function medianOf(measurements: readonly Measurement[]): Measurement {
  const of = (figure: Figure): number | null =>
    median(measurements.map((each) => each[figure]).filter((value) => value !== null));
  return {
    perSecond: of('perSecond'), cpuUserUs: of('cpuUserUs'), cpuSystemUs: of('cpuSystemUs'), cpuUs: of('cpuUs'), clientCpuUs: of('clientCpuUs'),
    p50Us: of('p50Us'), p95Us: of('p95Us'), p99Us: of('p99Us'),
    memoryBytes: of('memoryBytes'), memoryEachBytes: of('memoryEachBytes'),
    note: measurements.find((each) => each.note !== null)?.note ?? null,
  };
}

/** Ratios within each round, so that a disturbance of the machine hits both sides; then their median. */
function ratios(subject: readonly Sample[], peer: readonly Sample[]): Partial<Record<Figure, number>> {
  const result: Partial<Record<Figure, number>> = {};
  for (const figure of figures) {
    const perRound: number[] = [];
    for (const sample of subject) {
      const other = peer.find((candidate) => candidate.round === sample.round);
      const above = sample.measurement?.[figure] ?? null;
      const below = other?.measurement?.[figure] ?? null;
      if (above !== null && below !== null && below > 0) perRound.push(above / below);
    }
    const middle = median(perRound);
    if (middle !== null) result[figure] = middle;
  }
  return result;
}

/** Sums the samples up, workload by workload; `subject` is the target whose ratios to the others are asked for. */
export function summarize(samples: readonly Sample[], targets: readonly string[], subject: string): Summary[] {
  const summaries: Summary[] = [];
  for (const workload of new Set(samples.map((sample) => sample.workload))) {
    const ofWorkload = samples.filter((sample) => sample.workload === workload);
    const ofSubject = ofWorkload.filter((sample) => sample.target === subject);
    for (const target of targets) {
      const own = ofWorkload.filter((sample) => sample.target === target);
      if (own.length === 0) continue;
      const measured = own.map((sample) => sample.measurement).filter((value) => value !== null);
      summaries.push({
        workload,
        target,
        rounds: measured.length,
        failures: own.map((sample) => sample.failure).filter((value) => value !== null),
        median: medianOf(measured),
        subjectRatio: target === subject ? {} : ratios(ofSubject, own),
      });
    }
  }
  return summaries;
}
