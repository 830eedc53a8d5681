/** Where reports about the running pgloom come from: the same objects in the primary thread and in a worker. */
import type { ChildTable } from '../memory/child-table.js';
import type { HealthTable } from '../memory/health-table.js';
import type { NodeTable } from '../memory/node-table.js';
import type { WorkerTable } from '../memory/worker-table.js';
import type { Settings } from '../settings.js';

export interface ReportSources {
  readonly settings: Settings;
  readonly nodes: NodeTable;
  readonly children: ChildTable;
  readonly workers: WorkerTable;
  readonly health: HealthTable;
}
