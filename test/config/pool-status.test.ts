import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../../src/main/config/load.js';
import { poolStatusRows, type StatusRow } from '../../src/shared/parameters/pool-status.js';
import { statusOrder } from './status-order.js';
import { configFile } from './scratch.js';

const live = { nodeStatus: (id: number): number => id + 1, standbyDelay: (id: number): number => id * 100 };
const text = `
  backend_hostname0 = a backend_port0 = 5000 backend_weight0 = 1 backend_flag0 = 'ALWAYS_PRIMARY' backend_application_name0 = s0
  backend_hostname2 = b backend_port2 = 5002 backend_weight2 = 2 backend_data_directory2 = '/d' backend_flag2 = 'DISALLOW_TO_FAILOVER'
  hostname0 = w wd_port0 = 9000 pgpool_port0 = 9999 heartbeat_hostname1 = h heartbeat_port1 = 9694
  sr_check_password = hunter2 health_check_password = hunter2
  unix_socket_permissions = 0600 listen_addresses = 'a, b' child_life_time = 5min ssl = on
  log_min_messages = debug1 process_management_mode = dynamic memqcache_oiddir = '/o'`;

test('the rows of SHOW POOL_STATUS come in the order of Pgpool-II, our own parameters last', (t) => {
  const { settings } = loadConfig(configFile(t, text));
  assert.deepEqual(poolStatusRows(settings, live).map(([name]) => name), statusOrder);
});

test('values are integers where Pgpool-II prints integers, and secrets are empty', (t) => {
  const { settings } = loadConfig(configFile(t, text));
  const rows = poolStatusRows(settings, live);
  const value = new Map(rows.map(([name, shown]) => [name, shown]));
  const expected: Readonly<Record<string, string>> = {
    backend_clustering_mode: '1', listen_addresses: 'a,b', port: '9999', unix_socket_permissions: '0600', ssl: '1', serialize_accept: '0',
    process_management_mode: '2', child_life_time: '300', log_min_messages: '14', syslog_facility: 'LOCAL0', reset_query_list: 'ABORT;DISCARD ALL',
    sr_check_password: '', health_check_password: '', memqcache_total_size: '67108864', memqcache_cache_oiddir: '/o', disable_load_balance_on_write: '2',
    hostname0: 'w', pgpool_port0: '9999', wd_port0: '9000', heartbeat_hostname1: 'h', heartbeat_port1: '9694',
    backend_hostname0: 'a', backend_port2: '5002', backend_weight0: '0.333333', backend_weight2: '0.666667', backend_data_directory2: '/d',
    backend_status2: 'down', standby_delay2: '200', backend_flag0: 'ALLOW_TO_FAILOVER|ALWAYS_PRIMARY', backend_flag2: 'DISALLOW_TO_FAILOVER',
    backend_application_name0: 's0', worker_threads: '0', log_format: '1',
  };
  for (const [name, shown] of Object.entries(expected)) assert.equal(value.get(name), shown, name);
  assert.doesNotMatch(JSON.stringify(rows), /hunter2/);
});

test('long values are cut at 511 bytes, between characters, and every row has a description', (t) => {
  const { settings } = loadConfig(configFile(t, `failover_command = '${'ä'.repeat(400)}'`));
  const rows: StatusRow[] = poolStatusRows(settings, live);
  assert.equal(rows.find(([name]) => name === 'failover_command')?.[1], 'ä'.repeat(255));
  for (const [name, , description] of rows) assert.ok(description !== '' && Buffer.byteLength(description) <= 79, name);
});
