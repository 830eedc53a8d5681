import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { PgError } from '../../src/shared/errors.js';
import { reachesClient } from '../../src/shared/log-level.js';
import { compileLogPrefix } from '../../src/shared/log-prefix.js';
import { createLogger, LogLevel, newLogIdentity, type Logger, type LogLevelName, type LogSettings } from '../../src/shared/logger.js';

const directory = mkdtempSync(join(tmpdir(), 'pgloom-log-'));
after(() => rmSync(directory, { recursive: true, force: true }));

const defaults: LogSettings = { log_min_messages: 'warning', log_line_prefix: '%m: %a pid %p: ', log_error_verbosity: 'default', log_format: 'text', log_destination: 'stderr', syslog_facility: 'LOCAL0', syslog_ident: 'pgpool' };
let files = 0;

/** What is in the log after `action`. */
function logged(settings: Partial<LogSettings>, action: (log: Logger) => void): string {
  const file = join(directory, `log${files++}`);
  const fd = openSync(file, 'a');
  try {
    const log = createLogger({ ...defaults, ...settings }, fd);
    action(log);
    log.flush();
  } finally {
    closeSync(fd);
  }
  return readFileSync(file, 'utf8');
}

const identity = { id: 4711, processName: 'child', application: 'psql', database: 'shop', user: 'alice', host: '10.0.0.1' };

test('a line is Pgpool-II\'s: the prefix, the level, two blanks, the text', () => {
  const text = logged({}, log => log.child(identity).log(LogLevel.log, 'statement: SELECT 1'));
  assert.match(text, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}: psql pid 4711: LOG: {2}statement: SELECT 1\n$/);
});

test('detail and hint are lines of their own with the same prefix', () => {
  const text = logged({ log_line_prefix: '%p ' }, log => log.child(identity).log(LogLevel.error, 'm', { detail: 'd', hint: 'h' }));
  assert.equal(text, '4711 ERROR:  m\n4711 DETAIL:  d\n4711 HINT:  h\n');
});

test('an error lends its fields by log_error_verbosity, and an unexpected one its stack', () => {
  const error = new PgError('FATAL', '08P01', 'm', { detail: 'd', hint: 'h' });
  const at = (verbosity: LogSettings['log_error_verbosity']): string =>
    logged({ log_line_prefix: '', log_error_verbosity: verbosity }, log => log.log(LogLevel.fatal, error.message, { error }));
  assert.equal(at('terse'), 'FATAL:  m\n');
  assert.equal(at('default'), 'FATAL:  m\nDETAIL:  d\nHINT:  h\n');
  assert.equal(at('verbose'), 'FATAL:  08P01: m\nDETAIL:  d\nHINT:  h\n');
  const stack = logged({ log_line_prefix: '%p ' }, log => log.child(identity).log(LogLevel.error, 'm', { error: new Error('why') })).split('\n');
  assert.equal(stack[1], '4711 STACK:  Error: why');
  assert.ok(stack.slice(2, -1).every(line => line.startsWith('4711 STACK:  at ')));
});

test('log_min_messages sorts LOG above ERROR and below FATAL', () => {
  const order: LogLevelName[] = ['debug5', 'debug4', 'debug3', 'debug2', 'debug1', 'info', 'notice', 'warning', 'error', 'log', 'fatal', 'panic'];
  for (const [i, minimum] of order.entries()) {
    const text = logged({ log_min_messages: minimum, log_line_prefix: '' }, log => {
      for (const name of order) {
        assert.equal(log.isEnabled(LogLevel[name]), order.indexOf(name) >= i);
        log.log(LogLevel[name], name);
      }
    });
    assert.deepEqual(text.split('\n').slice(0, -1).map(line => line.split(':  ')[1]), order.slice(i), minimum);
  }
});

test('debug levels are all called DEBUG', () => {
  assert.equal(logged({ log_min_messages: 'debug5', log_line_prefix: '' }, log => log.log(LogLevel.debug3, 'x')), 'DEBUG:  x\n');
});

test('client_min_messages sorts LOG below INFO, and INFO always goes out', () => {
  assert.equal(reachesClient(LogLevel.notice, 'notice'), true);
  assert.equal(reachesClient(LogLevel.log, 'notice'), false);
  assert.equal(reachesClient(LogLevel.log, 'log'), true);
  assert.equal(reachesClient(LogLevel.debug1, 'log'), false);
  assert.equal(reachesClient(LogLevel.notice, 'log'), true);
  assert.equal(reachesClient(LogLevel.info, 'error'), true);
  assert.equal(reachesClient(LogLevel.warning, 'error'), false);
});

test('every escape of log_line_prefix stands for its value, with padding', () => {
  const time = new Date(2024, 1, 3, 4, 5, 6, 7).getTime();
  const table: [string, string][] = [
    ['%m|%t', '2024-02-03 04:05:06.007|2024-02-03 04:05:06'],
    ['%a %p %P %d %u %l', 'psql 4711 child shop alice 9'],
    ['[%8u][%-8u][%2u]', '[   alice][alice   ][alice]'],
    ['100%% %x%z|', '100% |'],
    ['plain', 'plain'],
    ['', ''],
    ['end%', 'end'],
    ['end%-', 'end'],
    ['%h', ''],
  ];
  for (const [format, expected] of table) assert.equal(compileLogPrefix(format)(identity, time, 9), expected, format);
  assert.equal(compileLogPrefix('%a %d %u')({ ...identity, application: '', database: '', user: '' }, time, 1), 'child [No Connection] [No Connection]');
  assert.equal(compileLogPrefix('%a %d %u')(newLogIdentity('main'), time, 1), 'main [No Connection] [No Connection]');
  assert.equal(compileLogPrefix('%999999999p')(identity, time, 1).length, 1000);
});

test('an identity is read when the line is made, and counts its own lines', () => {
  const text = logged({ log_line_prefix: '%a/%u/%l ' }, log => {
    const mine = newLogIdentity('child', 7);
    const child = log.child(mine);
    child.log(LogLevel.log, 'first');
    mine.user = 'bob';
    mine.application = 'app';
    child.log(LogLevel.log, 'second');
    child.log(LogLevel.debug1, 'not written, not counted');
    child.log(LogLevel.log, 'third');
    log.log(LogLevel.log, 'other');
  });
  assert.equal(text, 'child/[No Connection]/1 LOG:  first\napp/bob/2 LOG:  second\napp/bob/3 LOG:  third\nmain/[No Connection]/1 LOG:  other\n');
});

test('every line has a number of its own, also those of DETAIL and HINT', () => {
  const text = logged({ log_line_prefix: '%l ' }, log => {
    log.log(LogLevel.error, 'm', { detail: 'd', hint: 'h' });
    log.log(LogLevel.error, 'n');
  });
  assert.equal(text, '1 ERROR:  m\n2 DETAIL:  d\n3 HINT:  h\n4 ERROR:  n\n');
});

test('a statement or a name cannot forge a line', () => {
  const forged = 'SELECT 1\n2024-01-01 00:00:00.000: main pid 1: LOG:  forged\r\u001b[31m\u0085\u2028\u0000tab\there %s %d';
  const text = logged({}, log => log.child({ ...identity, application: 'a\nb', user: 'u\r\nv' }).log(LogLevel.error, forged, { detail: 'x\ny', hint: 'x\ny' }));
  assert.equal(text.split('\n').length, 4);
  // oxlint-disable-next-line no-control-regex
  assert.ok(!/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028]/.test(text));
  assert.match(text, /a\\nb pid 4711: ERROR: {2}SELECT 1\\n2024-01-01 .* forged\\r\\x1b\[31m\\x85\\u2028\\x00tab\there %s %d\n/);
});

test('log_format = json is an object for each line, with who and what', () => {
  const text = logged({ log_format: 'json', log_min_messages: 'info' }, log => {
    log.child(identity).log(LogLevel.warning, 'a "quoted"\nmessage %s', { detail: 'd', node: 2, error: new PgError('ERROR', '25P02', 'm') });
    log.log(LogLevel.log, 'main');
    log.log(LogLevel.error, 'with stack', { error: new Error('why') });
  });
  const [first, second, third] = text.trimEnd().split('\n').map(line => JSON.parse(line) as Record<string, unknown>);
  assert.ok(first && second && third);
  assert.ok(!Number.isNaN(Date.parse(String(first['time']))));
  delete first['time'];
  assert.deepEqual(first, {
    level: 'warning', message: 'a "quoted"\nmessage %s', pid: process.pid, process: 'child', child: 4711, user: 'alice', database: 'shop',
    application: 'psql', host: '10.0.0.1', node: 2, detail: 'd', sqlstate: '25P02',
  });
  assert.deepEqual([second['level'], second['process'], second['user']], ['log', 'main', undefined]);
  assert.match(String(third['stack']), /^Error: why\n/);
});

test('a reload changes level, prefix and format of every logger at once', () => {
  const text = logged({ log_line_prefix: 'old ' }, log => {
    const child = log.child(identity);
    child.log(LogLevel.notice, 'hidden');
    log.setLevel({ ...defaults, log_min_messages: 'notice', log_line_prefix: 'new ' });
    child.log(LogLevel.notice, 'shown');
    child.setLevel({ ...defaults, log_format: 'json' });
    log.log(LogLevel.log, 'json');
  });
  const [first, second] = text.split('\n');
  assert.equal(first, 'new NOTICE:  shown');
  assert.equal((JSON.parse(second ?? '') as { message: string }).message, 'json');
});

test('what a session has set for itself holds for it alone, whatever a reload says', () => {
  const text = logged({ log_line_prefix: '%l ' }, log => {
    const mine = log.child(identity);
    mine.log(LogLevel.error, 'm', { detail: 'd' });
    mine.setOwn({ log_min_messages: 'notice', log_error_verbosity: 'terse' });
    log.setLevel({ ...defaults, log_line_prefix: '%l ', log_min_messages: 'error' });
    mine.log(LogLevel.notice, 'mine', { detail: 'd' });
    log.child(identity).log(LogLevel.notice, 'of another');
    mine.setOwn(null);
    assert.equal(mine.isEnabled(LogLevel.notice), false);
  });
  assert.equal(text, '1 ERROR:  m\n2 DETAIL:  d\n3 NOTICE:  mine\n');
});

test('a log that cannot be written does not take the process down', () => {
  const fd = openSync('/dev/full', 'w');
  try {
    const log = createLogger(defaults, fd);
    for (let i = 0; i < 3000; i++) log.log(LogLevel.fatal, 'x'.repeat(1000));
    log.flush();
  } finally {
    closeSync(fd);
  }
});

test('a pipe that nobody reads does not stop us, and afterwards only whole lines come out of it', () => {
  const fifo = join(directory, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const fd = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
  try {
    const log = createLogger({ ...defaults, log_line_prefix: '' }, fd);
    for (let i = 0; i < 3000; i++) log.log(LogLevel.error, `${i} ${'ä'.repeat(500)}`);
    const bytes: Buffer[] = [];
    const drain = (): void => {
      const chunk = Buffer.alloc(1 << 20);
      for (;;) {
        try {
          bytes.push(Buffer.from(chunk.subarray(0, readSync(fd, chunk))));
        } catch {
          return;
        }
      }
    };
    for (let i = 0; i < 100; i++) {
      drain();
      log.flush();
    }
    drain();
    log.log(LogLevel.error, 'the end');
    drain();
    const lines = Buffer.concat(bytes).toString().trimEnd().split('\n');
    assert.equal(lines.pop(), 'ERROR:  the end');
    const lost = Number(/^WARNING: {2}(\d+) entries of the log were lost/.exec(lines.pop() ?? '')?.[1]);
    assert.equal(lost, 3000 - lines.length, 'it says how many are missing');
    for (const [i, line] of lines.entries()) assert.match(line, new RegExp(`^ERROR:  ${i} ä{500}$`));
    assert.ok(lines.length > 500 && lines.length < 3000, `${lines.length}: about a megabyte is kept, the rest dropped`);
  } finally {
    closeSync(fd);
  }
});
