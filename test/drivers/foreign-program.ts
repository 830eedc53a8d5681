/**
 * Scenarios for drivers of other languages. The program says `ok - name` or `not ok - name: reason` for each check on its
 * standard output and, as its last line, `1..N`: N checks were run.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Target, targetNames, withTarget } from './targets.js';

export interface Scenario {
  readonly driver: string;
  readonly command: string;
  /** Asked for when the test runs. */
  readonly args: () => readonly string[];
  /** Why it cannot run here; false when it can. */
  readonly skip: string | false;
  /** Fewer checks than this are a fault. */
  readonly checks: number;
  /** Checks that fail with pgloom for a known reason. */
  readonly todo?: Readonly<Record<string, string>>;
}

const limitMs = 90_000;

/** Does the command end with status 0? */
export function succeeds(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

/** One test for each target. */
export function testScenario(scenario: Scenario): void {
  for (const name of targetNames) {
    test(`${scenario.driver}: ${name}`, { skip: scenario.skip, timeout: 2 * limitMs }, (context) => withTarget(name, async (target) => {
      const { out, error, status } = await runProgram(scenario, target);
      const complaint = `status ${status}\n${out}\n${error}`;
      const failed = [...out.matchAll(/^not ok - (.*?): (.*)$/gm)].map(([, check = '', reason = '']) => ({ check, reason }));
      const planned = /^1\.\.(\d+)$/m.exec(out)?.[1];
      const unexpected: string[] = [];
      for (const { check, reason } of failed) {
        const todo = target.reads === 'primary' ? undefined : scenario.todo?.[check];
        if (todo === undefined) unexpected.push(`${check}: ${reason}`);
        else await context.test(check, { todo }, () => assert.fail(reason));
      }
      assert.deepEqual(unexpected, [], complaint);
      assert.equal(status, 0, complaint);
      assert.equal(Number(planned), [...out.matchAll(/^(not )?ok - /gm)].length, complaint);
      assert.ok(Number(planned) >= scenario.checks, `only ${planned} checks`);
    }));
  }
}

function runProgram(scenario: Scenario, target: Target): Promise<{ out: string; error: string; status: number | null }> {
  const child = spawn(scenario.command, scenario.args(), {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environmentOf(target) },
    timeout: limitMs,
    killSignal: 'SIGKILL',
  });
  let out = '';
  let error = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => { out += chunk; });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => { error += chunk; });
  return new Promise((resolve) => {
    child.once('error', ({ message }) => resolve({ out, error: message, status: null }));
    child.once('close', (status) => resolve({ out, error, status }));
  });
}

function environmentOf(target: Target): Record<string, string> {
  return {
    DRIVER_HOST: target.host,
    DRIVER_PORT: String(target.port),
    DRIVER_URI: target.uri,
    DRIVER_SCHEMA: target.schema,
    DRIVER_READS: target.reads,
    DRIVER_PRIMARY_PORT: String(target.primaryPort),
    // No compiled modules beside the sources; text is UTF-8 whatever the locale.
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONIOENCODING: 'utf-8',
    LC_ALL: 'C.UTF-8',
  };
}

/** Path of a file or folder in test/drivers/programs: it is not compiled, so it lies in the source tree only. */
export function programs(name: string): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'test/drivers/programs', name))) {
    const parent = dirname(directory);
    if (parent === directory) throw new Error(`test/drivers/programs/${name} is not to be found`);
    directory = parent;
  }
  return join(directory, 'test/drivers/programs', name);
}
