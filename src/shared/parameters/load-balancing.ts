/** Which reads leave the primary. */
import { bool, float, int, regexList, text, words } from './kinds.js';

export const loadBalancing = {
  load_balance_mode: bool(true, { change: 'start', actedOn: true, meaning: 'share reads between the nodes' }),
  ignore_leading_white_space: bool(true, { change: 'reload', actedOn: true, meaning: 'statements that begin with white space are balanced too' }),
  read_only_function_list: regexList({ change: 'reload', actedOn: true, meaning: 'functions that do not write (patterns); all others do' }),
  write_function_list: regexList({ change: 'reload', actedOn: true, meaning: 'functions that write (patterns); all others do not' }),
  primary_routing_query_pattern_list: regexList({ change: 'reload', actedOn: true, separator: ';', meaning: 'statements (patterns) that always go to the primary' }),
  user_redirect_preference_list: text('', { change: 'reload', actedOn: true, meaning: 'node for reads by user: pattern:node(ratio), …' }),
  database_redirect_preference_list: text('', { change: 'reload', actedOn: true, meaning: 'node for reads by database: pattern:node(ratio), …' }),
  app_name_redirect_preference_list: text('', { change: 'reload', actedOn: true, meaning: 'node for reads by application_name: pattern:node(ratio), …' }),
  allow_sql_comments: bool(false, { change: 'session', actedOn: true, meaning: 'statements that begin with a comment are balanced too' }),
  disable_load_balance_on_write: words(
    { off: 1, transaction: 2, trans_transaction: 3, always: 4, dml_adaptive: 5, dml_adaptive_global: 6 },
    'transaction',
    { change: 'reload', actedOn: true, meaning: 'how long reads stay on the primary after a write' },
  ),
  dml_adaptive_object_relationship_list: text('', { change: 'reload', actedOn: true, meaning: 'dml_adaptive: object:object pairs that depend on each other' }),
  statement_level_load_balance: bool(false, { change: 'reload', actedOn: true, meaning: 'choose the node for each statement, not for each session' }),
  track_table_mutation_ttl_factor: float(5, { change: 'reload', actedOn: true, min: 1, max: 100, meaning: 'dml_adaptive_global: a table is stale for delay times this' }),
  track_table_mutation_max_staleness: int(60_000, { change: 'reload', actedOn: true, unit: 'ms', max: 3_600_000, meaning: 'dml_adaptive_global: longest stale time; 0 is no limit' }),
  track_table_mutation_cold_start_duration: int(2000, { change: 'reload', actedOn: true, unit: 'ms', max: 60_000, meaning: 'dml_adaptive_global: all to the primary this long after start' }),
  track_table_mutation_table_buckets: int(1024, { change: 'start', min: 64, max: 65_536, meaning: 'dml_adaptive_global: hash buckets' }),
  track_table_mutation_table_size: int(2048, { change: 'start', actedOn: true, min: 128, max: 131_072, meaning: 'dml_adaptive_global: how many tables are tracked' }),
};
