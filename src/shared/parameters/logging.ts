/** Where logs go, when something is logged and what. */
import { bool, int, text, words } from './kinds.js';

// Numbers of PostgreSQL's elog.h as Pgpool-II has them; 16 is its internal COMMERROR.
const levels = { debug5: 10, debug4: 11, debug3: 12, debug2: 13, debug1: 14, log: 15, info: 17, notice: 18, warning: 19, error: 20, fatal: 21, panic: 22 };
// syslog(3) keeps the facility in the bits above the three of the priority.
const facilities = { LOCAL0: 128, LOCAL1: 136, LOCAL2: 144, LOCAL3: 152, LOCAL4: 160, LOCAL5: 168, LOCAL6: 176, LOCAL7: 184 };

export const logging = {
  log_destination: text('stderr', { change: 'reload', actedOn: true, meaning: 'where logs go: stderr, syslog, or both with a comma' }),
  logging_collector: bool(false, { change: 'start', actedOn: true, meaning: 'collect standard error into log files' }),
  log_directory: text('/tmp/pgpool_logs', { change: 'reload', actedOn: true, meaning: 'directory of the collected log files' }),
  log_filename: text('pgpool-%Y-%m-%d_%H%M%S.log', { change: 'reload', actedOn: true, meaning: 'pattern (strftime) for the names of log files' }),
  log_file_mode: int(0o600, { change: 'reload', actedOn: true, octal: true, meaning: 'permission bits of log files, in octal' }),
  log_truncate_on_rotation: bool(false, { change: 'reload', actedOn: true, meaning: 'empty an old log file when its name comes round again' }),
  log_rotation_age: int(1440, { change: 'reload', actedOn: true, unit: 'min', meaning: 'start a new log file after this time; 0 is never' }),
  log_rotation_size: int(10240, { change: 'reload', actedOn: true, unit: 'kB', max: 2097151, meaning: 'start a new log file at this size; 0 is never' }),
  syslog_facility: words(facilities, 'LOCAL0', { change: 'reload', actedOn: true, meaning: 'facility of lines sent to syslog' }),
  syslog_ident: text('pgpool', { change: 'reload', actedOn: true, meaning: 'program name of lines sent to syslog' }),
  client_min_messages: words(levels, 'notice', { change: 'session', actedOn: true, aliases: { debug: 'debug2' }, meaning: 'lowest level of messages sent to the client' }),
  log_min_messages: words(levels, 'warning', { change: 'session', actedOn: true, aliases: { debug: 'debug2' }, meaning: 'lowest level of messages written to the log' }),
  log_error_verbosity: words({ terse: 0, default: 1, verbose: 2 }, 'default', { change: 'session', actedOn: true, meaning: 'how much of each message is logged' }),
  log_line_prefix: text('%m: %a pid %p: ', { change: 'reload', actedOn: true, meaning: 'what stands before each line: %a %p %P %t %m %d %u %l %%' }),
  log_connections: bool(false, { change: 'reload', actedOn: true, meaning: 'log every client that connects' }),
  log_disconnections: bool(false, { change: 'reload', actedOn: true, meaning: 'log the end of every session and how long it was' }),
  log_pcp_processes: bool(false, { change: 'reload', actedOn: true, meaning: 'log the begin and end of PCP connections' }),
  log_hostname: bool(false, { change: 'reload', actedOn: true, meaning: 'look up and log the names of client hosts' }),
  log_statement: bool(false, { change: 'session', actedOn: true, meaning: 'log every statement' }),
  log_per_node_statement: bool(false, { change: 'session', actedOn: true, meaning: 'log every statement for each node it goes to' }),
  notice_per_node_statement: bool(false, { change: 'session', actedOn: true, meaning: 'tell the client by NOTICE which node a statement goes to' }),
  log_client_messages: bool(false, { change: 'session', actedOn: true, meaning: 'log every protocol message of the client' }),
  log_backend_messages: words({ none: 1, terse: 2, verbose: 3 }, 'none', { change: 'session', actedOn: true, meaning: 'log protocol messages of servers: none, terse or verbose' }),
  log_standby_delay: words({ always: 1, if_over_threshold: 2, none: 3 }, 'if_over_threshold', { change: 'reload', actedOn: true, meaning: 'when the delay of a standby is logged' }),
};
