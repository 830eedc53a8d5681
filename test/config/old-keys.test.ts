import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../../src/main/config/load.js';
import { configFile, faultsOf } from './scratch.js';

test('old spellings become the names of today, with a warning for each', (t) => {
  const { settings, warnings } = loadConfig(configFile(t, `
    delegate_IP = '10.0.0.9'
    logdir = '/x'
    fail_over_on_backend_error = off
    socket_dir = '/run/a'
    black_function_list = 'w'
    white_function_list = 'r'
    black_query_pattern_list = 'q;s'
    black_memqcache_table_list = 'u'
    white_memqcache_table_list = 's'
    follow_master_command = 'f'
    ifconfig_path = '/i'`));
  assert.deepEqual(
    [settings.delegate_ip, settings.work_dir, settings.failover_on_backend_error, settings.unix_socket_directories, settings.write_function_list, settings.read_only_function_list],
    ['10.0.0.9', '/x', false, ['/run/a'], ['w'], ['r']],
  );
  assert.deepEqual(
    [settings.primary_routing_query_pattern_list, settings.cache_unsafe_memqcache_table_list, settings.cache_safe_memqcache_table_list, settings.follow_primary_command, settings.if_cmd_path],
    [['q', 's'], ['u'], ['s'], 'f', '/i'],
  );
  assert.equal(warnings.length, 11);
  assert.match(warnings[0] ?? '', /pgpool\.conf:2: delegate_IP: this is the old name of delegate_ip/);
});

test('an empty logdir leaves work_dir alone', (t) => {
  assert.equal(loadConfig(configFile(t, "logdir = ''")).settings.work_dir, '/tmp');
});

test('keys that do nothing any more are accepted with the reason', (t) => {
  const { warnings } = loadConfig(configFile(t, `
    wd_heartbeat_port = 0
    wd_port = 9000
    wd_hostname = ''
    parallel_mode = off
    system_db_password = 'x'
    print_timestamp = on
    debug_level = 0
    other_wd_port0 = 9000
    heartbeat_destination0 = 'h'
    heartbeat_destination_port0 = 9694`));
  assert.equal(warnings.length, 10);
  for (const line of warnings) assert.match(line, /pgpool\.conf:\d+: \w+: ignored, it does nothing any more: \w+/);
});

test('master_slave_mode and its sub mode say the clustering mode when nothing else does', (t) => {
  const mode = (text: string): string => loadConfig(configFile(t, text)).settings.backend_clustering_mode;
  assert.equal(mode("master_slave_mode = on master_slave_sub_mode = 'stream'"), 'streaming_replication');
  assert.equal(mode('master_slave_mode = off replication_mode = off'), 'raw');
  assert.equal(mode('replication_mode = off'), 'streaming_replication');
  assert.equal(mode("backend_clustering_mode = 'raw' master_slave_mode = on"), 'raw');
  assert.match(loadConfig(configFile(t, "backend_clustering_mode = 'raw'\nmaster_slave_mode = on")).warnings.join(), /:2: master_slave_mode: ignored/);
});

test('old modes without an equivalent, or that are not supported yet, are errors', (t) => {
  assert.match(faultsOf(configFile(t, "master_slave_mode = on master_slave_sub_mode = 'slony'"))[0]?.message ?? '', /no equivalent/);
  assert.match(faultsOf(configFile(t, 'replication_mode = on failover_when_quorum_exists = off'))[0]?.message ?? '', /native_replication is not supported yet/);
  assert.match(faultsOf(configFile(t, "master_slave_mode = on master_slave_sub_mode = 'logical'"))[0]?.message ?? '', /logical_replication is not supported yet/);
  assert.deepEqual(faultsOf(configFile(t, 'master_slave_mode = perhaps')).map(({ key }) => key), ['master_slave_mode']);
});
