/** `pgpool check-config` and `pgpool status`. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { recordFileOf } from '../../src/main/run-record.js';
import { encryptKey } from '../support/certificates.js';
import { eventually } from '../support/eventually.js';
import { withCertificates } from '../tls/fixture.js';
import { launch, ours, runOurs, type Scratch, untilEnded, withScratch } from './commands.js';

const checked = (scratch: Scratch, ...more: string[]) => runOurs(['-f', scratch.configFile, ...more, 'check-config']);

test('files without a fault give status 0', async () => {
  await withScratch({ enable_pool_hba: true, pool_passwd: 'pool_passwd' }, async (scratch) => {
    writeFileSync(join(scratch.directory, 'pool_hba.conf'), 'local all all trust\n');
    writeFileSync(join(scratch.directory, 'pcp.conf'), '# who\n\nme:e8a48653851e28c69d0506508fb27fc5\n');
    writeFileSync(join(scratch.directory, 'pool_passwd'), 'me:secret\n', { mode: 0o600 });
    const { status, stdout, stderr } = await checked(scratch);
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(stdout, /the files are right\n$/);
  });
});

test('the faults of all files are told, each with file and line', async () => {
  await withScratch({ enable_pool_hba: true }, async (scratch) => {
    const { directory, configFile } = scratch;
    const at = (name: string): string => join(directory, name);
    writeFileSync(at('my_hba'), 'local all all trust\nlocal all all perhaps\nguest all all trust\n');
    writeFileSync(at('my_pcp'), 'me:e8a48653851e28c69d0506508fb27fc5\nno colon\nyou:secret word\n');
    for (const broken of [false, true]) {
      if (broken) writeFileSync(configFile, 'port = 9999\nprt = 1\nload_balance_mode = perhaps\n');
      const { status, stderr, stdout } = await checked(scratch, '-a', at('my_hba'), '-F', at('my_pcp'));
      assert.equal(status, 1);
      for (const place of [`${at('my_hba')}:2: `, `${at('my_hba')}:3: `, `${at('my_pcp')}:2: `, `${at('my_pcp')}:3: `, ...(broken ? [`${configFile}:2: prt`, `${configFile}:3: load_balance_mode`] : [])]) {
        assert.ok(stderr.includes(`ERROR:  ${place}`), `${place} in ${stderr}`);
      }
      assert.match(stderr, broken ? /\n6 faults found\n$/ : /\n4 faults found\n$/);
      assert.ok(!`${stderr}${stdout}`.includes('secret'));
    }
  });
});

test('check-config and check-auth take ssl_passphrase_command with them when they are interrupted', async () => {
  await withCertificates(async ({ server }, directory) => {
    const pids = join(directory, 'pids');
    const ssl = { ssl: true, ssl_cert: server.cert, ssl_key: await encryptKey(server.key, 'secret'), ssl_passphrase_command: `echo $$ >> ${pids}; sleep 1000` };
    await withScratch(ssl, async ({ configFile }) => {
      for (const [run, command] of [['check-config'], ['check-auth', '-U', 'postgres', '-d', 'test']].entries()) {
        const running = launch(ours, ['-f', configFile, ...command]);
        await eventually('the command runs', () => existsSync(pids) && readFileSync(pids, 'utf8').split('\n').length === run + 2);
        running.child.kill('SIGINT');
        assert.deepEqual(await once(running.child, 'exit'), [null, 'SIGINT']);
        await untilEnded(Number(readFileSync(pids, 'utf8').split('\n')[run]));
      }
    });
  });
});

test('what is known but not acted on, odd lines and files that are not in use are warnings', async () => {
  await withScratch({ pool_passwd: 'pool_passwd', use_watchdog: false, wd_priority: 7 }, async (scratch) => {
    writeFileSync(join(scratch.directory, 'pool_hba.conf'), 'local all all perhaps\n');
    writeFileSync(join(scratch.directory, 'pool_passwd'), 'nothing but secrets\n');
    const { status, stdout, stderr } = await checked(scratch);
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(stdout, /WARNING: {2}.*pool_hba\.conf:1: .*enable_pool_hba is off/);
    assert.match(stdout, /WARNING: {2}.*pool_passwd:1: /);
    assert.match(stdout, /WARNING: {2}.*pgpool\.conf: wd_priority: known, but not acted on yet/);
    assert.ok(!stdout.includes('secrets'));
  });
});

test('a user of the checks without a password, and a pool_passwd that is not there, are warnings', async () => {
  await withScratch({ pool_passwd: 'pool_passwd', sr_check_user: 'looker', health_check_user: 'looker' }, async (scratch) => {
    const { status, stdout } = await checked(scratch);
    assert.equal(status, 0);
    assert.match(stdout, /WARNING: {2}.*pool_passwd: there is no such file, though pool_passwd in .*pgpool\.conf names it/);
    assert.match(stdout, /WARNING: {2}.*sr_check_user: user "looker" has no password .*: if the servers ask for a password, pgpool cannot find out which node is the primary\n/);
    assert.equal(stdout.split('"looker"').length, 2, 'one warning');
    writeFileSync(join(scratch.directory, 'pool_passwd'), 'looker:TEXTx\n', { mode: 0o600 });
    assert.doesNotMatch((await checked(scratch)).stdout, /looker|no such file, though/);
    scratch.write({ pool_passwd: '', sr_check_user: '', health_check_user: 'a', health_check_user1: 'b', backend_hostname1: 'other', backend_port1: 5433, health_check_password1: 'x' });
    assert.match((await checked(scratch)).stdout, /WARNING: {2}.*health_check_user0: user "a" has no password/);
  });
});

test('what a reload and a restart would change in the one that runs is told', async () => {
  await withScratch({ enable_pool_hba: true, health_check_password: 'hidden1', backend_weight0: 1 }, async (scratch) => {
    const hba = join(scratch.directory, 'pool_hba.conf');
    writeFileSync(hba, 'local all all trust\n');
    assert.equal((await runOurs(['-f', scratch.configFile])).status, 0);
    assert.match((await checked(scratch)).stdout, /passwords are not compared\):\n {2}nothing would change\n/);

    scratch.write({ client_idle_limit: 777, num_init_children: 9, backend_weight0: 3, backend_hostname1: 'other', backend_port1: 5433, health_check_password: 'hidden2', health_check_period: 12 });
    const laterS = Date.now() / 1000 + 60;
    utimesSync(hba, laterS, laterS);
    const { status, stdout } = await checked(scratch);
    assert.equal(status, 0);
    for (const line of ['by a reload: client_idle_limit: 0 -> 777s', 'by a restart: num_init_children: 4 -> 9', 'by a reload: backend_weight0: 1.0 -> 3.0', 'by a reload: backend_port1: not set -> 5433', `by a reload: ${hba} was changed after it was read`]) {
      assert.ok(stdout.includes(`  ${line}\n`), `${line} in ${stdout}`);
    }
    assert.match(stdout, /by a reload: health_check_period0?: 0 -> 12s/);
    assert.ok(!stdout.includes('hidden'));

    assert.equal((await runOurs(['-f', scratch.configFile, 'reload'])).status, 0);
    await eventually('only the restart is left', async () => !(await checked(scratch)).stdout.includes('client_idle_limit'));
    assert.match((await checked(scratch)).stdout, /by a restart: num_init_children: 4 -> 9/);
  });
});

test('the record that this is known from is private and holds no passwords', async () => {
  await withScratch({ health_check_password: 'hidden1', sr_check_password: 'hidden2', recovery_password: 'hidden3', wd_authkey: 'hidden4', health_check_password0: 'hidden5', wd_lifecheck_password: 'hidden6' }, async (scratch) => {
    assert.equal((await runOurs(['-f', scratch.configFile])).status, 0);
    const file = recordFileOf(scratch.pidFile);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const text = readFileSync(file, 'utf8');
    assert.ok(text.includes('client_idle_limit') && !text.includes('hidden'), text);
  });
});

test('status tells what runs with 0, and 3 when nothing does', async () => {
  await withScratch({}, async (scratch) => {
    const status = () => runOurs(['-f', scratch.configFile, 'status']);
    const none = await status();
    assert.deepEqual([none.status, none.stdout], [3, `pgpool does not run (no pid file "${scratch.pidFile}")\n`]);
    assert.equal((await runOurs(['-f', scratch.configFile])).status, 0);
    writeFileSync(join(scratch.directory, 'pgpool_status'), 'up\ndown\n');
    const { status: code, stdout } = await status();
    assert.equal(code, 0);
    for (const part of [/^pgpool runs\n/, new RegExp(` pid +${scratch.pid()} `), / since +20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\n/, / version +4\./, new RegExp(` listens on 127\\.0\\.0\\.1:${scratch.port}, `), new RegExp(` files +${scratch.configFile}, `), / node 0 +127\.0\.0\.1:\d+ up\n/]) {
      assert.match(stdout, part);
    }
  });
});

test('status with a pid file that nobody can read is an error', async () => {
  await withScratch({ pid_file_name: '/proc/self/mem/pgpool.pid' }, async (scratch) => {
    const { status, stderr } = await runOurs(['-f', scratch.configFile, 'status']);
    assert.equal(status, 1);
    assert.match(stderr, /FATAL: {2}could not read pid file/);
  });
});

test('a pgpool that is starting is told from one that runs', async () => {
  await withScratch({}, async (scratch) => {
    const pgpool = launch(ours, ['-n', '-f', scratch.configFile]);
    await eventually('the pid file is there', () => scratch.pid() > 0);
    await eventually('it is ready', async () => (await runOurs(['-f', scratch.configFile, 'status'])).stdout.includes('listens on'));
    pgpool.child.kill('SIGTERM');
    assert.equal((await pgpool.ended).status, 0);
    assert.equal((await runOurs(['-f', scratch.configFile, 'status'])).status, 3);
  });
});
