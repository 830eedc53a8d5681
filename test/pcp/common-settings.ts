/** Settings that pgloom and Debian's Pgpool-II 4.3 both have, with the same names. */
import type { Pgpool2Options } from '../support/pgpool2.js';

export function commonSettings(nodeCount: number): NonNullable<Pgpool2Options['settings']> {
  return {
    num_init_children: 4, max_pool: 3, backend_clustering_mode: 'streaming_replication', load_balance_mode: true,
    sr_check_period: 1, sr_check_user: 'postgres', health_check_period: 1, health_check_user: 'postgres',
    // The defaults of some differ.
    failover_on_backend_error: false, failover_on_backend_shutdown: false,
    wd_lifecheck_user: 'nobody', enable_pool_hba: false, log_pcp_processes: true,
    ...Object.fromEntries(Array.from({ length: nodeCount }, (_, id) => [
      [`backend_weight${id}`, id + 1], [`backend_application_name${id}`, `server${id}`], [`backend_flag${id}`, 'ALLOW_TO_FAILOVER'],
      [`backend_data_directory${id}`, `/data${id}`],
    ] as const).flat()),
  };
}
