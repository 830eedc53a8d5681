import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { judge } from '../../bench/goals.js';
import { parseOptions, USAGE } from '../../bench/options.js';
import { rotated, type Sample } from '../../bench/rounds.js';
import { median, summarize } from '../../bench/summary.js';
import { chooseWorkloads } from '../../bench/workloads/all.js';
import { nothingMeasured } from '../../bench/workloads/workload.js';

function sample(round: number, target: string, perSecond: number, cpuUs: number, workload = 'simple'): Sample {
  return { round, workload, target, measurement: { ...nothingMeasured, perSecond, cpuUs }, failure: null };
}

describe('the sums of a bench', () => {
  it('the median is the middle value, or the mean of the two in the middle', () => {
    assert.equal(median([9, 1, 5]), 5);
    assert.equal(median([4, 1, 3, 2]), 2.5);
    assert.equal(median([]), null);
  });

  it('a ratio is taken within a round and then the median of the rounds', () => {
    const samples = [
      sample(0, 'pgloom', 100, 10), sample(0, 'pgpool2', 50, 40),
      sample(1, 'pgloom', 10, 30), sample(1, 'pgpool2', 10, 60), // a round in which the machine was busy
      sample(2, 'pgloom', 300, 10), sample(2, 'pgpool2', 100, 50),
    ];
    const peer = summarize(samples, ['pgloom', 'pgpool2'], 'pgloom').find((row) => row.target === 'pgpool2');
    assert.equal(peer?.subjectRatio.perSecond, 2);
    assert.equal(peer?.subjectRatio.cpuUs, 0.25);
    assert.equal(peer?.median.perSecond, 50);
  });

  it('a failed round counts as a failure and not as a figure', () => {
    const failed: Sample = { round: 1, workload: 'simple', target: 'pgpool2', measurement: null, failure: 'it broke' };
    const [row] = summarize([sample(0, 'pgpool2', 50, 40), failed], ['pgpool2'], 'pgloom');
    assert.equal(row?.rounds, 1);
    assert.deepEqual(row?.failures, ['it broke']);
    assert.equal(row?.median.perSecond, 50);
  });

  it('a goal is judged only where its figure was measured', () => {
    const samples = [sample(0, 'pgloom', 160, 30), sample(0, 'pgpool2', 100, 50)];
    const verdicts = judge(summarize(samples, ['pgloom', 'pgpool2'], 'pgloom'), 'pgloom');
    assert.deepEqual(verdicts.map((verdict) => verdict.reached), [true, false]);
    assert.match(verdicts[0]?.text ?? '', /^simple: rate against pgpool2/);
  });

  it('a rate over TLS is judged against Pgpool-II, the CPU is only reported', () => {
    const samples = [sample(0, 'pgloom', 190, 90, 'tls-connect'), sample(0, 'pgpool2', 100, 50, 'tls-connect')];
    const [verdict, ...others] = judge(summarize(samples, ['pgloom', 'pgpool2'], 'pgloom'), 'pgloom');
    assert.deepEqual([verdict?.text, verdict?.measured, verdict?.reached], ['tls-connect: rate against pgpool2 at least 2x', 1.9, false]);
    assert.deepEqual(others, []);
  });

  it('every round begins with another target', () => {
    assert.deepEqual(rotated(['a', 'b', 'c'], 1), ['b', 'c', 'a']);
    assert.deepEqual(rotated(['a', 'b', 'c'], 3), ['a', 'b', 'c']);
  });

  it('flags are checked, and the bad one is named', () => {
    assert.deepEqual(parseOptions(['--threads', '1,2', '--workloads', 'simple, big']).workloads, ['simple', 'big']);
    assert.equal(parseOptions([]).keyKind, 'rsa');
    assert.equal(parseOptions(['--key', 'ec']).keyKind, 'ec');
    assert.throws(() => parseOptions(['--key', 'dsa']), /--key/);
    assert.throws(() => parseOptions(['--rounds', 'many']), /--rounds/);
    assert.throws(() => parseOptions(['--server', 'localhost']), /--server/);
    assert.throws(() => parseOptions(['--frobnicate']), /frobnicate/);
  });

  it('the help names every workload and no other', () => {
    const named = /only these \(([^)]*)\)/.exec(USAGE)?.[1]?.split(/\s+/) ?? [];
    assert.deepEqual(named.sort(), chooseWorkloads([]).map((workload) => workload.name).sort());
    assert.throws(() => chooseWorkloads(['tls-nothing']), /tls-nothing/);
  });
});
