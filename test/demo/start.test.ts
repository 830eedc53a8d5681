import { strict as assert } from 'node:assert';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort, portProblem } from '../../src/main/demo/free-port.js';
import { onProcessEnd } from '../../src/main/demo/process-end.js';
import { childrenOf, isRunning } from '../../src/main/demo/processes.js';
import { readLine } from '../support/lines.js';
import { withClient } from '../support/pgloom.js';

const script = fileURLToPath(new URL('../../src/main/demo/start.js', import.meta.url));

/** Starts `npm start`'s script in a process group of its own; its standard error goes to the test's own, to be seen when something fails. */
function spawnStart(port: number, env: Record<string, string> = {}): ChildProcess & { stdout: NonNullable<ChildProcess['stdout']> } {
  const child = spawn(process.execPath, [script], {
    env: { ...process.env, PGLOOM_PORT: String(port), ...env }, stdio: ['ignore', 'pipe', 'inherit'], detached: true,
  });
  const forget = onProcessEnd(() => child.kill('SIGTERM'));
  child.once('exit', forget);
  return child;
}

/** A terminal sends the signal to the whole process group, the servers too. */
function pressCtrlC(child: ChildProcess): void {
  process.kill(-child.pid!, 'SIGINT');
}

/** All descendants of a process. */
function familyOf(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...familyOf(child)]);
}

describe('npm start', () => {
  it('serves a cluster, says what to type next, and leaves nothing running after Ctrl-C or SIGTERM', async () => {
    const port = await freePort();
    // Twice: what the first start leaves behind must not be in the way of the second.
    for (const end of [pressCtrlC, (child: ChildProcess) => child.kill('SIGTERM')]) {
      const child = spawnStart(port);
      const exited = once(child, 'exit');
      const [page, line] = await Promise.all([readLine(child.stdout, /^status page: /), readLine(child.stdout, /Now type/)]);
      assert.match(line, new RegExp(`\\b${port}\\b`));
      const url = /http:\/\/127\.0\.0\.1:\d+\//.exec(page)?.[0] ?? '';
      assert.equal(await (await fetch(`${url}readyz`)).text(), 'ready\n');

      const address = { host: '127.0.0.1', port };
      const directory = await withClient(address, async (client) => {
        await client.query('create table greeting as select \'hello\' as word');
        assert.deepEqual((await client.query('select word from greeting where pg_is_in_recovery() is not null')).rows.length, 1);
        return (await client.query<{ directory: string }>('select current_setting(\'data_directory\') as directory')).rows[0]!.directory;
      }, { database: 'demo' });
      const family = familyOf(child.pid!);
      assert.ok(family.length >= 3, 'three servers are its children');

      end(child);
      assert.deepEqual(await exited, [0, null]);
      assert.deepEqual(family.filter(isRunning), []);
      assert.equal(existsSync(directory), false);
      assert.equal(await portProblem(port), undefined);
    }
  });

  it('names a port that is in use and ends with status 1', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    try {
      const child = spawn(process.execPath, [script], { env: { ...process.env, PGLOOM_PORT: String(port) } });
      const [message, [status]] = await Promise.all([text(child.stderr), once(child, 'exit') as Promise<[number]>]);
      assert.match(message, new RegExp(`port ${port} is in use`));
      assert.equal(status, 1);
    } finally {
      other.close();
    }
  });

  for (const [moment, waitMs] of Object.entries({ 'initdb runs': 0, 'the servers start': 1500 })) {
    it(`stops while ${moment} and leaves nothing behind`, async () => {
      const scratch = mkdtempSync(join(tmpdir(), 'pgloom-test-'));
      // The servers' user has to reach it when we are root.
      chmodSync(scratch, 0o755);
      try {
        const child = spawnStart(await freePort(), { TMPDIR: scratch });
        const exited = once(child, 'exit');
        await readLine(child.stdout, /starting/);
        while (familyOf(child.pid!).length === 0) await sleep(5);
        await sleep(waitMs);
        const family = familyOf(child.pid!);
        child.kill('SIGINT');
        await exited;
        assert.deepEqual(family.filter(isRunning), []);
        assert.deepEqual(readdirSync(scratch), []);
      } finally {
        rmSync(scratch, { recursive: true, force: true });
      }
    });
  }

  it('refuses a PGLOOM_PORT that is no port', async () => {
    const child = spawn(process.execPath, [script], { env: { ...process.env, PGLOOM_PORT: '99999' } });
    assert.match(await text(child.stderr), /PGLOOM_PORT is "99999"/);
  });
});
