/** SHOW POOL_STATUS: the parameters as rows, in Pgpool-II's order and formats. */
import { type Backend, normalizedWeights, type Settings } from '../settings.js';
import { integerText } from './format.js';
import type { Parameter, Value } from './kinds.js';
import { indexedParameters, scalarParameters } from './table.js';

export type StatusRow = [name: string, value: string, description: string];

/** What the settings do not know: the state of the nodes now. */
export interface LiveNodes {
  /** Number of the state, as in the node table. */
  nodeStatus(id: number): number;
  /** Bytes, or seconds when the delay is measured in time. */
  standbyDelay(id: number): number;
}

const valueBytes = 511;
const descriptionBytes = 79;

/** The parameters before the watchdog's nodes, in Pgpool-II's order; not all parameters are among them. */
const beforeNodes: readonly (keyof typeof scalarParameters)[] = [
  'backend_clustering_mode', 'listen_addresses', 'port', 'unix_socket_directories', 'unix_socket_group', 'unix_socket_permissions',
  'pcp_listen_addresses', 'pcp_port', 'pcp_socket_dir', 'enable_pool_hba', 'pool_passwd', 'authentication_timeout',
  'allow_clear_text_frontend_auth', 'ssl', 'ssl_key', 'ssl_cert', 'ssl_ca_cert', 'ssl_ca_cert_dir', 'ssl_crl_file', 'ssl_ciphers',
  'ssl_prefer_server_ciphers', 'ssl_ecdh_curve', 'ssl_dh_params_file', 'ssl_passphrase_command', 'listen_backlog_multiplier',
  'serialize_accept', 'reserved_connections', 'max_pool', 'process_management_mode', 'process_management_strategy', 'num_init_children',
  'min_spare_children', 'max_spare_children', 'child_life_time', 'child_max_connections', 'connection_life_time', 'client_idle_limit',
  'log_destination', 'log_line_prefix', 'log_error_verbosity', 'client_min_messages', 'log_min_messages', 'log_connections',
  'log_disconnections', 'log_pcp_processes', 'log_hostname', 'log_statement', 'log_per_node_statement', 'notice_per_node_statement',
  'log_client_messages', 'log_backend_messages', 'log_standby_delay', 'syslog_facility', 'syslog_ident', 'pid_file_name', 'work_dir',
  'connection_cache', 'reset_query_list', 'replicate_select', 'insert_lock', 'lobj_lock_table', 'replication_stop_on_mismatch',
  'failover_if_affected_tuples_mismatch', 'load_balance_mode', 'ignore_leading_white_space', 'read_only_function_list',
  'write_function_list', 'primary_routing_query_pattern_list', 'disable_load_balance_on_write', 'dml_adaptive_object_relationship_list',
  'statement_level_load_balance', 'sr_check_period', 'sr_check_user', 'sr_check_password', 'sr_check_database', 'delay_threshold',
  'delay_threshold_by_time', 'prefer_lower_delay_standby', 'follow_primary_command', 'user_redirect_preference_list',
  'database_redirect_preference_list', 'app_name_redirect_preference_list', 'allow_sql_comments', 'health_check_period',
  'health_check_timeout', 'health_check_user', 'health_check_password', 'health_check_database', 'health_check_max_retries',
  'health_check_retry_delay', 'connect_timeout', 'failover_command', 'failback_command', 'failover_on_backend_error',
  'failover_on_backend_shutdown', 'detach_false_primary', 'auto_failback', 'auto_failback_interval', 'recovery_user', 'recovery_database',
  'recovery_1st_stage_command', 'recovery_2nd_stage_command', 'recovery_timeout', 'search_primary_node_timeout',
  'client_idle_limit_in_recovery', 'relcache_expire', 'relcache_size', 'check_temp_table', 'check_unlogged_table', 'enable_shared_relcache',
  'relcache_query_target', 'use_watchdog', 'wd_ipc_socket_dir', 'wd_lifecheck_method', 'clear_memqcache_on_escalation',
  'wd_escalation_command', 'wd_de_escalation_command', 'trusted_servers', 'trusted_server_command', 'delegate_ip', 'wd_priority',
  'wd_interval', 'ping_path', 'if_cmd_path', 'if_up_cmd', 'if_down_cmd', 'arping_path', 'arping_cmd', 'wd_heartbeat_keepalive',
  'wd_heartbeat_deadtime', 'wd_life_point', 'wd_lifecheck_query', 'wd_lifecheck_dbname', 'wd_lifecheck_user',
];

const afterNodes: readonly (keyof typeof scalarParameters)[] = [
  'wd_monitoring_interfaces_list', 'memory_cache_enabled', 'memqcache_method', 'memqcache_memcached_host', 'memqcache_memcached_port',
  'memqcache_total_size', 'memqcache_max_num_cache', 'memqcache_expire', 'memqcache_auto_cache_invalidation', 'memqcache_maxcache',
  'memqcache_cache_block_size',
];

/** Booleans and words as integers, numbers in their unit, secrets not at all. */
function statusValue(parameter: Parameter, value: Value): string {
  if (parameter.secret === true) return '';
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (typeof value === 'number') {
    if (parameter.type === 'float') return value.toFixed(6);
    return 'octal' in parameter ? `0${value.toString(8).padStart(3, '0')}` : integerText(value);
  }
  if (typeof value !== 'string') return value.join('separator' in parameter ? parameter.separator : ',');
  return parameter.type === 'enum' ? String(parameter.words[value] ?? value) : value;
}

/** Cuts at a character so that the UTF-8 form has at most `bytes` bytes: PCP's readers have buffers of that size. */
function cut(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  const utf8 = Buffer.from(text);
  let end = bytes;
  while (end > 0 && ((utf8[end] ?? 0) & 0xc0) === 0x80) end--;
  return utf8.toString('utf8', 0, end);
}

function scalarRow(settings: Settings, name: keyof typeof scalarParameters, shownAs: string = name): StatusRow {
  const parameter: Parameter = scalarParameters[name];
  // The one enum that Pgpool-II shows as a word.
  const value = name === 'syslog_facility' ? settings[name] : statusValue(parameter, settings[name]);
  return [shownAs, value, parameter.meaning];
}

function watchdogRows(settings: Settings): StatusRow[] {
  const { watchdog: node, heartbeat: beat } = indexedParameters;
  return [
    ...settings.watchdogNodes.flatMap(({ id, hostname, pgpool_port, wd_port }): StatusRow[] => [
      [`hostname${id}`, hostname, node.hostname.meaning],
      [`pgpool_port${id}`, String(pgpool_port), node.pgpool_port.meaning],
      [`wd_port${id}`, String(wd_port), node.wd_port.meaning],
    ]),
    ...settings.heartbeatNodes.flatMap(({ id, hostname, device, port }): StatusRow[] => [
      [`heartbeat_hostname${id}`, hostname, beat.heartbeat_hostname.meaning],
      [`heartbeat_device${id}`, device, beat.heartbeat_device.meaning],
      [`heartbeat_port${id}`, String(port), beat.heartbeat_port.meaning],
    ]),
  ];
}

/** Rows that tell about the query cache; it is not acted on yet, so nothing has been counted. */
function cacheRows(settings: Settings): StatusRow[] {
  return [
    scalarRow(settings, 'memqcache_oiddir', 'memqcache_cache_oiddir'),
    ['memqcache_stats_start_time', '', 'since when the query cache counts'],
    ['memqcache_no_cache_hits', '0', 'reads that the query cache could not answer'],
    ['memqcache_cache_hits', '0', 'reads that the query cache answered'],
    scalarRow(settings, 'cache_safe_memqcache_table_list'),
    scalarRow(settings, 'cache_unsafe_memqcache_table_list'),
  ];
}

/** The flags of a node as they are written in backend_flagN. */
export function flagText(backend: Backend): string {
  return `${backend.allowToFailover ? '' : 'DIS'}ALLOW_TO_FAILOVER${backend.alwaysPrimary ? '|ALWAYS_PRIMARY' : ''}`;
}

/** The numbers of the node table. */
const stateWords = ['unused', 'waiting', 'up', 'down'];

function backendRows(settings: Settings, live: LiveNodes): StatusRow[] {
  const weights = normalizedWeights(settings.backends);
  const table = indexedParameters.backend;
  return settings.backends.flatMap((backend): StatusRow[] => [
    [`backend_hostname${backend.id}`, backend.hostname, table.backend_hostname.meaning],
    [`backend_port${backend.id}`, String(backend.port), table.backend_port.meaning],
    [`backend_weight${backend.id}`, (weights.get(backend.id) ?? 0).toFixed(6), table.backend_weight.meaning],
    [`backend_data_directory${backend.id}`, backend.data_directory, table.backend_data_directory.meaning],
    [`backend_status${backend.id}`, stateWords[live.nodeStatus(backend.id)] ?? '', 'state of the node: waiting, up or down'],
    [`standby_delay${backend.id}`, String(live.standbyDelay(backend.id)), 'how far the standby is behind'],
    [`backend_flag${backend.id}`, flagText(backend), table.backend_flag.meaning],
    [`backend_application_name${backend.id}`, backend.application_name, table.backend_application_name.meaning],
  ]);
}

/** The rows of SHOW POOL_STATUS and pcp_pool_status; pgloom's own parameters come last. */
export function poolStatusRows(settings: Settings, live: LiveNodes): StatusRow[] {
  const rows = [
    ...beforeNodes.map((name) => scalarRow(settings, name)),
    ...watchdogRows(settings),
    ...afterNodes.map((name) => scalarRow(settings, name)),
    ...cacheRows(settings),
    ...backendRows(settings, live),
    scalarRow(settings, 'worker_threads'),
    scalarRow(settings, 'log_format'),
    scalarRow(settings, 'pcp_client_version'),
  ];
  return rows.map(([name, value, description]) => [name, cut(value, valueBytes), cut(description, descriptionBytes)]);
}
