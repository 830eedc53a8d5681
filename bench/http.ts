/**
 * `node dist/bench/http.js`: an HTTP service with the `pg` driver behind each target, driven by autocannon.
 * Workloads: read (GET), write (POST); the flags are those of `npm run bench`.
 */
import { runSeries } from './series.js';
import { chooseFrom } from './workloads/all.js';
import { httpLoad } from './workloads/http-load.js';

/** Rows that pgbench makes for each unit of its scale (pgbench.c, naccounts). */
const accountsPerScale = 100_000;

await runSeries({
  command: 'node dist/bench/http.js',
  workloads: (options) => {
    const accounts = options.scale * accountsPerScale;
    return chooseFrom([httpLoad('read', 'GET', accounts), httpLoad('write', 'POST', accounts)], options.workloads);
  },
});
