/** `pgpool -n`: options, pid file, faults at the start, reload. */
import assert from 'node:assert/strict';
import { appendFile, readFile, stat, writeFile } from 'node:fs/promises';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { freePort } from '../../src/main/demo/free-port.js';
import { eventually, untilMatch } from '../support/eventually.js';
import { openSockets } from '../support/open-files.js';
import { startPgloom, withClient } from '../support/pgloom.js';
import { pgpool, withDirectory, writeConfig } from '../engine/pgpool-command.js';

test('-v prints the version and -h the usage on standard error with exit status 0', async () => {
  const version = await pgpool('-v');
  assert.equal(version.status, 0);
  assert.match(version.stderr, /^pgpool-II version \d/);
  const help = await pgpool('--help');
  assert.equal(help.status, 0);
  assert.match(help.stderr, /--config-file=CONFIG_FILE/);
});

test('an unknown option or word is an error with exit status 1', async () => {
  assert.equal((await pgpool('--frobnicate')).status, 1);
  assert.equal((await pgpool('dance')).status, 1);
  assert.equal((await pgpool('stop', 'stop')).status, 1);
});

test('a faulty configuration file ends the start with one line for each fault', async () => {
  await withDirectory(async (directory) => {
    const file = join(directory, 'pgpool.conf');
    await writeFile(file, 'port = 9999\nnum_init_childrn = 3\nload_balance_mode = perhaps\n');
    const { status, stderr } = await pgpool('-n', '-f', file);
    assert.equal(status, 1);
    assert.ok(stderr.includes(`${file}:2: num_init_childrn`), stderr);
    assert.ok(stderr.includes(`${file}:3: load_balance_mode`), stderr);
  });
});

test('a missing configuration file ends the start', async () => {
  const { status, stderr } = await pgpool('-n', '-f', '/nonexistent/pgpool.conf');
  assert.equal(status, 1);
  assert.ok(stderr.includes('/nonexistent/pgpool.conf'));
});

test('the pid file holds the process id and a NUL, is private, and goes with pgloom', async () => {
  const pgloom = await startPgloom();
  const file = join(pgloom.directory, 'pgpool.pid');
  try {
    assert.equal(await readFile(file, 'latin1'), `${pgloom.pid}\0`);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    const second = await pgpool('-n', '-f', await writeConfigBeside(pgloom.directory));
    assert.equal(second.status, 1);
    assert.match(second.stderr, new RegExp(`ERROR: pid file found\\. is another pgpool\\(${pgloom.pid}\\) is running\\?`));
    pgloom.signal('SIGTERM');
    assert.equal(await pgloom.exited, 0);
    assert.equal(existsSync(file), false);
  } finally {
    await pgloom.stop();
  }
});

async function writeConfigBeside(directory: string): Promise<string> {
  const file = join(directory, 'second.conf');
  await writeFile(file, `pid_file_name = '${join(directory, 'pgpool.pid')}'\nport = ${await freePort()}\nlisten_addresses = '127.0.0.1'\nbackend_hostname0 = '127.0.0.1'\nbackend_port0 = 1024\n`);
  return file;
}

test('a pid file left behind by a dead process is replaced', async () => {
  await withDirectory(async (directory) => {
    const file = join(directory, 'left.pid');
    await writeFile(file, '4194303\0');
    const pgloom = await startPgloom({ settings: { pid_file_name: file } });
    try {
      assert.equal(await readFile(file, 'latin1'), `${pgloom.pid}\0`);
    } finally {
      await pgloom.stop();
    }
  });
});

test('parameters that are set and not acted on are listed in one warning', async () => {
  const pgloom = await startPgloom({ settings: { memory_cache_enabled: true, auto_failback: true } });
  try {
    const lines = pgloom.stderr().split('\n').filter((line) => line.includes('not acted on yet'));
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', /WARNING: .*auto_failback/);
    assert.match(lines[0] ?? '', /memory_cache_enabled/);
  } finally {
    await pgloom.stop();
  }
});

test('SIGHUP takes over a good file and leaves the old settings in force with a bad one', async () => {
  const pgloom = await startPgloom();
  try {
    const good = await readFile(pgloom.configFile, 'utf8');
    await appendFile(pgloom.configFile, 'client_idle_limit = perhaps\n');
    pgloom.signal('SIGHUP');
    await eventually('the fault is logged', () => pgloom.stderr().includes('the old settings stay in force'));
    await untilMatch(pgloom.stderr, /ERROR: {2}.*pgpool\.conf:\d+: client_idle_limit/);
    await withClient(pgloom, (client) => client.query('select 1'));

    await writeFile(pgloom.configFile, `${good}client_idle_limit = 777\nnum_init_children = 5\n`);
    pgloom.signal('SIGHUP');
    await eventually('the change is logged', () => pgloom.stderr().includes('parameters changed: client_idle_limit'));
    await eventually('what needs a restart is logged', () => pgloom.stderr().includes('parameters that need a restart to change: num_init_children'));
  } finally {
    await pgloom.stop();
  }
});

test('SIGUSR2, which Pgpool-II sends itself after a recovery, does no harm', async () => {
  const pgloom = await startPgloom();
  try {
    pgloom.signal('SIGUSR2');
    await withClient(pgloom, (client) => client.query('select 1'));
    pgloom.signal('SIGTERM');
    assert.equal(await pgloom.exited, 0);
  } finally {
    await pgloom.stop();
  }
});

test('SIGUSR1, which Pgpool-II knows, does not open the debugger of Node', async () => {
  const pgloom = await startPgloom();
  try {
    const before = listeningPorts(pgloom.pid);
    pgloom.signal('SIGUSR1');
    // By then a debugger would listen, and say so.
    await withClient(pgloom, (client) => client.query('select pg_sleep(1)'));
    assert.deepEqual(listeningPorts(pgloom.pid), before);
    assert.doesNotMatch(pgloom.stderr(), /[Dd]ebugger/);
  } finally {
    await pgloom.stop();
  }
});

/** Of this process alone: its sockets in the kernel's table of those that listen. */
function listeningPorts(pid: number): string[] {
  if (!existsSync('/proc/net/tcp')) return [];
  const own = openSockets(pid);
  const rows = readFileSync(`/proc/${pid}/net/tcp`, 'utf8').split('\n').map((line) => line.trim().split(/\s+/));
  return rows.filter((row) => row[3] === '0A' && own.has(row[9] ?? '-')).map((row) => row[1] ?? '').toSorted();
}

test('nodes that do not answer do not keep pgloom from starting', async () => {
  await withDirectory(async (directory) => {
    const port = await freePort();
    const file = await writeConfig(directory, { port, backend_port0: await freePort() });
    const running = pgpool('-n', '-f', file);
    await eventually('it listens', () => existsSync(join(directory, `.s.PGSQL.${port}`)));
    const pid = Number.parseInt(await readFile(join(directory, 'pgpool.pid'), 'latin1'), 10);
    process.kill(pid, 'SIGTERM');
    const { status, stderr } = await running;
    assert.equal(status, 0);
    assert.match(stderr, /node 0 is down: ECONNREFUSED/);
    assert.match(stderr, /all nodes are down/);
  });
});
