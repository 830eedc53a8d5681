/** Checks that concern more than one parameter, or a parameter as a whole. */
import { logDestinations } from '../../shared/log-destination.js';
import { parseObjectRelationships } from '../../shared/routing/object-relationships.js';
import { redirectFaults } from '../../shared/routing/redirect-list.js';
import type { Settings } from '../../shared/settings.js';
import type { ConfigIssue, Place } from './errors.js';

/** Where a key was set; line 0 when it has its default. */
export type Locate = (key: string) => Place;
type Found = { readonly key: string; readonly message: string };
type Check = (settings: Settings) => Found[];

const clusteringMode: Check = ({ backend_clustering_mode: mode }) =>
  mode === 'streaming_replication' || mode === 'raw' ? [] : [{ key: 'backend_clustering_mode', message: `${mode} is not supported yet; streaming_replication and raw are` }];

const watchdog: Check = (settings) => {
  const { use_watchdog, pgpoolNodeId, watchdogNodes } = settings;
  if (!use_watchdog || pgpoolNodeId === -1 || watchdogNodes.some(({ id }) => id === pgpoolNodeId)) return [];
  return [{ key: `wd_port${pgpoolNodeId}`, message: `use_watchdog is on and pgpool_node_id says ${pgpoolNodeId}, so wd_port${pgpoolNodeId} must be set` }];
};

const heartbeat: Check = ({ wd_lifecheck_method, heartbeatNodes }) =>
  wd_lifecheck_method !== 'heartbeat'
    ? []
    : heartbeatNodes.filter(({ hostname }) => hostname === '').map(({ id }) => ({ key: `heartbeat_port${id}`, message: `heartbeat_hostname${id} must be set too` }));

const recoveryCommands: Check = (settings) => {
  const key = (['recovery_1st_stage_command', 'recovery_2nd_stage_command'] as const).find((name) => settings[name] !== '');
  if (key === undefined) return [];
  return settings.backends.filter(({ data_directory }) => data_directory === '').map(({ id }) => ({ key, message: `it needs backend_data_directory${id}` }));
};

const oldReplicationMode: Check = ({ replication_mode, failover_when_quorum_exists }) =>
  replication_mode && failover_when_quorum_exists ? [{ key: 'replication_mode', message: 'replication_mode = on needs failover_when_quorum_exists = off' }] : [];

const spareChildren: Check = ({ process_management_mode, min_spare_children: min, max_spare_children: max, num_init_children: all }) => {
  if (process_management_mode !== 'dynamic') return [];
  const found: Found[] = [];
  if (min >= max) found.push({ key: 'min_spare_children', message: `min_spare_children (${min}) must be less than max_spare_children (${max})` });
  if (max > all) found.push({ key: 'max_spare_children', message: `max_spare_children (${max}) must not be greater than num_init_children (${all})` });
  return found;
};

const cacheSizes: Check = (settings) => {
  const { memqcache_maxcache: result, memqcache_cache_block_size: block, memqcache_total_size: total } = settings;
  if (!settings.memory_cache_enabled && !settings.enable_shared_relcache) return [];
  const found: Found[] = [];
  if (result > block) found.push({ key: 'memqcache_maxcache', message: `memqcache_maxcache (${result}) must not be greater than memqcache_cache_block_size (${block})` });
  if (block > total) found.push({ key: 'memqcache_cache_block_size', message: `memqcache_cache_block_size (${block}) must not be greater than memqcache_total_size (${total})` });
  return found;
};

const destinations: Check = (settings) =>
  logDestinations(settings).some((word) => word === 'stderr' || word === 'syslog') ? [] : [{ key: 'log_destination', message: 'it must name stderr, syslog or both' }];

const md5Passwords: Check = (settings) =>
  (['recovery_password', 'wd_lifecheck_password'] as const)
    .filter((key) => /^md5[\da-f]{32}$/i.test(settings[key]))
    .map((key) => ({ key, message: 'an md5 password cannot be used here' }));

const redirects: Check = (settings) =>
  (['user_redirect_preference_list', 'database_redirect_preference_list', 'app_name_redirect_preference_list'] as const)
    .flatMap((key) => redirectFaults(settings[key]).map((message) => ({ key, message })));

const objectRelationships: Check = ({ dml_adaptive_object_relationship_list: list }) => {
  try {
    parseObjectRelationships(list);
    return [];
  } catch (error) {
    return [{ key: 'dml_adaptive_object_relationship_list', message: error instanceof Error ? error.message : String(error) }];
  }
};

const backendTls: Check = ({ backend_sslmode: mode, backend_sslnegotiation, backend_sslrootcert, backend_sslcert, backend_sslkey, ssl_ca_cert, ssl_ca_cert_dir }) => {
  const found: Found[] = [];
  const isWeak = mode === 'auto' || mode === 'disable' || mode === 'prefer';
  // The rules of libpq: what could be answered in clear cannot begin with TLS, and everybody can have a certificate of the web's authorities.
  if (backend_sslnegotiation === 'direct' && isWeak) found.push({ key: 'backend_sslnegotiation', message: 'direct needs backend_sslmode = require, verify-ca or verify-full' });
  if (backend_sslrootcert === 'system' && mode !== 'verify-full') found.push({ key: 'backend_sslrootcert', message: 'system needs backend_sslmode = verify-full' });
  if ((mode === 'verify-ca' || mode === 'verify-full') && backend_sslrootcert === '' && ssl_ca_cert === '' && ssl_ca_cert_dir === '') {
    found.push({ key: 'backend_sslmode', message: `${mode} needs backend_sslrootcert (or ssl_ca_cert)` });
  }
  if ((backend_sslcert === '') !== (backend_sslkey === '')) found.push({ key: backend_sslcert === '' ? 'backend_sslkey' : 'backend_sslcert', message: 'backend_sslcert and backend_sslkey go together' });
  return found;
};

const checks: readonly Check[] = [clusteringMode, watchdog, heartbeat, recoveryCommands, oldReplicationMode, spareChildren, cacheSizes, destinations, md5Passwords, redirects, objectRelationships, backendTls];

/** All faults of settings whose single values are right. */
export function validateSettings(settings: Settings, locate: Locate): ConfigIssue[] {
  return checks.flatMap((check) => check(settings)).map((found) => ({ ...locate(found.key), ...found }));
}
