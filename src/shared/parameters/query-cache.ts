/** The query cache, and the relation cache (what is known about tables and functions). */
import { bool, int, int64, regexList, text, words } from './kinds.js';

export const queryCache = {
  memory_cache_enabled: bool(false, { change: 'start', meaning: 'cache the results of reads' }),
  memqcache_method: words({ shmem: 1, memcached: 2 }, 'shmem', { change: 'start', meaning: 'where results are cached: shmem or memcached' }),
  memqcache_memcached_host: text('localhost', { change: 'start', meaning: 'host or Unix socket of memcached' }),
  memqcache_memcached_port: int(11211, { change: 'start', meaning: 'port of memcached' }),
  memqcache_total_size: int64(67_108_864, { change: 'start', unit: 'B', meaning: 'size of the cache' }),
  memqcache_max_num_cache: int(1_000_000, { change: 'start', meaning: 'most results in the cache' }),
  memqcache_expire: int(0, { change: 'start', unit: 's', meaning: 'how long a result lives; 0 is without end' }),
  memqcache_auto_cache_invalidation: bool(true, { change: 'reload', meaning: 'forget results when their tables change' }),
  memqcache_maxcache: int(409_600, { change: 'start', unit: 'B', meaning: 'largest result that is cached' }),
  memqcache_cache_block_size: int(1_048_576, { change: 'start', unit: 'B', min: 512, meaning: 'size of a block of the cache' }),
  memqcache_oiddir: text('/var/log/pgpool/oiddir', { change: 'start', meaning: 'directory that tells which results belong to a table' }),
  cache_safe_memqcache_table_list: regexList({ change: 'reload', meaning: 'views and unlogged tables (patterns) that may be cached' }),
  cache_unsafe_memqcache_table_list: regexList({ change: 'reload', meaning: 'tables (patterns) that are never cached' }),
  relcache_expire: int64(0, { change: 'start', actedOn: true, unit: 's', meaning: 'how long facts about a relation hold; 0 is without end' }),
  relcache_size: int(256, { change: 'start', actedOn: true, meaning: 'relations remembered by each worker, for each kind of fact' }),
  relcache_query_target: words({ primary: 1, load_balance_node: 2 }, 'primary', { change: 'reload', actedOn: true, meaning: 'node that is asked for facts about relations' }),
  enable_shared_relcache: bool(true, { change: 'start', actedOn: true, meaning: 'share facts about relations between workers' }),
  // on(4) and off(5) are older spellings; they become the word that they mean.
  check_temp_table: words({ catalog: 1, trace: 2, none: 3 }, 'catalog', { change: 'reload', actedOn: true, aliases: { on: 'catalog', off: 'none' }, meaning: 'how temporary tables are recognized' }),
  check_unlogged_table: bool(true, { change: 'session', actedOn: true, meaning: 'look whether a table is unlogged' }),
};
