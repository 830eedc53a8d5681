/** What pgloom adds to Pgpool-II's parameters. */
import { ownAuthentication } from './authentication.js';
import { int, list, words } from './kinds.js';

export const own = {
  worker_threads: int(0, { change: 'start', actedOn: true, max: 1024, meaning: 'threads that serve clients; 0 is one for each CPU' }),
  ...ownAuthentication,
  pcp_client_version: words({ '4.3': 1, '4.4': 2 }, '4.3', { change: 'reload', actedOn: true, meaning: 'node info for pcp_* up to 4.3 (12 fields), or from 4.4 on (13 fields)' }),
  http_listen_addresses: list(['localhost'], { change: 'start', actedOn: true, meaning: 'hosts or addresses for metrics and the status page; as listen_addresses' }),
  http_port: int(0, { change: 'start', actedOn: true, max: 65535, meaning: 'TCP port for metrics and the status page; 0 is none' }),
  http_authentication: words({ none: 1, pcp: 2 }, 'none', { change: 'reload', actedOn: true, meaning: 'who may see metrics and status page: everybody, or users of pcp.conf' }),
  pcp_sql_users: list([], { change: 'reload', actedOn: true, meaning: 'database users that may administer by SQL functions without a password' }),
  log_format: words({ text: 1, json: 2 }, 'text', { change: 'start', actedOn: true, meaning: 'text: lines with log_line_prefix; json: an object for each line' }),
};
