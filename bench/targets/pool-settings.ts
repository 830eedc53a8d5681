import type { Setup } from './target.js';

/** The lines that pgloom and Pgpool-II read alike, so that both are measured with the same settings. */
export function poolSettings(setup: Setup, port: number, pcpPort: number): string[] {
  const balance = setup.nodes.length > 1;
  const lines = [
    "listen_addresses = '127.0.0.1'",
    `port = ${port}`,
    "pcp_listen_addresses = '127.0.0.1'",
    `pcp_port = ${pcpPort}`,
    `num_init_children = ${setup.clients + 6}`,
    'max_pool = 4',
    'child_life_time = 0',
    'authentication_timeout = 600',
    "backend_clustering_mode = 'streaming_replication'",
    `load_balance_mode = ${balance ? 'on' : 'off'}`,
    'sr_check_period = 0', // no delay checks while measuring
    `sr_check_user = '${setup.user}'`,
    "sr_check_database = 'postgres'",
    'health_check_period = 0',
    'memory_cache_enabled = off',
    'enable_pool_hba = off',
    "pool_passwd = ''",
    'log_connections = off',
    'log_statement = off',
  ];
  for (const [index, node] of setup.nodes.entries()) {
    lines.push(
      `backend_hostname${index} = '${node.host}'`,
      `backend_port${index} = ${node.port}`,
      `backend_weight${index} = 1`,
    );
  }
  return lines;
}
