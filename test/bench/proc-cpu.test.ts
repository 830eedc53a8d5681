import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import {
  cpuOfEndedChildrenUs, cpuOfTree, memoryOfTree, parseKilobyteField, parseProcessStat, processTree, procIsThere, treeOf,
} from '../../bench/proc-cpu.js';

/** A shell with a busy child and a waiting one; says "done" once the busy one has ended and been waited for. */
const family = `
  sleep 60 & waiting=$!
  trap 'kill $waiting; exit 0' TERM
  ( i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done ) & wait $!
  echo done
  wait $waiting
`;

describe('CPU and memory from /proc', { skip: procIsThere ? false : 'there is no /proc here' }, () => {
  it('a command name with blanks and brackets does not shift the fields', () => {
    const line = '77 (a) b (c) S 12 77 77 0 -1 4194560 100 0 0 0 11 22 33 44 20 0 1 0 5 6 7';
    assert.deepEqual(parseProcessStat(line), { pid: 77, parentPid: 12, userTicks: 44, systemTicks: 66 });
    assert.equal(parseProcessStat('nothing of the kind'), null);
  });

  it('the tree holds grandchildren, listed before their parents or after, and no strangers', () => {
    const stat = (pid: number, parentPid: number) => ({ pid, parentPid, userTicks: 0, systemTicks: 0 });
    const all = [stat(4, 3), stat(1, 0), stat(3, 2), stat(2, 1), stat(9, 1), stat(5, 3)];
    assert.deepEqual(treeOf(all, 2).map((each) => each.pid), [4, 3, 2, 5]);
  });

  it('a field of smaps_rollup is read in bytes, and one that is missing is null', () => {
    const text = 'Rss:       900 kB\nPss:                 812 kB\nPss_Anon:   5 kB\n';
    assert.equal(parseKilobyteField(text, 'Pss'), 812 * 1024);
    assert.equal(parseKilobyteField(text, 'VmRSS'), null);
  });

  it('a child counts as ended only when it has, and then with what it took', async () => {
    const shell = spawn('sh', ['-c', 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo done; read line'], { stdio: ['pipe', 'pipe', 'ignore'] });
    const beforeUs = cpuOfEndedChildrenUs();
    await once(shell.stdout, 'data');
    assert.equal(cpuOfEndedChildrenUs(), beforeUs, 'it waits for a line');
    const ended = once(shell, 'close');
    shell.stdin.end('\n');
    await ended;
    assert.ok(cpuOfEndedChildrenUs() > beforeUs, 'the busy child took no time');
  });

  it('the time of a child that has ended is still counted, and a living child belongs to the tree', async () => {
    const shell = spawn('sh', ['-c', family], { stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      const pid = shell.pid ?? 0;
      const before = cpuOfTree(pid);
      await once(shell.stdout, 'data');
      const after = cpuOfTree(pid);
      assert.equal(processTree(pid).length, 2, 'the shell and its sleep');
      assert.ok(after.userUs + after.systemUs > before.userUs + before.systemUs, 'the busy child took no time');
      assert.ok(memoryOfTree(pid) > 0);
    } finally {
      const ended = once(shell, 'exit');
      shell.kill('SIGTERM');
      await ended;
    }
  });
});
