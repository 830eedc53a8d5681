/** `pgpool` without -n, and `pgpool stop` and `reload`. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { appendFileSync, chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { Client } from 'pg';
import { serverIdentity } from '../../src/main/demo/unprivileged.js';
import { isAlive } from '../../src/main/pid-file.js';
import { sharedCluster } from '../support/cluster.js';
import { eventually, untilMatch } from '../support/eventually.js';
import { openFiles } from '../support/open-files.js';
import { firstError } from '../support/wire-fields.js';
import { WireClient } from '../support/wire.js';
import { debian, launch, noDebian, ours, runDebian, runOurs, type Scratch, untilEnded, withScratch } from './commands.js';

/** In front of the shared primary. */
function served(): Record<string, string | number | boolean> {
  const [node] = sharedCluster().nodes;
  return { backend_hostname0: node?.host ?? '', backend_port0: node?.port ?? 0, sr_check_user: 'postgres', health_check_user: 'postgres', connect_timeout: 10_000 };
}

async function start(scratch: Scratch, ...more: string[]): Promise<number> {
  const { status, stderr } = await runOurs(['-f', scratch.configFile, ...more]);
  assert.equal(status, 0, stderr);
  return scratch.pid();
}

test('a start in the background ends with status 0 when clients are served, and leaves nothing of the terminal behind', async () => {
  await withScratch(served(), async (scratch) => {
    // Both resolve only when nobody holds the pipes open any more.
    const { status, stdout, stderr } = await runOurs(['-f', 'pgpool.conf'], { cwd: scratch.directory });
    assert.equal(status, 0, stderr);
    assert.equal(stdout, '');
    assert.match(stderr, /WARNING: {2}pgpool runs in the background, and its log to standard error is lost/);
    const pid = scratch.pid();
    const client = new Client({ host: '127.0.0.1', port: scratch.port, user: 'postgres', database: 'test' });
    await client.connect();
    assert.equal((await client.query('select 1 as one')).rows[0].one, 1);
    await client.end();
    assert.equal(readlinkSync(`/proc/${pid}/cwd`), '/');
    for (const fd of [0, 1, 2]) assert.equal(readlinkSync(`/proc/${pid}/fd/${fd}`), '/dev/null');
    // Session id: the sixth field; the leader of a session has its own number there.
    assert.equal(readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ')[3], String(pid));
    const environment = readFileSync(`/proc/${pid}/cmdline`, 'latin1');
    assert.ok(environment.includes(scratch.configFile), 'the file is named in full');
  });
});

test('with logging_collector the log goes on in a file', async () => {
  await withScratch({ logging_collector: true, log_directory: 'logs' }, async (scratch) => {
    const starting = launch(ours, ['-f', scratch.configFile]);
    const [status] = await once(starting.child, 'exit') as [number | null];
    assert.equal(status, 0);
    assert.doesNotMatch(starting.stderr(), /is lost/);
    const directory = join(scratch.directory, 'logs');
    const logged = (): string => readdirSync(directory).map((name) => readFileSync(join(directory, name), 'utf8')).join('');
    await untilMatch(logged, /pgloom is ready/);
    assert.equal((await runOurs(['-f', scratch.configFile, '-m', 'f', 'stop'])).status, 0);
    await untilMatch(logged, /pgloom is shut down/);
    await starting.ended;
  });
});

test('with logging_collector nothing of the terminal is left behind either', async () => {
  await withScratch({ logging_collector: true, log_directory: 'logs' }, async (scratch) => {
    const starting = launch(ours, ['-f', scratch.configFile]);
    await once(starting.child, 'exit');
    const pid = scratch.pid();
    await Promise.race([starting.ended, new Promise((resolve) => { setTimeout(resolve, 2000).unref(); })]);
    assert.equal(starting.child.stderr?.closed, true, openFiles(pid).join(' '));
  });
});

test('with syslog there is no warning about a lost log', async () => {
  await withScratch({ log_destination: 'syslog' }, async (scratch) => {
    const { stderr } = await runOurs(['-f', scratch.configFile]);
    assert.doesNotMatch(stderr, /is lost/);
  });
});

test('a second start is refused, in the foreground and in the background', async () => {
  await withScratch({}, async (scratch) => {
    const pid = await start(scratch);
    for (const more of [['-n'], []]) {
      const { status, stderr } = await runOurs(['-f', scratch.configFile, ...more]);
      assert.equal(status, 1);
      assert.ok(stderr.includes(`ERROR: pid file found. is another pgpool(${pid}) is running?`), stderr);
    }
    assert.equal(scratch.pid(), pid);
  });
});

test('a start that fails says why and exits with 1', async () => {
  const occupied = createServer();
  await new Promise<void>((resolve) => { occupied.listen(0, '127.0.0.1', resolve); });
  try {
    const address = occupied.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await withScratch({ port }, async (scratch) => {
      const { status, stderr } = await runOurs(['-f', scratch.configFile]);
      assert.equal(status, 1);
      assert.match(stderr, /^FATAL: .*EADDRINUSE/m);
      assert.equal(existsSync(scratch.pidFile), false);
      writeFileSync(scratch.configFile, 'prt = 1\n');
      const faulty = await runOurs(['-f', scratch.configFile]);
      assert.equal(faulty.status, 1);
      assert.ok(faulty.stderr.startsWith(`${scratch.configFile}:1: prt:`), faulty.stderr);
      const missing = await runOurs(['-f', join(scratch.directory, 'none.conf')]);
      assert.equal(missing.status, 1);
      assert.match(missing.stderr, /could not open configuration file/);
    });
  } finally {
    occupied.close();
  }
});

test('a pid file that cannot be written ends the start', async () => {
  await withScratch({}, async (scratch) => {
    scratch.write({ pid_file_name: join(scratch.directory, 'none', 'pgpool.pid') });
    const missing = await runOurs(['-f', scratch.configFile]);
    assert.deepEqual([missing.status, missing.stderr], [1, `ERROR: could not open pid file "${join(scratch.directory, 'none', 'pgpool.pid')}": ENOENT\n`]);
    scratch.write({ pid_file_name: join(scratch.configFile, 'pgpool.pid') });
    assert.match((await runOurs(['-f', scratch.configFile])).stderr, /ERROR: could not open pid file .*ENOTDIR/);
  });
});

test('a directory that must not be written to ends the start', { skip: serverIdentity() === undefined ? 'only root can take another identity' : false }, async () => {
  await withScratch({}, async (scratch) => {
    const directory = join(scratch.directory, 'closed');
    mkdirSync(directory, { mode: 0o755 });
    // The scratch directory itself is root's alone.
    chmodSync(scratch.directory, 0o755);
    scratch.write({ pid_file_name: join(directory, 'pgpool.pid') });
    const { status, stderr } = await runOurs(['-f', scratch.configFile], { uid: serverIdentity()?.uid ?? 0 });
    assert.equal(status, 1);
    assert.match(stderr, /ERROR: could not open pid file .*EACCES/);
  });
});

/** A server that lets everybody in and says nothing, so that the start waits for it. */
async function withSilentServer(use: (port: number) => Promise<void>): Promise<void> {
  const sockets = new Set<{ destroy(): void }>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  try {
    const address = server.address();
    await use(typeof address === 'object' && address !== null ? address.port : 0);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

test('when the process in the background is killed during its start the command says so and exits with 1', async () => {
  await withSilentServer(async (port) => {
    await withScratch({ backend_port0: port, connect_timeout: 10_000 }, async (scratch) => {
      const starting = launch(ours, ['-f', scratch.configFile]);
      await eventually('the pid file is there', () => scratch.pid() > 0);
      process.kill(scratch.pid(), 'SIGKILL');
      const { status, stderr } = await starting.ended;
      assert.equal(status, 1);
      assert.match(stderr, /FATAL: {2}pgpool ended during its start \(signal SIGKILL\)/);
    });
  });
});

test('when the command is killed during the start the process in the background goes on', async () => {
  await withSilentServer(async (port) => {
    await withScratch({ backend_port0: port, connect_timeout: 10_000 }, async (scratch) => {
      const starting = launch(ours, ['-f', scratch.configFile]);
      await eventually('the pid file is there', () => scratch.pid() > 0);
      starting.child.kill('SIGKILL');
      await eventually('it is ready', async () => (await runOurs(['-f', scratch.configFile, 'status'])).stdout.includes('listens on'));
      assert.equal((await runOurs(['-f', scratch.configFile, '-m', 'f', 'stop'])).status, 0);
      await starting.ended;
    });
  });
});

test('an interrupted start leaves nothing running', async () => {
  await withSilentServer(async (port) => {
    await withScratch({ backend_port0: port, connect_timeout: 10_000 }, async (scratch) => {
      const starting = launch(ours, ['-f', scratch.configFile]);
      await eventually('the pid file is there', () => scratch.pid() > 0);
      const pid = scratch.pid();
      starting.child.kill('SIGINT');
      const { status, stderr } = await starting.ended;
      assert.equal(status, 1);
      assert.match(stderr, /the start was interrupted/);
      await untilEnded(pid);
      assert.equal(existsSync(scratch.pidFile), false);
    });
  });
});

test('stop waits until pgpool has ended and removes its pid file', async () => {
  await withScratch({}, async (scratch) => {
    for (const mode of [[], ['-m', 'smart'], ['-m', 'fast'], ['-m', 'immediate']]) {
      const pid = await start(scratch);
      const { status, stdout, stderr } = await runOurs(['-f', scratch.configFile, ...mode, 'stop']);
      assert.deepEqual([status, stdout], [0, '']);
      assert.match(stderr, new RegExp(`^LOG: {2}stop request sent to pgpool \\(pid: ${pid}\\)\\. waiting for termination\\.\\.\\.\\n\\.+done\\.\\n$`));
      assert.equal(isAlive(pid), false);
      assert.equal(existsSync(scratch.pidFile), false);
      assert.equal(existsSync(`${scratch.pidFile}.record`), false);
    }
  });
});

test('a smart stop waits for the sessions', async () => {
  await withScratch(served(), async (scratch) => {
    await start(scratch);
    const client = await WireClient.login(scratch.port);
    const stopping = launch(ours, ['-f', scratch.configFile, 'stop']);
    await eventually('some seconds have passed', () => stopping.stderr().endsWith('...'));
    client.query('select 1');
    await client.readUntil('Z');
    assert.equal(stopping.child.exitCode, null);
    client.end();
    assert.equal((await stopping.ended).status, 0);
  });
});

test('a fast stop ends the sessions with 57P01', async () => {
  await withScratch(served(), async (scratch) => {
    for (const mode of ['fast', 'immediate']) {
      await start(scratch);
      const client = await WireClient.login(scratch.port);
      const stopping = runOurs(['-f', scratch.configFile, '-m', mode, 'stop']);
      assert.equal(firstError(await client.expectClose())?.['C'], '57P01');
      assert.equal((await stopping).status, 0);
    }
  });
});

test('a smart stop under way is hurried by a fast one', async () => {
  await withScratch(served(), async (scratch) => {
    const pid = await start(scratch);
    const client = await WireClient.login(scratch.port);
    const smart = launch(ours, ['-f', scratch.configFile, '-m', 's', 'stop']);
    await eventually('the first signal was sent', () => smart.stderr().includes('.\n.'));
    const fast = runOurs(['-f', scratch.configFile, '-m', 'f', 'stop']);
    assert.equal(firstError(await client.expectClose())?.['C'], '57P01');
    assert.deepEqual([(await smart.ended).status, (await fast).status], [0, 0]);
    assert.equal(isAlive(pid), false);
  });
});

test('a signal that got lost is sent again', async () => {
  await withScratch({}, async (scratch) => {
    // pgpool loses none, so this stands in for it.
    const deaf = launch(process.execPath, ['-e', "let n = 0; process.on('SIGTERM', () => { if (++n === 2) process.exit(0); }); setInterval(() => {}, 1000); console.error('ready');"]);
    await eventually('it listens', () => deaf.stderr().includes('ready'));
    writeFileSync(scratch.pidFile, `${deaf.child.pid}\0`);
    const { status, stderr } = await runOurs(['-f', scratch.configFile, 'stop']);
    assert.equal(status, 0);
    assert.match(stderr, /\n\.{5,7}done\.\n$/);
    assert.equal(existsSync(scratch.pidFile), false);
    assert.equal((await deaf.ended).status, 0);
  });
});

test('stop and reload without a pgpool that runs say so and exit with 1', async () => {
  await withScratch({}, async (scratch) => {
    for (const word of ['stop', 'reload']) {
      const none = await runOurs(['-f', scratch.configFile, word]);
      assert.equal(none.status, 1);
      assert.match(none.stderr, /^FATAL: {2}could not read pid file/);
    }
    writeFileSync(scratch.pidFile, '4194303\0');
    assert.match((await runOurs(['-f', scratch.configFile, 'stop'])).stderr, /FATAL: {2}could not stop process with pid: 4194303\nDETAIL: {2}No such process/);
    assert.match((await runOurs(['-f', scratch.configFile, 'reload'])).stderr, /FATAL: {2}could not reload configuration file pid: 4194303\nDETAIL: {2}No such process/);
    // Pgpool-II takes this for process 0, which is every process of the group.
    writeFileSync(scratch.pidFile, 'abc');
    assert.equal((await runOurs(['-f', scratch.configFile, 'reload'])).status, 1);
    const elsewhere = await runOurs(['-f', join(scratch.directory, 'none.conf'), 'reload']);
    assert.equal(elsewhere.status, 1);
    assert.match(elsewhere.stderr, /WARNING: {2}could not open configuration file .*none\.conf/);
  });
});

test('pgpool is found and stopped although pgpool.conf has been broken', async () => {
  await withScratch({}, async (scratch) => {
    const pid = await start(scratch);
    appendFileSync(scratch.configFile, 'num_init_childrn = 3\n');
    assert.equal((await runOurs(['-f', scratch.configFile, 'reload'])).status, 0);
    assert.equal((await runOurs(['-f', scratch.configFile, '-m', 'f', 'stop'])).status, 0);
    assert.equal(isAlive(pid), false);
  });
});

test('-D removes the states of the nodes from an earlier run', async () => {
  await withScratch({}, async (scratch) => {
    const file = join(scratch.directory, 'pgpool_status');
    // All nodes are down here, so that nothing new is written.
    writeFileSync(file, 'up\n');
    await start(scratch);
    assert.ok(existsSync(file));
    await runOurs(['-f', scratch.configFile, '-m', 'f', 'stop']);
    await start(scratch, '-D');
    assert.equal(existsSync(file), false);
  });
});

test('-d logs debug messages', async () => {
  await withScratch({}, async (scratch) => {
    const { stderr } = await runOurs(['-f', scratch.configFile, '-d', '-x']);
    assert.match(stderr, /LOG: /);
    assert.match((await runOurs(['-f', scratch.configFile, 'check-config'])).stdout, /nothing would change/);
  });
});

test(`Debian's ${debian} reloads and stops pgloom, and pgloom's command stops Debian's`, { skip: noDebian }, async () => {
  await withScratch({ backend_clustering_mode: 'raw' }, async (scratch) => {
    const pid = await start(scratch);
    assert.equal((await runDebian(['-f', scratch.configFile])).status, 1);
    assert.equal((await runDebian(['-f', scratch.configFile, 'reload'])).status, 0);
    assert.equal((await runDebian(['-f', scratch.configFile, '-m', 'f', 'stop'])).status, 0);
    assert.equal(isAlive(pid), false);

    const theirs = launch(debian, ['-n', '-f', scratch.configFile, '-F', join(scratch.directory, 'pcp.conf')]);
    await eventually('it runs', () => theirs.stderr().includes('successfully started'));
    const refused = await runOurs(['-f', scratch.configFile]);
    assert.match(refused.stderr, /ERROR: pid file found/);
    assert.equal((await runOurs(['-f', scratch.configFile, 'reload'])).status, 0);
    assert.match((await runOurs(['-f', scratch.configFile, 'status'])).stdout, /it is not pgloom/);
    const stopped = await runOurs(['-f', scratch.configFile, '-m', 'f', 'stop']);
    assert.equal(stopped.status, 0, stopped.stderr);
    await theirs.ended;
  });
});
