/** watchdog_setup: several pgpools in front of one set of servers. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { loadConfig } from '../../src/main/config/load.js';
import { isRunning } from '../../src/main/demo/processes.js';
import { queryServer } from '../../src/main/demo/sql.js';
import { operatingSystemUser } from '../../src/main/setup/layout.js';
import { freePorts, setUpDirectory } from './set-up-directory.js';

test('it makes two pgpools with watchdog parameters that serve the same servers, and says that there is no watchdog yet', async (t) => {
  const made = setUpDirectory(t);
  const port = await freePorts(8);
  const { status, output } = await made.run('watchdog-setup', '-wn', 2, '-wp', port, '-n', 1, '--no-stop', '-vip');
  assert.equal(status, 0, output);
  assert.match(output, /pgloom has no watchdog yet/);
  for (const pgpool of [0, 1]) {
    const { settings } = loadConfig(path.join(made.directory, `pgpool${pgpool}/etc/pgpool.conf`));
    assert.equal(settings.port, port + 4 * pgpool);
    assert.equal(settings.pgpoolNodeId, pgpool);
    assert.equal(settings.delegate_ip, '127.0.0.1');
    assert.deepEqual(settings.watchdogNodes.map(({ wd_port, pgpool_port }) => [wd_port, pgpool_port]), [[port + 2, port], [port + 6, port + 4]]);
    assert.deepEqual(settings.heartbeatNodes.map((node) => node.port), [port + 3, port + 7]);
    assert.equal(settings.backends[0]?.data_directory, path.join(made.directory, 'pgpool0/data0'));
    const [row] = await queryServer({ host: '127.0.0.1', port: settings.port, user: operatingSystemUser(), database: 'test' }, "select current_setting('port') as port");
    assert.deepEqual(row, { port: String(port + 1000) });
  }
  assert.match(readFileSync(path.join(made.directory, 'README.port'), 'utf8'), new RegExp(`pgpool1:\n(?:.*\n)*pgpool port is ${port + 4}\n`));
  const pids = made.pids();
  assert.equal(pids.length, 3);
  assert.equal((await made.runMade('shutdownall')).status, 0);
  assert.deepEqual(pids.filter(isRunning), []);
});
