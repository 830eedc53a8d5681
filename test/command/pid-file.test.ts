/** The pid file: who owns it, and what is left of one that died. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfig } from '../../src/main/config/load.js';
import { isAlive } from '../../src/main/pid-file.js';
import { recordFileOf, writeRunRecord } from '../../src/main/run-record.js';
import { eventually } from '../support/eventually.js';
import { launch, ours, runOurs, type Scratch, untilEnded, withBystander, withScratch } from './commands.js';

async function startsAndStops(scratch: Scratch): Promise<string> {
  const { status, stderr } = await runOurs(['-f', scratch.configFile]);
  assert.equal(status, 0, stderr);
  assert.equal(readFileSync(scratch.pidFile, 'latin1'), `${scratch.pid()}\0`);
  assert.equal(statSync(scratch.pidFile).mode & 0o777, 0o600);
  assert.equal((await runOurs(['-f', scratch.configFile, '-m', 'f', 'stop'])).status, 0);
  return stderr;
}

test('the file of a pgpool that was killed is taken over with a NOTICE', async () => {
  await withScratch({ log_min_messages: 'notice' }, async (scratch) => {
    assert.equal((await runOurs(['-f', scratch.configFile])).status, 0);
    const pid = scratch.pid();
    process.kill(pid, 'SIGKILL');
    await untilEnded(pid);
    assert.equal((await runOurs(['-f', scratch.configFile, 'status'])).status, 3);
    assert.match(await startsAndStops(scratch), new RegExp(`NOTICE: .*process ${pid} was left behind`));
  });
});

test('an empty file is taken over when a start may have left it, any other stays', async () => {
  await withScratch({}, async (scratch) => {
    writeFileSync(scratch.pidFile, '', { mode: 0o644 });
    const { status, stderr } = await runOurs(['-f', scratch.configFile]);
    assert.equal(status, 1);
    assert.match(stderr, /exists and is empty, but no pid file of ours/);
    assert.ok(existsSync(scratch.pidFile));
    chmodSync(scratch.pidFile, 0o600);
    if (process.getuid?.() === 0) {
      chownSync(scratch.pidFile, 1, 1);
      assert.equal((await runOurs(['-f', scratch.configFile])).status, 1);
      chownSync(scratch.pidFile, 0, 0);
    }
    await startsAndStops(scratch);
  });
});

test('stop and reload leave a program alone that cannot be a pgpool, whatever the file says', async () => {
  await withScratch({}, async (scratch) => {
    await withBystander(async (pid) => {
      writeFileSync(scratch.pidFile, `${pid}\0`);
      for (const word of ['stop', 'reload']) {
        const { status, stderr } = await runOurs(['-f', scratch.configFile, word]);
        assert.equal(status, 1);
        assert.match(stderr, /it is neither node nor pgpool; the number belongs to another process now/);
      }
      assert.equal(isAlive(pid), true);
    });
  });
});

test('stop leaves neither file of a pgpool that is killed meanwhile', async () => {
  await withScratch({}, async (scratch) => {
    assert.equal((await runOurs(['-f', scratch.configFile])).status, 0);
    const pid = scratch.pid();
    // It hears nothing until it is killed.
    process.kill(pid, 'SIGSTOP');
    const stop = launch(ours, ['-f', scratch.configFile, 'stop']);
    await eventually('it waits', () => stop.stderr().includes('waiting for termination'));
    process.kill(pid, 'SIGKILL');
    assert.equal((await stop.ended).status, 0);
    assert.equal(existsSync(scratch.pidFile), false);
    assert.equal(existsSync(recordFileOf(scratch.pidFile)), false);
  });
});

test('on a full disk nothing half written of the run record and of pgpool_status is left', async () => {
  await withScratch({}, async (scratch) => {
    const left = join(scratch.directory, 'left');
    mkdirSync(left);
    writeFileSync(join(left, 'pid'), '1\0');
    const of = (file: string): string => JSON.stringify(new URL(`../../src/main/${file}.js`, import.meta.url).href);
    const script = `
      const { writeRunRecord } = await import(${of('run-record')});
      const { loadConfig } = await import(${of('config/load')});
      const { StatusFile } = await import(${of('cluster/status-file')});
      const { settings } = loadConfig(${JSON.stringify(scratch.configFile)});
      new StatusFile(${JSON.stringify(join(left, 'pgpool_status'))}, { log: () => console.log('not written') }).write(['up']);
      try { writeRunRecord(${JSON.stringify(join(left, 'pid'))}, { pid: process.pid, settings }); } catch (error) { console.log(error.code); }`;
    // No file may grow: as good as a full disk.
    const output = execFileSync('/bin/sh', ['-c', 'ulimit -f 0; exec "$@"', 'sh', process.execPath, '--input-type=module', '-e', script], { encoding: 'utf8' });
    assert.equal(output, 'not written\nEFBIG\n');
    assert.deepEqual(readdirSync(left), ['pid']);
  });
});

test('a file that holds anything else is neither overwritten nor removed', async () => {
  await withScratch({}, async (scratch) => {
    writeFileSync(scratch.pidFile, 'my diary\n');
    const { status, stderr } = await runOurs(['-f', scratch.configFile]);
    assert.equal(status, 1);
    assert.match(stderr, /ERROR: ".*" exists and holds no process id/);
    assert.equal(readFileSync(scratch.pidFile, 'utf8'), 'my diary\n');
  });
});

test('a pipe or a device is neither overwritten nor removed', async () => {
  await withScratch({}, async (scratch) => {
    execFileSync('mkfifo', [scratch.pidFile]);
    try {
      const { status, stderr } = await runOurs(['-f', scratch.configFile]);
      assert.equal(status, 1);
      assert.match(stderr, /is not a plain file/);
      assert.ok(statSync(scratch.pidFile).isFIFO());
      for (const word of ['stop', 'reload', 'status']) assert.equal((await runOurs(['-f', scratch.configFile, word])).status, 1, word);
    } finally {
      rmSync(scratch.pidFile); // Nobody else must wait for what comes out of it.
    }
  });
});

test('a link that somebody put in its place is not followed', async () => {
  await withScratch({}, async (scratch) => {
    const target = join(scratch.directory, 'target');
    writeFileSync(target, '1\n');
    symlinkSync(target, scratch.pidFile);
    const { status, stderr } = await runOurs(['-f', scratch.configFile]);
    assert.equal(status, 1);
    assert.match(stderr, /ELOOP/);
    assert.equal(readFileSync(target, 'utf8'), '1\n');
  });
});

test('a process that pgloom knows nothing of is taken for a pgpool, as Pgpool-II does', async () => {
  await withScratch({}, async (scratch) => {
    await withBystander(async (pid) => {
      writeFileSync(scratch.pidFile, `${pid}\0`);
      const { status, stderr } = await runOurs(['-f', scratch.configFile]);
      assert.equal(status, 1);
      assert.ok(stderr.includes(`another pgpool(${pid})`), stderr);
      assert.equal((await runOurs(['-f', scratch.configFile, 'status'])).status, 0);
    });
  });
});

test('a process that has got the number of a dead pgloom is left alone', async () => {
  await withScratch({}, async (scratch) => {
    await withBystander(async (pid) => {
      // What a pgloom of this number would have left behind.
      writeFileSync(scratch.pidFile, `${pid}\0`);
      const leave = (): void => writeRunRecord(scratch.pidFile, {
        pid, state: 'running', version: '', startedMs: 1, loadedMs: 1, addresses: [], hbaFile: '', pcpFile: '', debug: false,
        holdsLock: true, settings: loadConfig(scratch.configFile).settings,
      });
      leave();
      for (const word of ['stop', 'reload']) {
        const { status, stderr } = await runOurs(['-f', scratch.configFile, word]);
        assert.equal(status, 1);
        assert.match(stderr, /the number belongs to another process now/);
      }
      assert.equal((await runOurs(['-f', scratch.configFile, 'status'])).status, 3);
      assert.equal(isAlive(pid), true);
      // A record that is not of this very file proves nothing.
      writeFileSync(scratch.pidFile, `${pid}\0`);
      assert.equal((await runOurs(['-f', scratch.configFile])).status, 1);
      leave();
      await startsAndStops(scratch);
      assert.equal(isAlive(pid), true);
    });
  });
});

test('of several starts at the same moment exactly one succeeds, with and without a file left behind', async () => {
  await withScratch({}, async (scratch) => {
    for (const left of [null, '4194303\0']) {
      if (left !== null) writeFileSync(scratch.pidFile, left);
      const starts = Array.from({ length: 4 }, () => launch(ours, ['-n', '-f', scratch.configFile]));
      await eventually('all but one have ended', () => starts.filter(({ child }) => child.exitCode !== null).length === 3);
      await eventually('one is ready', () => existsSync(recordFileOf(scratch.pidFile)));
      const winner = starts.find(({ child }) => child.exitCode === null);
      assert.equal(scratch.pid(), winner?.child.pid);
      for (const start of starts.filter((one) => one !== winner)) {
        const { status, stderr } = await start.ended;
        assert.equal(status, 1);
        assert.match(stderr, /ERROR: pid file found\. is another pgpool\(\d+\) is running\?/);
      }
      assert.equal((await runOurs(['-f', scratch.configFile, '-m', 'f', 'stop'])).status, 0);
      assert.equal((await winner?.ended)?.status, 0);
    }
  });
});

test('a pid file that was removed or replaced meanwhile is not removed by the old owner', async () => {
  await withScratch({}, async (scratch) => {
    assert.equal((await runOurs(['-f', scratch.configFile])).status, 0);
    const pid = scratch.pid();
    await withBystander(async (other) => {
      writeFileSync(scratch.pidFile, `${other}\0`);
      process.kill(pid, 'SIGINT');
      await untilEnded(pid);
      assert.equal(scratch.pid(), other);
    });
  });
});
