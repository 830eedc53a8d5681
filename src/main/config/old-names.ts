/** Keys of older Pgpool-II versions: what they are called today, or why they do nothing. */

/** Old spelling → today's. */
export const renamed: Readonly<Record<string, string>> = {
  delegate_IP: 'delegate_ip',
  logdir: 'work_dir',
  fail_over_on_backend_error: 'failover_on_backend_error',
  socket_dir: 'unix_socket_directories',
  black_function_list: 'write_function_list',
  white_function_list: 'read_only_function_list',
  black_query_pattern_list: 'primary_routing_query_pattern_list',
  black_memqcache_table_list: 'cache_unsafe_memqcache_table_list',
  white_memqcache_table_list: 'cache_safe_memqcache_table_list',
  follow_master_command: 'follow_primary_command',
  ifconfig_path: 'if_cmd_path',
};

/** Keys that together meant what backend_clustering_mode says today. */
export const oldModeKeys: readonly string[] = ['master_slave_mode', 'master_slave_sub_mode'];

const parallel = 'parallel queries were removed in Pgpool-II 3.5';
const since42 = (now: string): string => `since Pgpool-II 4.2 every host is described by ${now} and the file pgpool_node_id`;

/** Keys that do nothing, and why. */
const removed: Readonly<Record<string, string>> = {
  wd_hostname: since42('hostnameN'),
  wd_port: since42('wd_portN'),
  wd_heartbeat_port: since42('heartbeat_portN'),
  debug_level: 'use log_min_messages',
  print_timestamp: 'use log_line_prefix',
  print_user: 'use log_line_prefix',
  allow_inet_domain_socket: 'use listen_addresses',
  parallel_mode: parallel,
  system_db_hostname: parallel,
  system_db_port: parallel,
  system_db_dbname: parallel,
  system_db_schema: parallel,
  system_db_user: parallel,
  system_db_password: parallel,
  pgpool2_hostname: parallel,
  backend_socket_dir: 'a backend_hostnameN that begins with / is a socket directory',
  pcp_timeout: 'it was removed in Pgpool-II 3.5',
};

const removedIndexed: Readonly<Record<string, string>> = {
  other_pgpool_hostname: since42('hostnameN'),
  other_pgpool_port: since42('pgpool_portN'),
  other_wd_port: since42('wd_portN'),
  heartbeat_destination: since42('heartbeat_hostnameN'),
  heartbeat_destination_port: since42('heartbeat_portN'),
};

/** Why a key is accepted but does nothing; null for any other key. */
export function whyIgnored(key: string): string | null {
  if (Object.hasOwn(removed, key)) return removed[key] ?? null;
  const name = key.replace(/\d+$/, '');
  return name !== key && Object.hasOwn(removedIndexed, name) ? (removedIndexed[name] ?? null) : null;
}
