/** The settings of pgloom under which random pipelines are played, one after the other by seed. */
import type { PgloomOptions } from '../../support/pgloom.js';

export interface Arrangement {
  /** How many of the stage's nodes pgloom knows. */
  readonly nodes: number;
  readonly settings: NonNullable<PgloomOptions['settings']>;
}

const few = { num_init_children: 32, worker_threads: 1 } as const;

export const arrangements: readonly Arrangement[] = [
  { nodes: 3, settings: { ...few, backend_weight0: 0 } },
  { nodes: 3, settings: { ...few, backend_weight0: 0, disable_load_balance_on_write: 'trans_transaction' } },
  { nodes: 3, settings: { ...few } },
  { nodes: 3, settings: { ...few, backend_weight0: 0, disable_load_balance_on_write: 'always' } },
  { nodes: 1, settings: { ...few } },
];
