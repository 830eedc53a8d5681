/**
 * `npm run bench`: pgbench and a few loads of our own against pgloom, its peers and the server itself.
 * Flags: see options.ts.
 */
import { runSeries } from './series.js';
import { chooseWorkloads } from './workloads/all.js';

await runSeries({
  command: 'npm run bench --',
  workloads: (options) => chooseWorkloads(options.workloads),
});
