import type { Random } from '../fuzz/grammar.js';
import type { Sightings } from './sightings.js';
import type { Session } from './session.js';

/** What a scenario has at hand. */
export interface Setting {
  readonly session: Session;
  readonly random: Random;
  /** What all sessions have seen of the rows that only grow, in this database. */
  readonly sightings: Sightings;
}

/** Something a client does; the session is as it was before when it ends. */
export type Scenario = (setting: Setting) => Promise<void>;

/** A whole number in [0, below). */
export function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}
