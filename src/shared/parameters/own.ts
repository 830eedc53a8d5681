/** What pgloom adds to Pgpool-II's parameters. */
import { int, words } from './kinds.js';

export const own = {
  worker_threads: int(0, { change: 'start', actedOn: true, max: 1024, meaning: 'threads that serve clients; 0 is one for each CPU' }),
  log_format: words({ text: 1, json: 2 }, 'text', { change: 'start', actedOn: true, meaning: 'text: lines with log_line_prefix; json: an object for each line' }),
};
