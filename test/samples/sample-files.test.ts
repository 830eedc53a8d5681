/** The hand-written samples, and pgpool_samples, which hands them out. */
import assert from 'node:assert/strict';
import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sampleFiles } from '../../src/main/config/sample-files.js';
import { parsePoolHba } from '../../src/main/access/pool-hba.js';
import { scratchDirectory } from '../config/scratch.js';

const command = fileURLToPath(new URL('../../src/main/cli/pgpool-samples.js', import.meta.url));
const samples = (...args: string[]): SpawnSyncReturns<string> => spawnSync(process.execPath, [command, ...args], { encoding: 'utf8' });
const scripts = sampleFiles().filter(({ text }) => text.startsWith('#!'));

/** What Pgpool-II's users find in its etc directory. */
const expected = [
  'aws_eip_if_cmd.sh.sample', 'aws_rtb_if_cmd.sh.sample', 'escalation.sh.sample', 'failover.sh.sample', 'follow_primary.sh.sample',
  'pcp.conf.sample', 'pgpool.conf.sample', 'pgpool.conf.sample-logical', 'pgpool.conf.sample-raw', 'pgpool.conf.sample-replication',
  'pgpool.conf.sample-slony', 'pgpool.conf.sample-snapshot', 'pgpool.conf.sample-stream', 'pgpool.pam', 'pgpool.service', 'pgpool_remote_start.sample',
  'pool_hba.conf.sample', 'recovery_1st_stage.sample', 'replication_mode_recovery_1st_stage.sample', 'replication_mode_recovery_2nd_stage.sample',
];

test('every file that Pgpool-II installs in its etc directory has a counterpart', () => {
  const names = sampleFiles().map(({ name }) => name);
  assert.deepEqual(expected.filter((name) => !names.includes(name)), []);
});

test('pgpool_samples writes all files, scripts executable, and leaves changed ones alone unless it is told to', (t) => {
  const directory = path.join(scratchDirectory(t), 'etc');
  assert.equal(samples(directory).status, 0);
  assert.deepEqual(readdirSync(directory).toSorted(), samples().stdout.trim().split('\n'));
  assert.equal(statSync(path.join(directory, 'failover.sh.sample')).mode & 0o777, 0o755);
  assert.equal(statSync(path.join(directory, 'pcp.conf.sample')).mode & 0o777, 0o644);
  const changed = path.join(directory, 'pcp.conf.sample');
  writeFileSync(changed, 'mine\n');
  const again = samples(directory);
  assert.equal(again.status, 1);
  assert.match(again.stderr, /pcp\.conf\.sample is there and differs/);
  assert.equal(readFileSync(changed, 'utf8'), 'mine\n');
  assert.equal(samples('-f', directory).status, 0);
  assert.notEqual(readFileSync(changed, 'utf8'), 'mine\n');
});

test('pgpool_samples -p prints one file, and an unknown name or option is an error', () => {
  assert.equal(samples('-p', 'pool_hba.conf.sample').stdout, sampleFiles().find(({ name }) => name === 'pool_hba.conf.sample')?.text);
  assert.equal(samples('-p', 'none').status, 1);
  assert.equal(samples('--what').status, 1);
  assert.equal(samples('a', 'b').status, 1);
});

test('pool_hba.conf.sample is free of faults', () => {
  const { rules, warnings } = parsePoolHba(sampleFiles().find(({ name }) => name === 'pool_hba.conf.sample')?.text ?? '', 'sample');
  assert.equal(rules.length, 3);
  assert.deepEqual(warnings, []);
});

test('the part that all scripts share is the same in all', () => {
  const parts = scripts.flatMap(({ text }) => /^# --- These lines[\s\S]*?^# --- Until here/m.exec(text)?.[0] ?? []);
  assert.equal(parts.length, 6);
  assert.equal(new Set(parts).size, 1);
});

test('the scripts are whole for the shell and stop at the first fault and at unset variables', () => {
  for (const { name, text } of scripts) {
    const run = spawnSync('sh', ['-n'], { input: text, encoding: 'utf8' });
    assert.equal(run.stderr, '', name);
    assert.match(text, /^set -eu$/m, name);
  }
});

const shellcheck = spawnSync('shellcheck', ['--version']).status === 0;
test('shellcheck finds nothing in the scripts', { skip: shellcheck ? false : 'shellcheck is not installed' }, () => {
  for (const { name, text } of scripts) {
    assert.equal(spawnSync('shellcheck', ['-'], { input: text, encoding: 'utf8' }).stdout, '', name);
  }
});
