import type { BenchOptions } from '../options.js';
import { directTarget } from './direct.js';
import { pgbouncerTarget } from './pgbouncer.js';
import { pgloomTarget } from './pgloom.js';
import { pgpool2Target } from './pgpool2.js';
import type { Target } from './target.js';

/** What was chosen, and why the rest is left out. */
export interface TargetChoice {
  readonly targets: readonly Target[];
  readonly skipped: readonly string[];
}

/**
 * The targets to measure, in the order of the report.
 * @throws Error when a name asked for is none of the known ones.
 */
export function chooseTargets(options: BenchOptions, serverVersion: string): TargetChoice {
  const variants = options.threads.map((threads) => {
    const name = options.threads.length === 1 ? 'pgloom' : `pgloom-${threads === 0 ? 'auto' : threads}t`;
    return { family: 'pgloom', target: pgloomTarget(threads, name) };
  });
  const known = [
    { family: 'direct', target: directTarget(serverVersion, options.server === null) },
    { family: 'pgbouncer', target: pgbouncerTarget() },
    { family: 'pgpool2', target: pgpool2Target() },
    ...variants,
  ];
  const families = options.targets.length > 0 ? options.targets : known.map((entry) => entry.family);
  for (const name of families) {
    if (!known.some((entry) => entry.family === name)) throw new Error(`--targets: there is no target "${name}"`);
  }
  const targets: Target[] = [];
  const skipped: string[] = [];
  for (const { family, target } of known) {
    if (!families.includes(family)) continue;
    const unbalanced = options.balanced && (family === 'direct' || family === 'pgbouncer');
    const reason = unbalanced ? 'does not spread reads over nodes (--balanced)' : target.missing();
    if (reason === null) targets.push(target);
    else skipped.push(`${target.name}: ${reason}`);
  }
  return { targets, skipped };
}
