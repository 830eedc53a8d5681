import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { ConfigError } from '../../src/main/config/errors.js';
import { loadConfig } from '../../src/main/config/load.js';
import { reloadConfig, type ReloadedConfig } from '../../src/main/config/reload.js';

import { configFile } from './scratch.js';

/** Loads one text, then reloads with the other. */
function reload(t: TestContext, before: string, after: string, isDown?: (node: number) => boolean): ReloadedConfig {
  const file = configFile(t, before);
  const { settings } = loadConfig(file);
  writeFileSync(file, after);
  return reloadConfig(settings, file, isDown);
}

const nodes = "backend_hostname0 = a backend_port0 = 5000 backend_weight0 = 1\nbackend_hostname1 = b backend_port1 = 5001 backend_weight1 = 1\n";

test('the same file again changes nothing', (t) => {
  const { changed, needRestart, newBackends } = reload(t, nodes, nodes);
  assert.deepEqual([changed, needRestart, newBackends], [[], [], []]);
});

test('reloadable parameters take their new value, start-only ones keep theirs and are listed', (t) => {
  const { settings, changed, needRestart } = reload(t, 'log_statement = off port = 5000', "log_statement = on port = 5001 max_pool = 9 write_function_list = 'f'");
  assert.deepEqual(changed.toSorted(), ['log_statement', 'write_function_list']);
  assert.deepEqual(needRestart.toSorted(), ['max_pool', 'port']);
  assert.deepEqual([settings.log_statement, settings.port, settings.max_pool, settings.write_function_list], [true, 5000, 4, ['f']]);
  assert.ok(Object.isFrozen(settings) && Object.isFrozen(settings.backends));
});

test('a key taken out of the file goes back to its default', (t) => {
  const { settings, changed } = reload(t, 'log_connections = on', '');
  assert.deepEqual([settings.log_connections, changed], [false, ['log_connections']]);
});

test('a bad file throws and names the fault', (t) => {
  assert.throws(() => reload(t, nodes, 'log_statement = perhaps'), (error) => error instanceof ConfigError && /pgpool\.conf:1: log_statement/.test(error.message));
});

test('a file that is right by itself but not with what needs a restart is refused', (t) => {
  const after = 'process_management_mode = dynamic num_init_children = 100 max_spare_children = 50';
  assert.throws(() => reload(t, 'num_init_children = 10', after), /max_spare_children \(50\) must not be greater than num_init_children \(10\)/);
});

test('a node in use keeps its host and port, its weight and name change', (t) => {
  const after = nodes.replace('= b', '= c').replace('5001', '6001').replace('weight1 = 1', "weight1 = 3 backend_application_name1 = 'x' backend_data_directory1 = '/d'");
  const { settings, changed, needRestart } = reload(t, nodes, after);
  const { hostname, port, weight, application_name, data_directory } = settings.backends[1] ?? assert.fail();
  assert.deepEqual([hostname, port, weight, application_name, data_directory], ['b', 5001, 3, 'x', '']);
  assert.deepEqual(changed, ['backend_weight1', 'backend_application_name1']);
  assert.deepEqual(needRestart, ['backend_hostname1', 'backend_port1', 'backend_data_directory1']);
});

test('the data directory of a node that is down may change', (t) => {
  const after = `${nodes}backend_data_directory1 = '/d'`;
  const { settings, changed } = reload(t, nodes, after, (node) => node === 1);
  assert.deepEqual([settings.backends[1]?.data_directory, changed], ['/d', ['backend_data_directory1']]);
});

test('a node taken out of the file stays, a node put in is new', (t) => {
  const [first = '', second = ''] = nodes.split('\n');
  const { settings, needRestart, newBackends, changed } = reload(t, second, first);
  assert.deepEqual(settings.backends.map(({ id }) => id), [0, 1]);
  assert.deepEqual([needRestart, newBackends, changed], [['backend_port1'], [0], ['backend_port0']]);
});

test('failover flags of a node change both ways, ALWAYS_PRIMARY only comes', (t) => {
  const flag = (text: string): string => `${nodes}backend_flag0 = '${text}'`;
  const come = reload(t, nodes, flag('DISALLOW_TO_FAILOVER|ALWAYS_PRIMARY'));
  assert.deepEqual([come.settings.backends[0]?.allowToFailover, come.settings.backends[0]?.alwaysPrimary, come.changed], [false, true, ['backend_flag0']]);
  const go = reload(t, flag('DISALLOW_TO_FAILOVER|ALWAYS_PRIMARY'), nodes);
  assert.deepEqual([go.settings.backends[0]?.allowToFailover, go.settings.backends[0]?.alwaysPrimary], [true, true]);
  assert.deepEqual([go.changed, go.needRestart], [['backend_flag0'], ['backend_flag0']]);
});

test('health check values change for the node they are for', (t) => {
  const { settings, changed } = reload(t, nodes, `${nodes}health_check_period1 = 5 connect_timeout1 = 1s`);
  assert.deepEqual(changed, ['health_check_period1', 'connect_timeout1']);
  assert.deepEqual(settings.backends.map(({ health_check: { period, connect_timeout } }) => [period, connect_timeout]), [[0, 10000], [5, 1000]]);
});
