/** pgpool_setup: from an empty directory to a running cluster and back. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { loadConfig } from '../../src/main/config/load.js';
import { isRunning } from '../../src/main/demo/processes.js';
import { queryServer } from '../../src/main/demo/sql.js';
import { operatingSystemUser } from '../../src/main/setup/layout.js';
import { freePorts, setUpDirectory } from './set-up-directory.js';

const user = operatingSystemUser();

test('it makes two servers and a pgpool in streaming replication mode, and shutdownall leaves no process', async (t) => {
  const made = setUpDirectory(t);
  const port = await freePorts(4);
  const { status, output } = await made.run('pgpool-setup', '-p', port, '--no-stop');
  assert.equal(status, 0, output);
  assert.match(output, new RegExp(`pcp command user name is "${user}", password is "${user}"`));

  const files = readdirSync(made.directory);
  for (const name of ['data0', 'data1', 'archivedir', 'etc', 'log', 'run', 'startall', 'shutdownall', 'pgpool_reload', 'bashrc.ports', 'README.port']) assert.ok(files.includes(name), name);
  for (const name of ['pgpool.conf', 'pcp.conf', 'pool_hba.conf', 'pool_passwd', 'failover.sh', 'follow_primary.sh']) assert.ok(existsSync(path.join(made.directory, 'etc', name)), name);
  assert.match(readFileSync(path.join(made.directory, 'bashrc.ports'), 'utf8'), new RegExp(`PGPOOL_PORT=${port}\n.*PCP_PORT=${port + 1}\n`));
  assert.match(readFileSync(path.join(made.directory, 'README.port'), 'utf8'), new RegExp(`#1 port is ${port + 2}\n#2 port is ${port + 3}\n`));
  assert.equal(statSync(path.join(made.directory, 'etc/pgpool.conf')).mode & 0o077, 0);

  // pgpool may be root's: what it writes is not in the servers' hands.
  for (const name of ['log', 'run', 'etc', 'log/pgpool.log', 'run/start.log']) assert.equal(statSync(path.join(made.directory, name)).uid, process.getuid?.(), name);
  assert.deepEqual(readdirSync(path.join(made.directory, 'log/servers')), ['postgresql0.log', 'postgresql1.log']);

  const pgpool = { host: '127.0.0.1', port, user, database: 'test' };
  const rows = await queryServer(pgpool, 'create table t (i int); insert into t values (1); select count(*)::int as n from t');
  assert.deepEqual(rows, [{ n: 1 }]);
  const nodes = await queryServer(pgpool, 'show pool_nodes');
  assert.deepEqual(nodes.map((node) => [node['port'], node['status'], node['role']]), [[`${port + 2}`, 'up', 'primary'], [`${port + 3}`, 'up', 'standby']]);
  const [standby] = await queryServer({ host: made.socketDirectory, port: port + 3, user, database: 'test' }, 'select pg_is_in_recovery() as standby');
  assert.deepEqual(standby, { standby: true });

  const pids = made.pids();
  assert.equal(pids.length, 3);
  assert.equal((await made.runMade('shutdownall')).status, 0);
  assert.deepEqual(pids.filter(isRunning), []);
  assert.deepEqual(made.pids(), []);
  assert.equal((await made.runMade('shutdownall')).status, 0, 'a second time there is nothing to do');

  assert.equal((await made.runMade('startall')).status, 0);
  assert.deepEqual(await queryServer(pgpool, 'select count(*)::int as n from t'), [{ n: 1 }]);
  assert.equal((await made.runMade('startall')).status, 1, 'a second pgpool refuses to start');
  assert.equal((await made.runMade('pgpool_reload')).status, 0);
});

test('without --no-stop nothing runs in the end, and raw mode makes servers of their own', async (t) => {
  const made = setUpDirectory(t);
  const port = await freePorts(4);
  const { status, output } = await made.run('pgpool-setup', '-m', 'n', '-p', port, '-t');
  assert.equal(status, 0, output);
  assert.deepEqual(made.pids(), []);
  const { settings } = loadConfig(path.join(made.directory, 'etc/pgpool.conf'));
  assert.equal(settings.backend_clustering_mode, 'raw');
  assert.equal(settings.health_check_test, true);
  assert.equal(existsSync(path.join(made.directory, 'data1/standby.signal')), false);
});

test('a mode that pgloom does not support yet gets its servers and files, and is said plainly', async (t) => {
  const made = setUpDirectory(t);
  const { status, output } = await made.run('pgpool-setup', '-m', 'i', '-p', await freePorts(3), '-n', 1);
  assert.equal(status, 0, output);
  assert.match(output, /pgloom does not support the mode snapshot_isolation yet/);
  assert.ok(existsSync(path.join(made.directory, 'data0/replication_mode_recovery_2nd_stage')));
  assert.deepEqual(made.pids(), []);
});

test('a directory that is not empty, a bad option and a bad PGBIN are refused, and nothing is made', async (t) => {
  const made = setUpDirectory(t);
  assert.match((await made.run('pgpool-setup', '-m', 'y')).output, /Slony-I is not supported/);
  assert.match((await made.run('pgpool-setup', '-n', 'many')).output, /-n takes a number/);
  assert.equal((await made.run('pgpool-setup', '--frobnicate')).status, 1);
  assert.deepEqual(readdirSync(made.directory), []);
  const other = setUpDirectory(t, { PGBIN: '/nonexistent' });
  assert.match((await other.run('pgpool-setup')).output, /PGBIN is \/nonexistent/);
  writeFileSync(path.join(made.directory, 'mine'), '');
  const { status, output } = await made.run('pgpool-setup');
  assert.equal(status, 1);
  assert.match(output, /is not empty/);
  assert.deepEqual(readdirSync(made.directory), ['mine']);
});
