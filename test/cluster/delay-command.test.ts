/** replication_delay_source_cmd: a program that tells the delays, with one of the standbys' servers behind it. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parseDelays, runDelayCommand } from '../../src/main/cluster/delay-command.js';
import { delayAwaited, delayUnknown } from '../../src/shared/memory/node-table.js';
import type { Backend } from '../../src/shared/settings.js';
import { sharedCluster } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { watching } from './watched-cluster.js';

let directory: string;
let program: string;
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'pgloom-c-'));
  program = join(directory, 'delays');
});
after(() => rmSync(directory, { recursive: true, force: true }));

/** Replaces the program at once: a round that runs at this moment sees the old one or the new one. */
function programIs(...lines: readonly string[]): void {
  writeFileSync(`${program}.new`, `#!/bin/sh\n${lines.join('\n')}\n`);
  chmodSync(`${program}.new`, 0o755);
  renameSync(`${program}.new`, program);
}

const standbys = [{ id: 1 }, { id: 3 }] as unknown as readonly Backend[];
const noSignal = new AbortController().signal;

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A zombie waits for a parent that has other things to do; it runs no more.
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

test('the output is milliseconds, also with fractions, between white space of any kind', () => {
  assert.deepEqual(parseDelays('25 50', standbys), [25_000, 50_000]);
  assert.deepEqual(parseDelays('\n 25.5\t.0015\r\n', standbys), [25_500, 2]);
  assert.deepEqual(parseDelays('-1 1e3', standbys), [null, 1_000_000]);
});

test('any other output is refused as a whole, with a reason that is safe to log', () => {
  for (const [output, reason] of [
    ['', /printed 0 values, expected 2/], ['1', /printed 1 values/], ['1 2 3', /printed 3 values/],
    ['1 late', /invalid delay for node 3: 'late'/], ['-25 1', /invalid delay for node 1: '-25'/], ['0x10 1', /node 1/], ['1 NaN', /node 3/], ['1 Infinity', /node 3/],
    ['1 1e300', /node 3/], ['1 2;', /node 3/], [`1 \u001b[2J${'x'.repeat(100)}`, /node 3: '\?\[2Jx{36}'$/],
  ] as const) assert.throws(() => parseDelays(output, standbys), reason, output);
});

test('the arguments are words to the program, never text to the shell', async () => {
  const args = ['a b', '$(touch oops)', '; echo oops', "it's"];
  assert.equal(await runDelayCommand("printf '<%s>'", args, 10_000, noSignal), args.map((arg) => `<${arg}>`).join(''));
});

test('a program that fails, prints without end or cannot be found is refused', async () => {
  await assert.rejects(runDelayCommand('exit 3;', [], 10_000, noSignal), /ended with exit code 3/);
  await assert.rejects(runDelayCommand('kill -9 $$;', [], 10_000, noSignal), /ended by SIGKILL/);
  await assert.rejects(runDelayCommand('yes 1', [], 60_000, noSignal), /printed more than 4096 bytes/);
  await assert.rejects(runDelayCommand('/nonexistent/delays 2>/dev/null', [], 10_000, noSignal), /exit code 127/);
});

test('a program that takes too long is killed with everything that it started', async () => {
  const file = join(directory, 'pids');
  programIs('sleep 3600 &', `echo $$ $! > ${file}.new`, `mv ${file}.new ${file}`, 'wait');
  const run = runDelayCommand(program, [], 1000, noSignal);
  await assert.rejects(run, /did not end within 1 seconds and was killed/);
  const pids = readFileSync(file, 'utf8').trim().split(' ').map(Number);
  assert.equal(pids.length, 2);
  await eventually('both are gone', () => !pids.some(isRunning));
});

test('a program that is not wanted any more is killed', async () => {
  const stop = new AbortController();
  const run = runDelayCommand('sleep 3600;', [], 60_000, stop.signal);
  stop.abort();
  await assert.rejects(run, /was stopped/);
  await assert.rejects(runDelayCommand('true', [], 60_000, stop.signal), /was stopped/);
});

test('what the program says of each standby is its delay in time; the bytes are measured all the same', async () => {
  const { nodes } = sharedCluster();
  const seen = join(directory, 'seen');
  programIs(`printf '%s ' "$@" > ${seen}.new; mv ${seen}.new ${seen}`, 'echo 12.5 3600000');
  const lines = { replication_delay_source_cmd: program, delay_threshold_by_time: 1000, log_standby_delay: 'if_over_threshold' };
  await watching(nodes, lines, async ({ table, reload, log }) => {
    await eventually('the delays are there', () => table.delayUs(1) === 12_500 && table.delayUs(2) === 3_600_000_000);
    assert.equal(readFileSync(seen, 'utf8').trim(), [nodes[1], nodes[2]].map((node) => `${node?.host}:${node?.port}`).join(' '));
    await eventually('the bytes are measured', () => table.delayBytes(1) >= 0 && table.delayBytes(2) >= 0);
    assert.equal(table.replicationState(1), 'streaming');
    assert.match(log(), /LOG: .*Replication of node: 2 is behind 3600\.000 second\(s\) from the primary server \(node: 0\)/);
    assert.doesNotMatch(log(), /Replication of node: 1/);
    programIs('echo 0 -1');
    await eventually('node 1 is in time', () => table.delayUs(1) === 0);
    await eventually('the program says that node 2 is down', () => /LOG: .*says that node 2 is down/.test(log()));
    assert.equal(table.delayUs(2), 3_600_000_000);
    reload({ replication_delay_source_cmd: '' });
    await eventually('the primary is asked again', () => table.delayUs(2) < 3_600_000_000);
  });
});

test('a wrong output is warned about once, the delays stay, and are doubted when it goes on', async () => {
  const { nodes } = sharedCluster();
  programIs('echo 12 34');
  await watching(nodes, { replication_delay_source_cmd: `PGPASSWORD=swordfish ${program}`, replication_delay_source_timeout: 1, delay_threshold_by_time: 1000 }, async ({ table, log }) => {
    await eventually('the delays are there', () => table.delayUs(1) === 12_000 && table.delayUs(2) === 34_000);
    programIs('echo 12');
    await eventually('a warning', () => /WARNING: .*replication_delay_source_cmd printed 1 values, expected 2/.test(log()));
    assert.equal(table.delayUs(2), 34_000);
    await eventually('they are awaited', () => table.delayUs(1) === delayAwaited && table.delayUs(2) === delayAwaited);
    assert.equal(log().match(/printed 1 values/g)?.length, 1);
    programIs('sleep 3600');
    await eventually('another warning', () => /did not end within 1 seconds and was killed/.test(log()));
    programIs('echo 1 2');
    await eventually('the delays are there again', () => table.delayUs(1) === 1000 && table.delayUs(2) === 2000);
    assert.doesNotMatch(log(), /swordfish/);
  });
});

test('the program is enough where nobody can be asked by SQL, and a slow one holds up nothing', async () => {
  const { nodes } = sharedCluster();
  const gate = join(directory, 'gate');
  programIs(`echo x >> ${gate}.runs`, `while ! test -e ${gate}; do sleep 0.1; done`, 'echo 5 6');
  const lines = { replication_delay_source_cmd: program, replication_delay_source_timeout: 60, sr_check_user: '', health_check_user: '' };
  await watching(nodes, lines, async ({ table, log }) => {
    assert.match(log(), /node 0 is the primary/);
    await eventually('it runs', () => existsSync(`${gate}.runs`));
    assert.deepEqual([table.delayBytes(1), table.delayUs(1)], [delayUnknown, delayAwaited]);
    await new Promise((resolve) => {
      setTimeout(resolve, 2500);
    });
    assert.equal(readFileSync(`${gate}.runs`, 'utf8'), 'x\n', 'it is not started a second time');
    writeFileSync(gate, '');
    await eventually('the delays are there', () => table.delayUs(1) === 5000 && table.delayUs(2) === 6000);
  });
});
