/** pgpool_status. */
import assert from 'node:assert/strict';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readStatusFile, removeStatusFile, StatusFile, statusFileOf } from '../../src/main/cluster/status-file.js';
import { LogLevel } from '../../src/shared/logger.js';
import { eventually } from '../support/eventually.js';
import { debian, launch, noDebian, withScratch } from './commands.js';

class Lines {
  readonly lines: string[] = [];
  log(level: LogLevel, message: string): void {
    this.lines.push(`${Object.entries(LogLevel).find(([, number]) => number === level)?.[0] ?? ''}: ${message}`);
  }
}

function withFile(use: (file: string, log: Lines) => void): void {
  const directory = mkdtempSync(join(tmpdir(), 'pgloom-s-'));
  try {
    use(join(directory, 'pgpool_status'), new Lines());
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

test('lines are read by their beginning, in upper and lower case', () => {
  withFile((file, log) => {
    writeFileSync(file, 'up\nDOWN\nUnused\ndown op\nDown  OP\nupwards\ndowntown\n');
    assert.deepEqual(readStatusFile(file, log), ['up', 'down', 'unused', 'detached', 'detached', 'up', 'down']);
    writeFileSync(file, 'down\r\nup');
    assert.deepEqual(readStatusFile(file, log), ['down', 'up']);
    assert.deepEqual(log.lines, []);
  });
});

test('a line that says nothing is a warning and tells nothing of its node', () => {
  withFile((file, log) => {
    writeFileSync(file, 'up\nperhaps\n\ndown\n');
    assert.deepEqual(readStatusFile(file, log), ['up', 'unused', 'unused', 'down']);
    assert.deepEqual(log.lines, [2, 3].map((line) => `warning: ${file}:${line}: neither up, down nor unused; node ${line - 1} begins anew`));
  });
});

test('when no node was up, or there is no file, all begin anew', () => {
  withFile((file, log) => {
    assert.equal(readStatusFile(file, log), null);
    for (const text of ['', 'down\ndown op\nunused\n']) {
      writeFileSync(file, text);
      assert.equal(readStatusFile(file, log), null);
    }
    assert.deepEqual(log.lines, []);
    assert.equal(readStatusFile(join(file, 'below'), log), null);
    assert.match(log.lines[0] ?? '', /^warning: could not read the states of the nodes from .*ENOTDIR/);
  });
});

test('the binary form of old releases is read', () => {
  withFile((file, log) => {
    const numbers = new Int32Array(128);
    numbers.set([2, 3, 1, 0, 2]);
    writeFileSync(file, Buffer.from(numbers.buffer));
    assert.deepEqual(readStatusFile(file, log)?.slice(0, 6), ['up', 'down', 'up', 'unused', 'up', 'unused']);
    // As long, but text.
    writeFileSync(file, 'up\n'.repeat(170).padEnd(512, '\n'));
    assert.equal(readStatusFile(file, log)?.length, 128);
  });
});

test('rubbish of any size is no more than warnings', () => {
  withFile((file, log) => {
    writeFileSync(file, Buffer.from(Array.from({ length: 100_000 }, (_, at) => (at * 7919) % 256)));
    readStatusFile(file, log);
    assert.ok(log.lines.length <= 128);
    rmSync(file);
    symlinkSync('/dev/zero', file);
    assert.equal(readStatusFile(file, log), null);
  });
});

test('the file is written in one step, when something has changed and a node is up', () => {
  withFile((file, log) => {
    const status = new StatusFile(file, log);
    status.write(['down', 'down']);
    assert.equal(existsSync(file), false);
    status.write(['up', 'detached', 'unused', 'down']);
    assert.equal(readFileSync(file, 'utf8'), 'up\ndown op\nunused\ndown\n');
    const { ino } = statSync(file);
    status.write(['up', 'detached', 'unused', 'down']);
    assert.equal(statSync(file).ino, ino);
    status.write(['down', 'down', 'unused', 'down']);
    assert.equal(statSync(file).ino, ino, 'the last good states survive');
    status.write(['up', 'up', 'unused', 'down']);
    assert.notEqual(statSync(file).ino, ino);
    assert.deepEqual(readStatusFile(file, log), ['up', 'up', 'unused', 'down']);
    assert.deepEqual(readdirSync(join(file, '..')), ['pgpool_status']);
    assert.deepEqual(log.lines, []);
    removeStatusFile(file);
    removeStatusFile(file);
    assert.equal(existsSync(file), false);
  });
});

test('a file that cannot be written is told of once, and again after it could be', () => {
  withFile((file, log) => {
    const missing = join(file, 'pgpool_status');
    const status = new StatusFile(missing, log);
    status.write(['up', 'up']);
    status.write(['up', 'down']);
    assert.deepEqual(log.lines, [`warning: could not write the states of the nodes to "${missing}": ENOENT`]);
  });
});

test('a link in the place of the file is replaced, not written through', () => {
  withFile((file, log) => {
    const target = join(file, '..', 'target');
    writeFileSync(target, 'mine');
    symlinkSync(target, file);
    symlinkSync(target, `${file}.${process.pid}`);
    new StatusFile(file, log).write(['up']);
    assert.equal(readFileSync(target, 'utf8'), 'mine');
    assert.equal(readFileSync(file, 'utf8'), 'up\n');
  });
});

test('a link and a file of another user are not believed', { skip: process.getuid?.() === 0 ? false : 'only root can give files away' }, () => {
  withFile((file, log) => {
    const target = join(file, '..', 'target');
    writeFileSync(target, 'up\ndown\n');
    symlinkSync(target, file);
    assert.equal(readStatusFile(file, log), null);
    rmSync(file);
    writeFileSync(file, 'up\ndown\n');
    assert.deepEqual(readStatusFile(file, log), ['up', 'down']);
    chownSync(file, 1, 1);
    assert.equal(readStatusFile(file, log), null);
    assert.match(log.lines[0] ?? '', /^warning: .*ELOOP/);
    assert.match(log.lines[1] ?? '', /^warning: .*it belongs to another user/);
  });
});

test('the file is in work_dir, which may be relative to pgpool.conf', () => {
  assert.equal(statusFileOf({ work_dir: '/var/log', configDirectory: '/etc' }), '/var/log/pgpool_status');
  assert.equal(statusFileOf({ work_dir: 'state', configDirectory: '/etc' }), '/etc/state/pgpool_status');
});

test(`what we write Debian's ${debian} reads, and what it writes we read`, { skip: noDebian }, async () => {
  await withScratch({ backend_clustering_mode: 'raw', backend_hostname1: '127.0.0.1', backend_port1: 5999, backend_hostname2: '127.0.0.1', backend_port2: 5998, health_check_period: 0, sr_check_period: 0 }, async ({ configFile, directory }) => {
    const file = join(directory, 'pgpool_status');
    const log = new Lines();
    new StatusFile(file, log).write(['up', 'detached', 'up']);
    const theirs = launch(debian, ['-n', '-d', '-f', configFile, '-F', join(directory, 'pcp.conf')]);
    try {
      await eventually('it runs', () => theirs.stderr().includes('successfully started'));
      assert.match(theirs.stderr(), /1 th backend is set to down/i);
    } finally {
      theirs.child.kill('SIGINT');
      await theirs.ended;
    }
    assert.deepEqual(readStatusFile(file, log)?.slice(0, 3), ['up', 'down', 'up']);
  });
});
