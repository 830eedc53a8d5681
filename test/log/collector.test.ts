/** logging_collector: a real pgloom writes files. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { eventually, untilMatch } from '../support/eventually.js';
import { withClient } from '../support/pgloom.js';
import { launch, type Launched } from './launch.js';

const collector = { logging_collector: true, log_statement: true, log_line_prefix: '%P ' };
const isRoot = process.getuid?.() === 0;

const run = (pgloom: Launched, sql: string): Promise<unknown> => withClient(pgloom, (client) => client.query(sql), { host: '127.0.0.1' });

test('the log goes into a file, and standard error only says where', async (t) => {
  const pgloom = await launch(t, { ...collector, log_filename: 'pgpool-%Y.log', log_file_mode: '0640' });
  await run(pgloom, "select 'into the file'");
  const text = await untilMatch(pgloom.log, /^child LOG: {2}statement: select 'into the file'$/m);
  assert.match(text, /^main LOG: {2}pgloom is ready/m);
  assert.deepEqual(readdirSync(pgloom.logs), [`pgpool-${new Date().getFullYear()}.log`]);
  assert.equal(statSync(path.join(pgloom.logs, readdirSync(pgloom.logs)[0] ?? '')).mode & 0o777, 0o640);
  assert.equal(statSync(pgloom.logs).mode & 0o777, 0o700);
  assert.equal(pgloom.stderr(), `main LOG:  redirecting log output to log files\nmain HINT:  Future log output will appear in directory "${pgloom.logs}".\n`);
});

test('once it has started, the standard error it was given is let go', async (t) => {
  const pgloom = await launch(t, { ...collector, log_filename: 'log' });
  await untilMatch(pgloom.log, /pgloom is ready/);
  await eventually('standard error is closed', () => pgloom.child.stderr?.closed === true);
  await run(pgloom, 'select 1');
});

test('what Node itself says when it dies is in the file, too', async (t) => {
  // At the signal Node writes a report to standard error, in its own way.
  const pgloom = await launch(t, { ...collector, log_filename: 'log' }, { env: { NODE_OPTIONS: '--report-on-signal --report-signal=SIGUSR2 --report-filename=stderr' } });
  pgloom.child.kill('SIGUSR2');
  await untilMatch(pgloom.log, /"nodejsVersion"/);
});

test('a start that fails says why on standard error and in the file', async (t) => {
  const occupier = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => { occupier.once('listening', resolve); });
  t.after(() => occupier.close());
  const { port } = occupier.address() as AddressInfo;
  const pgloom = await launch(t, { ...collector, log_filename: 'log', port }, { untilReady: false });
  assert.equal(await pgloom.exited, 1);
  await untilMatch(pgloom.stderr, /already in use/);
  await untilMatch(pgloom.log, /^main FATAL: {2}pgpool could not start: .*already in use/m);
});

test('a log directory that cannot be made is a reason not to start, and the pid file goes', async (t) => {
  const pgloom = await launch(t, { ...collector, log_directory: '/dev/null/logs' }, { untilReady: false });
  assert.equal(await pgloom.exited, 1);
  await untilMatch(pgloom.stderr, /could not open log file "\/dev\/null\/logs\/.*": not a directory/);
  assert.ok(!readdirSync(pgloom.directory).includes('pid'));
});

test('while two workers log, no statement is lost or torn by rotations by size, by name and by hand', async (t) => {
  const pgloom = await launch(t, { ...collector, worker_threads: 2, log_rotation_size: '64kB', log_filename: 'log-%H%M%S', log_line_prefix: '%p ' });
  const padding = 'x'.repeat(300);
  const state = { done: false };
  const rotations = (async () => {
    for (let i = 0; !state.done; i++) {
      pgloom.reload({ log_filename: `log-%H%M%S-${i}` });
      await sleep(150);
      // What logrotate does.
      const [first] = readdirSync(pgloom.logs).toSorted();
      if (first !== undefined) renameSync(path.join(pgloom.logs, first), path.join(pgloom.logs, `away-${i}`));
      await sleep(150);
    }
  })();
  // More than the four children of one worker.
  const clients = 6;
  const statements = 800;
  const wanted = new Set<string>();
  const enough = (): boolean => readdirSync(pgloom.logs).length > 5;
  await Promise.all(Array.from({ length: clients }, (_, at) => withClient(pgloom, async (client) => {
    for (let i = 0; i < statements || !enough(); i++) {
      const statement = `select ${at}, ${i}, '${padding}'`;
      wanted.add(statement);
      await client.query(statement);
    }
  })));
  state.done = true;
  await rotations;
  const pattern = /^\d+ (LOG|WARNING|HINT|DETAIL): {2}/;
  for (const line of pgloom.log().trimEnd().split('\n')) {
    assert.match(line, pattern);
    if (line.includes(padding)) assert.ok(wanted.delete(line.replace(/^\d+ LOG: {2}statement: /, '')), `twice or torn: ${line}`);
  }
  assert.equal(wanted.size, 0);
});

test('at log_rotation_size a new file begins', async (t) => {
  const pgloom = await launch(t, { ...collector, log_rotation_size: 4, log_filename: 'log-%s' });
  for (let i = 0; i < 4; i++) {
    await run(pgloom, `select '${'y'.repeat(3000)}'`);
    await sleep(600);
  }
  await eventually('a second file', () => readdirSync(pgloom.logs).length > 1);
});

test('pcp_log_rotate begins a new file', async (t) => {
  const pgloom = await launch(t, { ...collector, log_filename: 'log' });
  renameSync(path.join(pgloom.logs, 'log'), path.join(pgloom.logs, 'old'));
  const program = path.join(pgloom.directory, 'pcp_log_rotate');
  symlinkSync(fileURLToPath(new URL('../../src/main/cli/pcp.js', import.meta.url)), program);
  const passwords = path.join(pgloom.directory, 'pcppass');
  writeFileSync(passwords, `*:${pgloom.pcpPort}:admin:admin\n`, { mode: 0o600 });
  execFileSync(process.execPath, [program, '-w', '-h', '127.0.0.1', '-p', String(pgloom.pcpPort), '-U', 'admin'], { env: { ...process.env, PCPPASSFILE: passwords } });
  await run(pgloom, "select 'in the new file'");
  await untilMatch(() => readFileSync(path.join(pgloom.logs, 'log'), 'utf8'), /in the new file/);
  assert.doesNotMatch(readFileSync(path.join(pgloom.logs, 'old'), 'utf8'), /in the new file/);
});

test('a reload names another directory and other files, and a faulty one leaves things as they were', async (t) => {
  const pgloom = await launch(t, { ...collector, log_filename: 'log' });
  const elsewhere = path.join(pgloom.directory, 'elsewhere');
  pgloom.reload({ log_directory: elsewhere, log_line_prefix: 'new|', log_statement: true });
  await untilMatch(pgloom.log, /parameters changed: .*log_directory/);
  await run(pgloom, "select 'after the reload'");
  await untilMatch(() => pgloom.log(elsewhere), /^new\|LOG: {2}statement: select 'after the reload'$/m);
  writeFileSync(path.join(pgloom.directory, 'blocker'), '');
  pgloom.reload({ log_directory: path.join(pgloom.directory, 'blocker'), log_line_prefix: 'new|' });
  await untilMatch(() => pgloom.log(elsewhere), /could not open log file ".*blocker\/log"/);
  await run(pgloom, "select 'still alive'");
  await untilMatch(() => pgloom.log(elsewhere), /still alive/);
});

test('a directory that is removed stops no session, and is made again', async (t) => {
  const pgloom = await launch(t, { ...collector, log_filename: 'log' });
  await withClient(pgloom, async (client) => {
    await client.query('select 1');
    rmSync(pgloom.logs, { recursive: true });
    for (let i = 0; i < 20; i++) await client.query(`select ${i}`);
    await eventually('a directory', () => readdirSync(pgloom.directory).includes('logs'));
    await client.query("select 'seen again'");
  });
  await untilMatch(pgloom.log, /seen again/);
});

function mountTmpfs(t: TestContext): string | null {
  const directory = mkdtempSync(path.join(tmpdir(), 'pgloom-small-disk-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', directory]).status === 0;
  t.after(() => {
    // Lazily: pgloom still writes there.
    if (mounted) execFileSync('umount', ['-l', directory]);
    rmSync(directory, { recursive: true, force: true });
  });
  return mounted ? directory : null;
}

test('a full disk stops no session; afterwards the log goes on and says how much is missing', { skip: isRoot ? false : 'only root can make a small disk' }, async (t) => {
  const disk = mountTmpfs(t);
  if (disk === null) return t.skip('nothing can be mounted here');
  mkdirSync(path.join(disk, 'logs'));
  writeFileSync(path.join(disk, 'ballast'), 'b'.repeat(30_000));
  const pgloom = await launch(t, { ...collector, log_directory: path.join(disk, 'logs'), log_filename: 'log', worker_threads: 1 });
  const text = `select '${'z'.repeat(20_000)}'`;
  await withClient(pgloom, async (client) => {
    for (let i = 0; i < 80; i++) await client.query(text);
    rmSync(path.join(disk, 'ballast'));
    writeFileSync(path.join(disk, 'logs', 'log'), '');
    // What is kept is more than the disk has room for: it is emptied until everything has gone through it.
    let told = '';
    for (let i = 0; i < 200 && !/entries of the log were lost/.test(told); i++) {
      told = readFileSync(path.join(disk, 'logs', 'log'), 'utf8');
      writeFileSync(path.join(disk, 'logs', 'log'), '');
      await client.query('select 2');
    }
    assert.match(told, /^worker WARNING: {2}\d+ entries of the log were lost: they could not be written$/m);
  });
});

test('a limit on the size of files (SIGXFSZ) stops no session', { skip: spawnSync('prlimit', ['--version']).error === undefined ? false : 'there is no prlimit' }, async (t) => {
  const pgloom = await launch(t, { ...collector, log_filename: 'log' });
  execFileSync('prlimit', ['--pid', String(pgloom.pid), '--fsize=10000']);
  await withClient(pgloom, async (client) => {
    for (let i = 0; i < 20; i++) await client.query(`select '${'z'.repeat(2000)}'`);
  });
  assert.ok(statSync(path.join(pgloom.logs, 'log')).size <= 10_000);
});
