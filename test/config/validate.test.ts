import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { loadConfig } from '../../src/main/config/load.js';
import { configFile, faultsOf } from './scratch.js';

/** Each text with the key and line of its only fault. */
const wrong: readonly [title: string, text: string, key: string, line: number, message: RegExp][] = [
  ['a mode that is not there yet', '\nbackend_clustering_mode = snapshot_isolation', 'backend_clustering_mode', 2, /snapshot_isolation is not supported yet/],
  ['spare children the wrong way round', 'process_management_mode = dynamic\nmin_spare_children = 10', 'min_spare_children', 2, /\(10\) must be less than max_spare_children \(10\)/],
  ['more spare children than children', 'process_management_mode = dynamic\nnum_init_children = 7', 'max_spare_children', 0, /\(10\) must not be greater than num_init_children \(7\)/],
  ['a cached result larger than a block', 'memqcache_maxcache = 2MB', 'memqcache_maxcache', 1, /must not be greater than memqcache_cache_block_size/],
  ['a block larger than the cache', 'memqcache_total_size = 64kB memqcache_maxcache = 1kB', 'memqcache_cache_block_size', 0, /must not be greater than memqcache_total_size/],
  ['no log destination', "log_destination = 'file'", 'log_destination', 1, /stderr, syslog or both/],
  ['recovery without a data directory', "backend_hostname0 = a backend_port0 = 5000\nrecovery_1st_stage_command = 'x'", 'recovery_1st_stage_command', 2, /needs backend_data_directory0/],
  ['a heartbeat without a host', 'heartbeat_port0 = 9694', 'heartbeat_port0', 1, /heartbeat_hostname0 must be set too/],
  ['replication_mode with a quorum', 'backend_clustering_mode = raw\nreplication_mode = on', 'replication_mode', 2, /needs failover_when_quorum_exists = off/],
  ['an md5 recovery password', `recovery_password = 'md5${'0'.repeat(32)}'`, 'recovery_password', 1, /md5 password/],
];
for (const [title, text, key, line, message] of wrong) {
  test(`${title} is refused by name`, (t) => {
    const faults = faultsOf(configFile(t, text));
    assert.deepEqual(faults.map((fault) => [fault.key, fault.line]), [[key, line]]);
    assert.match(faults[0]?.message ?? '', message);
  });
}

test('spare children do not matter in static mode', (t) => {
  assert.equal(loadConfig(configFile(t, 'num_init_children = 2 min_spare_children = 50')).settings.num_init_children, 2);
});

test('cache sizes do not matter when nothing uses the cache', (t) => {
  assert.equal(loadConfig(configFile(t, 'enable_shared_relcache = off memqcache_maxcache = 2MB')).settings.enable_shared_relcache, false);
});

test('the watchdog needs a file that says which host this is, and that host in the configuration', (t) => {
  const file = configFile(t, "use_watchdog = on hostname0 = 'a' wd_port0 = 9000 pgpool_port0 = 9999");
  const node = path.join(path.dirname(file), 'pgpool_node_id');
  assert.match(faultsOf(file)[0]?.message ?? '', /cannot be read/);
  for (const text of ['zero\n', '128\n', '0 1\n', '']) {
    writeFileSync(node, text);
    assert.match(faultsOf(file)[0]?.message ?? '', /0 to 127, and nothing else/);
  }
  writeFileSync(node, '1\n');
  assert.match(faultsOf(file)[0]?.message ?? '', /wd_port1 must be set/);
  writeFileSync(node, '0\n');
  const { settings } = loadConfig(file);
  assert.equal(settings.pgpoolNodeId, 0);
  assert.deepEqual(settings.watchdogNodes, [{ id: 0, hostname: 'a', wd_port: 9000, pgpool_port: 9999 }]);
});
