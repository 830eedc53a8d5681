import type { Figure, Summary } from './summary.js';

/** One figure to reach: pgloom's own, or its ratio to a peer. */
interface Goal {
  readonly workload: string;
  /** null = the figure itself, in its own unit. */
  readonly peer: string | null;
  readonly figure: Figure;
  readonly kind: 'atLeast' | 'atMost';
  readonly limit: number;
}

const rateGoals: readonly Goal[] = Object.entries({ simple: 1.5, extended: 2.5, prepared: 1.7, many: 2, connect: 5 })
  .flatMap(([workload, limit]): Goal[] => [
    { workload, peer: 'pgpool2', figure: 'perSecond', kind: 'atLeast', limit },
    { workload, peer: 'pgpool2', figure: 'cpuUs', kind: 'atMost', limit: 0.5 },
  ]);

const bouncerGoals: readonly Goal[] = ['simple', 'extended', 'prepared'].flatMap((workload): Goal[] => [
  { workload, peer: 'pgbouncer', figure: 'cpuUs', kind: 'atMost', limit: 1.4 },
  { workload, peer: null, figure: 'cpuUserUs', kind: 'atMost', limit: 8 },
]);

/** What issue 5 asks for; the CPU against PgBouncer is reported and has no goal. */
const tlsGoals: readonly Goal[] = Object.entries({ 'tls-simple': 1.5, 'tls-prepared': 1.5, 'tls-connect': 2 })
  .map(([workload, limit]) => ({ workload, peer: 'pgpool2', figure: 'perSecond', kind: 'atLeast', limit }));

/** What issues 2 and 5 ask for on a two-core machine. */
const goals: readonly Goal[] = [
  ...rateGoals,
  ...bouncerGoals,
  ...tlsGoals,
  { workload: 'connect', peer: 'pgbouncer', figure: 'perSecond', kind: 'atLeast', limit: 0.5 },
  { workload: 'silent', peer: null, figure: 'memoryEachBytes', kind: 'atMost', limit: 20_000 },
  { workload: 'idle', peer: null, figure: 'memoryEachBytes', kind: 'atMost', limit: 60_000 },
];

const figureNames: Readonly<Partial<Record<Figure, string>>> = {
  perSecond: 'rate', cpuUs: 'CPU each', cpuUserUs: 'user µs each', memoryEachBytes: 'bytes each',
};

/** A goal held against what was measured. */
export interface Verdict {
  readonly text: string;
  readonly measured: number;
  readonly reached: boolean;
}

/** Judges the goals whose figures were measured. */
export function judge(summaries: readonly Summary[], subject: string): Verdict[] {
  const verdicts: Verdict[] = [];
  for (const goal of goals) {
    const row = summaries.find((each) => each.workload === goal.workload && each.target === (goal.peer ?? subject));
    const measured = goal.peer === null ? row?.median[goal.figure] : row?.subjectRatio[goal.figure];
    if (measured === undefined || measured === null) continue;
    const reached = goal.kind === 'atLeast' ? measured >= goal.limit : measured <= goal.limit;
    const bound = goal.kind === 'atLeast' ? 'at least' : 'at most';
    const against = goal.peer === null ? '' : ` against ${goal.peer}`;
    const unit = goal.peer === null ? '' : 'x';
    const text = `${goal.workload}: ${figureNames[goal.figure] ?? goal.figure}${against} ${bound} ${goal.limit}${unit}`;
    verdicts.push({ text, measured, reached });
  }
  return verdicts;
}
