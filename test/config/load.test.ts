import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { issueText } from '../../src/main/config/errors.js';
import { loadConfig } from '../../src/main/config/load.js';
import { labFile } from './lab-file.js';
import { configFile, faultsOf, scratchDirectory } from './scratch.js';

test('the lab file loads, with warnings for its old keys only', (t) => {
  const directory = scratchDirectory(t);
  const file = path.join(directory, 'pgpool.conf');
  writeFileSync(file, labFile.replaceAll('@DIR@', directory));
  const { settings, warnings, notActedOn } = loadConfig(file);
  assert.deepEqual(warnings.map((line) => line.replace(/^.*pgpool\.conf:\d+: (\w+): .*$/, '$1')), ['logdir', 'delegate_IP', 'wd_heartbeat_port']);
  assert.deepEqual(settings.backends.map(({ id, hostname, port, weight, application_name }) => [id, hostname, port, weight, application_name]), [
    [0, '127.0.0.1', 55160, 1, 'server0'],
    [1, '127.0.0.1', 55161, 1, 'server1'],
    [2, '127.0.0.1', 55162, 1, 'server2'],
  ]);
  assert.equal(settings.authentication_timeout, 60);
  assert.equal(settings.child_life_time, 300);
  assert.equal(settings.connect_timeout, 5000);
  assert.equal(settings.unix_socket_permissions, 0o600);
  assert.equal(settings.process_management_mode, 'dynamic');
  assert.equal(settings.pool_passwd, path.join(directory, 'pool_passwd'));
  assert.equal(settings.pid_file_name, path.join(directory, 'info/pgpool.pid'));
  assert.equal(settings.work_dir, `${directory}/info/`);
  assert.deepEqual(settings.listen_addresses, ['*']);
  assert.equal(settings.backends[1]?.health_check.max_retries, 3);
  assert.deepEqual(notActedOn.toSorted(), [
    'memory_cache_enabled', 'memqcache_oiddir',
  ].toSorted());
});

test('an unknown key, a wrong Boolean, a wrong number and a missing include are all named with file, line and key', (t) => {
  const file = configFile(t, "prot = 1\nssl = maybe\n\nport = 80\ninclude = 'nothing.conf'\nbackend_portx = 1\nbackend_port = 1\nbackend_port128 = 5000\n");
  const faults = faultsOf(file);
  assert.deepEqual(faults.map((fault) => [path.basename(fault.file), fault.line, fault.key]), [
    ['pgpool.conf', 5, 'include'], ['pgpool.conf', 1, 'prot'], ['pgpool.conf', 2, 'ssl'], ['pgpool.conf', 4, 'port'],
    ['pgpool.conf', 6, 'backend_portx'], ['pgpool.conf', 7, 'backend_port'], ['pgpool.conf', 8, 'backend_port128'],
  ]);
  const text = faults.map(issueText).join('\n');
  assert.match(text, /pgpool\.conf:1: prot: unrecognized configuration parameter "prot"; did you mean "port"\?/);
  assert.match(text, /pgpool\.conf:5: include: could not open configuration file ".*nothing\.conf": no such file/);
  assert.match(text, /invalid index value for parameter "backend_port"/);
  assert.match(text, /parameter "backend_port" expects the index value/);
});

test('a configuration file that is missing or a directory is an error that names it', (t) => {
  const directory = scratchDirectory(t);
  assert.match(faultsOf(path.join(directory, 'none.conf')).map(issueText).join(), /none\.conf: could not open .* no such file/);
  assert.match(faultsOf(directory).map(issueText).join(), /it is a directory/);
});

test('a configuration file that may not be read is an error that names it', { skip: process.getuid?.() === 0 ? 'root may read everything' : false }, (t) => {
  const file = configFile(t, '');
  chmodSync(file, 0);
  assert.match(faultsOf(file).map(issueText).join(), /permission denied/);
});

test('included files are found beside the including file and hold from there on', (t) => {
  const file = configFile(t, "port = 5001\ninclude 'sub/a.conf'\nmax_pool = 9\n");
  const sub = path.join(path.dirname(file), 'sub');
  mkdirSync(sub);
  writeFileSync(path.join(sub, 'a.conf'), "port = 5002\nmax_pool = 8\ninclude = 'b.conf'\n");
  writeFileSync(path.join(sub, 'b.conf'), 'num_init_children = 7\nssl = what\n');
  const [fault, ...more] = faultsOf(file);
  assert.deepEqual([path.basename(fault?.file ?? ''), fault?.line, fault?.key, more.length], ['b.conf', 2, 'ssl', 0]);
  writeFileSync(path.join(sub, 'b.conf'), 'num_init_children = 7\n');
  const { settings } = loadConfig(file);
  assert.deepEqual([settings.port, settings.max_pool, settings.num_init_children], [5002, 9, 7]);
});

test('a pipe and a device are no configuration files, and nobody waits for what comes out of them', (t) => {
  const file = configFile(t, "include 'pipe'\ninclude '/dev/zero'\ninclude '.'\n");
  execFileSync('mkfifo', [path.join(path.dirname(file), 'pipe')]);
  assert.deepEqual(faultsOf(file).map((fault) => fault.message.replace(/^.*: /, '')), ['not a plain file', 'not a plain file', 'it is a directory']);
});

test('files may include files ten levels deep, no deeper, and not themselves', (t) => {
  const directory = scratchDirectory(t);
  const name = (level: number): string => path.join(directory, `${level}.conf`);
  for (let level = 0; level < 11; level++) writeFileSync(name(level), `include = '${level + 1}.conf'\n`);
  writeFileSync(name(11), 'port = 5000\n');
  assert.match(faultsOf(name(0)).map(issueText).join(), /10\.conf:1: include: .*10 levels deep/);
  assert.equal(loadConfig(name(1)).settings.port, 5000);
  writeFileSync(name(11), "include = '3.conf'");
  assert.match(faultsOf(name(3)).map(issueText).join(), /11\.conf:1: include: .*includes itself/);
});

test('the last assignment holds', (t) => {
  assert.equal(loadConfig(configFile(t, 'port = 5000\nport = 5001\n')).settings.port, 5001);
});

test('a health check key without a number is the default of every node, in any order', (t) => {
  const { settings } = loadConfig(configFile(t, `
    health_check_period1 = 7  connect_timeout0 = 2s
    backend_port0 = 5000 backend_port1 = 5001
    health_check_period = 3
    health_check_user = 'monitor'`));
  assert.deepEqual(settings.backends.map(({ health_check: { period, user, connect_timeout } }) => [period, user, connect_timeout]), [[3, 'monitor', 2000], [7, 'monitor', 10000]]);
  assert.equal(settings.health_check_period, 3);
});

test('flags of a node are words joined by |, and an old word counts as the new one', (t) => {
  const { settings, warnings } = loadConfig(configFile(t, `
    backend_hostname0 = '/run' backend_port0 = 5000 backend_flag0 = 'DISALLOW_TO_FAILOVER | ALWAYS_PRIMARY'
    backend_hostname1 = 'b' backend_port1 = 5001 backend_flag1 = 'ALWAYS_MASTER'
    backend_port2 = 5002`));
  assert.deepEqual(settings.backends.map(({ hostname, allowToFailover, alwaysPrimary }) => [hostname, allowToFailover, alwaysPrimary]), [
    ['/run', false, true], ['b', true, true], ['/tmp', true, false],
  ]);
  assert.match(warnings.join('\n'), /backend_flag1: ALWAYS_MASTER is the old name of ALWAYS_PRIMARY/);
  assert.match(warnings.join('\n'), /backend_hostname2: it is not set; the socket directory \/tmp is used/);
  assert.deepEqual(faultsOf(configFile(t, "backend_port0 = 5000 backend_flag0 = 'ALLOW_TO_FAILOVER|DISALLOW_TO_FAILOVER|X'")).map(({ key }) => key), ['backend_flag0', 'backend_flag0']);
});

test('a node without a port is not used, and a warning says so', (t) => {
  const { settings, warnings } = loadConfig(configFile(t, "backend_hostname3 = 'x'"));
  assert.deepEqual(settings.backends, []);
  assert.match(warnings.join(), /pgpool\.conf:1: backend_hostname3: node 3 is not used/);
});

test('relative file names are taken from the directory of the configuration file, empty ones stay empty', (t) => {
  const file = configFile(t, "pid_file_name = 'run/p.pid' ssl_key = '../k' pool_passwd = ''");
  const { settings } = loadConfig(file);
  assert.equal(settings.pid_file_name, path.join(path.dirname(file), 'run/p.pid'));
  assert.equal(settings.ssl_key, path.resolve(path.dirname(file), '../k'));
  assert.equal(settings.pool_passwd, '');
  assert.equal(settings.configFile, file);
  assert.equal(settings.configDirectory, path.dirname(file));
});

test('settings are frozen through and through, and survive a structured clone', (t) => {
  const { settings } = loadConfig(configFile(t, "backend_port0 = 5000 backend_hostname0 = a write_function_list = 'f,g.*'"));
  assert.ok(Object.isFrozen(settings) && Object.isFrozen(settings.backends) && Object.isFrozen(settings.backends[0]?.health_check) && Object.isFrozen(settings.listen_addresses));
  assert.deepEqual(structuredClone(settings), settings);
});

test('a pattern that is none is left out with a warning, in a redirect list it is an error', (t) => {
  const { settings, warnings } = loadConfig(configFile(t, "write_function_list = 'f,g(,h'"));
  assert.deepEqual(settings.write_function_list, ['f', 'h']);
  assert.match(warnings.join(), /write_function_list: pattern "g\(" is left out/);
  assert.deepEqual(faultsOf(configFile(t, "app_name_redirect_preference_list = 'g(:primary,a:nowhere,b:1(2),c:128,psql:standby(0.5),.*:primary'")).length, 4);
});

test('what is set but not acted on yet is listed, defaults and what is acted on are not', (t) => {
  const { notActedOn } = loadConfig(configFile(t, `
    insert_lock = on  load_balance_mode = off  failover_command = 'x'
    statement_level_load_balance = on  log_destination = 'stderr,syslog'
    heartbeat_device0 = eth0`));
  assert.deepEqual(notActedOn.toSorted(), ['failover_command', 'heartbeat_device0'].toSorted());
});

test('no error and no warning shows a password', (t) => {
  const text = `
    recovery_password = 'md5${'0123456789abcdef'.repeat(2)}'
    sr_check_password = my hunter2 secret
    health_check_password = ok port = hunter2
    wd_authkey = /hunter2
    health_chek_password = 'hunter2'`;
  const faults = faultsOf(configFile(t, text));
  assert.ok(faults.length >= 4);
  assert.doesNotMatch(JSON.stringify(faults), /hunter2|my|0123456789/);
});
