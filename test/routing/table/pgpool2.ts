/** Debian's Pgpool-II in front of the shared cluster, to be asked where it sends a statement. */
import { type Pgpool2, type Pgpool2Options, startPgpool2 } from '../../support/pgpool2.js';

/** All reads go to node 1, and a line of the log tells the node of each statement. The settings come over those of this. */
export function startLoggingPgpool2(settings: Pgpool2Options['settings'] = {}): Promise<Pgpool2> {
  return startPgpool2({
    settings: {
      num_init_children: 8, max_pool: 2, load_balance_mode: true, backend_weight0: 0, backend_weight1: 1, backend_weight2: 0,
      log_per_node_statement: true, log_line_prefix: '%a|', ...settings,
    },
  });
}

/** The lines that a session with this application_name has caused, from a byte of the log on. */
export function logLines(pgpool2: Pgpool2, application: string, fromByte = 0): string[] {
  return pgpool2.logFrom(fromByte).split('\n').filter((line) => line.startsWith(`${application}|`)).map((line) => line.slice(application.length + 1));
}
