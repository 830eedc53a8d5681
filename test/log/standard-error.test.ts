/** Standard error that takes no more: a pipe that nobody reads, a full device. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { duplicate, neverBlock } from '../../src/main/observe/standard-error.js';
import { withClient } from '../support/pgloom.js';
import { launch, type Launched } from './launch.js';

const long = `select '${'z'.repeat(2000)}'`;

/** More than a pipe (64 kB) and what is kept (1 MB) hold together. */
async function talk(pgloom: Launched): Promise<void> {
  await withClient(pgloom, async (client) => {
    for (let i = 0; i < 800; i++) await client.query(long);
  });
}

test('a pipe that nobody reads stops no session; when it is read again, the log says how much is missing', async (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), 'pgloom-pipe-'));
  const pipe = path.join(directory, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const reader = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
  const writer = openSync(pipe, constants.O_WRONLY);
  t.after(() => {
    closeSync(reader);
    closeSync(writer);
    rmSync(directory, { recursive: true, force: true });
  });
  const pgloom = await launch(t, { log_statement: true, worker_threads: 1, log_line_prefix: '' }, { stdio: ['ignore', 'ignore', writer] });
  await talk(pgloom);
  let text = '';
  const bytes = Buffer.alloc(1 << 20);
  const isOver = (): boolean => /WARNING: {2}\d+ entries of the log were lost/.test(text);
  await withClient(pgloom, async (client) => {
    for (let i = 0; i < 2000 && !isOver(); i++) {
      try {
        text += bytes.toString('utf8', 0, readSync(reader, bytes));
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, 'EAGAIN');
      }
      await client.query('select 1');
    }
  });
  assert.ok(isOver());
  for (const line of text.trimEnd().split('\n')) assert.match(line, /^(LOG|WARNING|DETAIL): {2}/);
});

/** O_NONBLOCK of a descriptor of ours. */
function isNonBlocking(fd: number): boolean {
  const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '';
  return (Number.parseInt(flags, 8) & constants.O_NONBLOCK) !== 0;
}

test('a pipe is made not to wait, but not for others that write into it', { skip: process.platform === 'linux' ? false : 'only where there is /proc' }, (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), 'pgloom-pipe-'));
  const pipe = path.join(directory, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const reader = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
  const ours = openSync(pipe, constants.O_WRONLY);
  const others = duplicate(ours);
  t.after(() => {
    for (const fd of [reader, ours, others]) closeSync(fd);
    rmSync(directory, { recursive: true, force: true });
  });
  neverBlock(ours);
  assert.equal(isNonBlocking(ours), true);
  assert.equal(isNonBlocking(others), false);
  assert.throws(() => { for (;;) writeSync(ours, 'x'.repeat(4096)); }, /EAGAIN/);
});

test('a device that takes nothing stops no session', async (t) => {
  const full = openSync('/dev/full', 'w');
  t.after(() => closeSync(full));
  const pgloom = await launch(t, { log_statement: true, worker_threads: 1 }, { stdio: ['ignore', 'ignore', full] });
  await talk(pgloom);
});

test('a reader that goes away stops no session', async (t) => {
  const pgloom = await launch(t, { log_statement: true, worker_threads: 1 });
  pgloom.child.stderr?.destroy();
  await talk(pgloom);
});
