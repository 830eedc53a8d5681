/** The log files themselves: a descriptor of our own is the log, and the clock is turned by hand. */
import assert from 'node:assert/strict';
import { chmodSync, chownSync, closeSync, existsSync, linkSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync, writeSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { LogFile, type LogFileSettings } from '../../src/main/observe/log-file.js';
import { LogFileError } from '../../src/main/observe/log-file-open.js';
import { createLogger, type Logger } from '../../src/shared/logger.js';

interface Bench {
  readonly directory: string;
  readonly settings: LogFileSettings;
  readonly log: Logger;
  readonly descriptor: number;
  readonly clock: { ms: number };
  open(change?: Partial<LogFileSettings>): LogFile;
  write(text: string): void;
  read(name: string): string;
}

function bench(t: TestContext): Bench {
  const scratch = mkdtempSync(path.join(tmpdir(), 'pgloom-log-file-'));
  const descriptor = openSync('/dev/null', 'w');
  const directory = path.join(scratch, 'deep', 'logs');
  const clock = { ms: new Date(2026, 10, 23, 4, 5, 6).getTime() };
  const settings: LogFileSettings = {
    configFile: path.join(scratch, 'pgpool.conf'), log_directory: directory, log_filename: 'log-%d_%H%M%S', log_file_mode: 0o640,
    log_truncate_on_rotation: false, log_rotation_age: 60, log_rotation_size: 1,
  };
  const log = createLogger({ log_min_messages: 'warning', log_line_prefix: '', log_error_verbosity: 'default', log_format: 'text', log_destination: 'stderr', syslog_facility: 'LOCAL0', syslog_ident: '' }, descriptor);
  const opened: LogFile[] = [];
  t.after(() => {
    for (const file of opened) file.stop();
    closeSync(descriptor);
    rmSync(scratch, { recursive: true, force: true });
  });
  return {
    directory, settings, log, descriptor, clock,
    open: (change = {}) => {
      const file = new LogFile({ ...settings, ...change }, log, { descriptor, now: () => clock.ms });
      opened.push(file);
      return file;
    },
    write: (text) => { writeSync(descriptor, text); },
    read: (name) => readFileSync(path.join(directory, name), 'utf8'),
  };
}

const secondMs = 1000;
const hourMs = 3600 * secondMs;

test('the directory is made for the owner alone, and a file gets exactly its mode whatever the umask is', (t) => {
  const { open, directory, write, read } = bench(t);
  for (const [umask, mode, name] of [[0o077, 0o664, 'a'], [0o000, 0o600, 'b'], [0o177, 0o444, 'c']] as const) {
    const before = process.umask(umask);
    try {
      open({ log_filename: name, log_file_mode: mode });
    } finally {
      process.umask(before);
    }
    assert.equal(statSync(path.join(directory, name)).mode & 0o777, mode | 0o200, name);
    write(`${name}\n`);
    assert.equal(read(name), `${name}\n`);
  }
  assert.equal(statSync(directory).mode & 0o777, 0o700);
});

test('at the age limit the next file begins, named by the time it was due', (t) => {
  const { open, directory, write, clock, read } = bench(t);
  const file = open();
  write('one\n');
  clock.ms += hourMs - 6 * secondMs - 5 * 60 * secondMs - 1;
  file.check();
  assert.deepEqual(readdirSync(directory), ['log-23_040506']);
  clock.ms += 3 * secondMs;
  file.check();
  write('two\n');
  assert.deepEqual(readdirSync(directory).toSorted(), ['log-23_040506', 'log-23_050000']);
  assert.equal(read('log-23_050000'), 'two\n');
  file.check();
  assert.equal(path.basename(file.path), 'log-23_050000');
  clock.ms += hourMs;
  file.check();
  assert.equal(path.basename(file.path), 'log-23_060000');
});

test('only a change of name by age empties an old file: neither the start, nor the size, nor an order', (t) => {
  const { open, write, clock, read, directory } = bench(t);
  mkdirSync(directory, { recursive: true });
  for (const name of ['log-04', 'log-05', 'log-06']) writeFileSync(path.join(directory, name), 'old\n');
  const file = open({ log_filename: 'log-%H', log_truncate_on_rotation: true });
  write('new\n');
  assert.equal(read('log-04'), 'old\nnew\n');
  file.rotate();
  write('x'.repeat(1024));
  file.check();
  assert.equal(read('log-04').length, 8 + 1024);
  clock.ms += hourMs;
  file.check();
  write('new\n');
  assert.equal(read('log-05'), 'new\n');
  clock.ms += hourMs;
  file.rotate();
  assert.equal(read('log-06'), 'old\n');
});

test('at the size limit the next file begins, unless it would have the same name', (t) => {
  const { open, write, clock, directory } = bench(t);
  const file = open();
  write('x'.repeat(1023));
  file.check();
  clock.ms += secondMs;
  file.check();
  assert.equal(readdirSync(directory).length, 1);
  write('x');
  file.check();
  assert.deepEqual(readdirSync(directory).toSorted(), ['log-23_040506', 'log-23_040507']);
  write('y'.repeat(5000));
  file.check();
  write('z');
  assert.deepEqual(readdirSync(directory).map((name) => statSync(path.join(directory, name)).size).toSorted(), [1024, 5001]);
});

test('a file that was removed or moved away, or whose directory was removed, is made anew', (t) => {
  const { open, write, read, directory } = bench(t);
  const file = open({ log_filename: 'log' });
  write('one\n');
  renameSync(path.join(directory, 'log'), path.join(directory, 'log.1'));
  write('two\n');
  file.check();
  write('three\n');
  assert.equal(read('log.1'), 'one\ntwo\n');
  assert.equal(read('log'), 'three\n');
  rmSync(directory, { recursive: true });
  write('nowhere\n');
  file.check();
  write('four\n');
  assert.equal(read('log'), 'four\n');
  file.rotate();
  write('five\n');
  assert.equal(read('log'), 'four\nfive\n');
});

test('when the next file cannot be opened the old one stays, says why once, and the next is tried again', (t) => {
  const { open, write, read, directory, settings } = bench(t);
  const file = open({ log_filename: 'log' });
  const blocker = path.join(directory, 'blocker');
  writeFileSync(blocker, '');
  const next = { ...settings, log_filename: 'log', log_directory: blocker };
  file.reload(next);
  for (let i = 0; i < 3; i++) file.check();
  write('still here\n');
  assert.equal(read('log').match(/^ERROR: {2}could not open log file ".*blocker\/log": /gm)?.length, 1);
  assert.match(read('log'), /still here\n$/);
  rmSync(blocker);
  file.check();
  write('at last\n');
  assert.equal(readFileSync(path.join(blocker, 'log'), 'utf8'), 'at last\n');
});

test('a reload that names another file begins it, any other does not', (t) => {
  const { open, directory, settings, clock } = bench(t);
  const file = open();
  clock.ms += secondMs;
  file.reload({ ...settings, log_rotation_size: 7, log_file_mode: 0o600 });
  assert.deepEqual(readdirSync(directory), ['log-23_040506']);
  file.reload({ ...settings, log_filename: 'other' });
  assert.equal(path.basename(file.path), 'other');
  assert.equal(statSync(file.path).mode & 0o777, 0o640);
});

test('what is no file is refused, also a pipe that nobody reads, and everything stays as it was', (t) => {
  const { open, directory, descriptor } = bench(t);
  mkdirSync(path.join(directory, 'directory'), { recursive: true });
  execFileSync('mkfifo', [path.join(directory, 'pipe')]);
  const before = statSync(`/proc/self/fd/${descriptor}`).ino;
  for (const name of ['directory', 'pipe']) assert.throws(() => open({ log_filename: name }), LogFileError);
  assert.equal(statSync(`/proc/self/fd/${descriptor}`).ino, before);
});

test('a link and a second name of a file are not written to, and nothing of them is lost', (t) => {
  const { open, directory, clock } = bench(t);
  mkdirSync(directory, { recursive: true });
  const precious = path.join(directory, 'precious');
  writeFileSync(precious, 'mine\n');
  symlinkSync(precious, path.join(directory, 'link-05'));
  linkSync(precious, path.join(directory, 'name-05'));
  symlinkSync(path.join(directory, 'nowhere'), path.join(directory, 'link-04'));
  assert.throws(() => open({ log_filename: 'link-%H' }), /it is a symbolic link/);
  for (const log_filename of ['link-05', 'name-05']) assert.throws(() => open({ log_filename }), LogFileError);
  const file = open({ log_filename: 'name-%H', log_truncate_on_rotation: true });
  clock.ms += hourMs;
  file.check();
  assert.equal(path.basename(file.path), 'name-04');
  assert.match(readFileSync(file.path, 'utf8'), /could not open log file ".*name-05": it has another name, too/);
  assert.equal(readFileSync(precious, 'utf8'), 'mine\n');
  assert.equal(existsSync(path.join(directory, 'nowhere')), false);
});

test('a directory above may be a link', (t) => {
  const { open, directory } = bench(t);
  mkdirSync(path.dirname(directory), { recursive: true });
  const real = path.join(path.dirname(directory), 'real');
  mkdirSync(real);
  symlinkSync(real, directory);
  open({ log_filename: 'log' });
  assert.deepEqual(readdirSync(real), ['log']);
});

test('a directory or file of another user, or a directory that everybody may write to, is refused', { skip: process.getuid?.() === 0 ? false : 'only root can give files away' }, (t) => {
  const { open, directory, settings } = bench(t);
  const file = open({ log_filename: 'log' });
  chownSync(directory, 1, 1);
  assert.throws(() => open(), /it belongs to another user/);
  file.rotate();
  assert.match(readFileSync(file.path, 'utf8'), /could not use log directory ".*": it belongs to another user/);
  chownSync(directory, 0, 0);
  chmodSync(directory, 0o777);
  assert.throws(() => open(), /everybody may write to it/);
  chmodSync(directory, 0o1777);
  writeFileSync(path.join(directory, 'theirs'), '');
  chownSync(path.join(directory, 'theirs'), 1, 1);
  assert.throws(() => open({ log_filename: 'theirs' }), /it belongs to another user/);
  assert.equal(path.basename(open({ ...settings, log_filename: 'ours' }).path), 'ours');
});

test('a directory below /proc is an error and no endless search', { skip: existsSync('/proc/1') ? false : 'there is no /proc' }, (t) => {
  const { open } = bench(t);
  assert.throws(() => open({ log_directory: '/proc/1/nowhere/logs' }), LogFileError);
});

test('a relative directory is beside pgpool.conf', (t) => {
  const { open, settings } = bench(t);
  const file = open({ log_directory: 'near' });
  assert.equal(path.dirname(file.path), path.join(path.dirname(settings.configFile), 'near'));
  assert.ok(existsSync(file.path));
});

test('restore gives the descriptor back what it was', (t) => {
  const { open, write, descriptor, read } = bench(t);
  const ino = statSync(`/proc/self/fd/${descriptor}`).ino;
  const file = open({ log_filename: 'log' });
  write('one\n');
  file.restore();
  write('gone\n');
  assert.equal(statSync(`/proc/self/fd/${descriptor}`).ino, ino);
  assert.equal(read('log'), 'one\n');
});

test('a directory that may not be written to any more is no reason to stop', { skip: process.getuid?.() === 0 ? 'root may write everywhere' : false }, (t) => {
  const { open, write, read, directory } = bench(t);
  const file = open({ log_filename: 'log' });
  chmodSync(directory, 0o500);
  t.after(() => chmodSync(directory, 0o700));
  file.rotate();
  write('on\n');
  assert.match(read('log'), /on\n$/);
});
