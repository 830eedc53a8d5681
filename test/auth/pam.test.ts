import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { onProcessEnd } from '../../src/main/demo/process-end.js';
import { pamLogin, type PamResult } from '../../src/workers/authentication/pam.js';
import { eventually } from '../support/eventually.js';

const skip = process.getuid?.() !== 0 ? 'a service of its own in /etc/pam.d needs root'
  : !existsSync('/etc/pam.d') ? 'there is no /etc/pam.d'
    : false;

const directory = mkdtempSync(path.join(tmpdir(), 'pgloom-pam-'));
const name = (suffix: string): string => `pgloom-test-${process.pid}-${randomBytes(4).toString('hex')}-${suffix}`;
const services = { password: name('password'), account: name('account'), echo: name('echo'), slow: name('slow'), crash: name('crash'), loud: name('loud') };
const log = path.join(directory, 'log');
const remove = (): void => {
  for (const service of Object.values(services)) rmSync(path.join('/etc/pam.d', service), { force: true });
  rmSync(directory, { recursive: true, force: true });
};
const forget = onProcessEnd(remove);

/** A script for pam_exec; the password comes on standard input and ends with a NUL. */
function script(file: string, body: string): string {
  const target = path.join(directory, file);
  writeFileSync(target, `#!/bin/sh\npassword=$(tr -d '\\000')\n${body}\n`, { mode: 0o755 });
  return target;
}

before(() => {
  if (skip !== false) return;
  const check = script('check', `echo "$PAM_USER $PAM_RHOST $PAM_SERVICE $PAM_TYPE" >> ${log}\n[ "$password" = "open $PAM_USER ü" ]`);
  const service = (file: string, ...lines: string[]): void => writeFileSync(path.join('/etc/pam.d', file), `${lines.join('\n')}\n`);
  const allow = 'account required pam_permit.so';
  service(services.password, `auth required pam_exec.so expose_authtok quiet ${check}`, allow);
  service(services.account, `auth required pam_exec.so expose_authtok quiet ${check}`, 'account required pam_deny.so');
  // pam_echo says something before the password is asked for, which needs no answer.
  writeFileSync(path.join(directory, 'text'), 'hello %u\n');
  service(services.echo, `auth optional pam_echo.so file=${path.join(directory, 'text')}`, `auth required pam_exec.so expose_authtok quiet ${check}`, allow);
  service(services.slow, `auth required pam_exec.so expose_authtok quiet ${script('slow', `echo "$$ $PPID" > ${directory}/slow.pid; exec sleep 100`)}`, allow);
  // The parent of the script is the process that asks PAM.
  service(services.crash, `auth required pam_exec.so expose_authtok quiet ${script('crash', 'kill -SEGV $PPID; sleep 1')}`, allow);
  service(services.loud, `auth required pam_exec.so expose_authtok stdout ${script('loud', 'echo \'{"ok":true}\'; echo \'{"ok":true}\' >&2; exit 1')}`, allow);
});
after(() => {
  remove();
  forget();
});

async function refused(result: Promise<PamResult>, reason: RegExp): Promise<void> {
  const found = await result;
  assert.ok(!found.ok, 'let in');
  assert.match(found.reason, reason);
}

test('PAM lets in who has the password and may use the account', { skip }, async () => {
  assert.deepEqual(await pamLogin(services.password, 'alice', 'open alice ü', '192.0.2.7'), { ok: true });
  await refused(pamLogin(services.password, 'alice', 'open bob ü', ''), /^pam_authenticate failed: /);
  await refused(pamLogin(services.account, 'alice', 'open alice ü', ''), /^pam_acct_mgmt failed: /);
  assert.deepEqual(await pamLogin(services.echo, 'alice', 'open alice ü', ''), { ok: true });
  assert.deepEqual(readFileSync(log, 'utf8').split('\n').slice(0, 2), [`alice 192.0.2.7 ${services.password} auth`, `alice  ${services.password} auth`]);
});

test('what cannot be right is not asked for', { skip }, async () => {
  const asked = readFileSync(log, 'utf8');
  await refused(pamLogin(services.password, 'alice', '', ''), /^empty password$/);
  await refused(pamLogin(services.password, '', 'x', ''), /invalid character/);
  await refused(pamLogin(services.password, 'alice\0', 'x', ''), /invalid character/);
  await refused(pamLogin(`../pam.d/${services.password}`, 'alice', 'open alice ü', ''), /no name of a service/);
  assert.equal(readFileSync(log, 'utf8'), asked);
  // Without a file of its own, the service `other` decides, which denies.
  await refused(pamLogin(name('nowhere'), 'alice', 'open alice ü', ''), /failed/);
});

test('20 logins at the same time each get their own answer, and the thread goes on meanwhile', { skip }, async () => {
  let ticks = 0;
  const timer = setInterval(() => { ticks++; }, 1);
  const results = await Promise.all(Array.from({ length: 20 }, (_, i) => pamLogin(services.password, `user${i}`, `open user${i % 2 === 0 ? i : 'x'} ü`, '')));
  clearInterval(timer);
  assert.deepEqual(results.map(result => result.ok), results.map((_, i) => i % 2 === 0));
  assert.ok(ticks > 0);
});

test('a module that does not return is ended, one that crashes takes nobody with it', { skip }, async t => {
  const others = Promise.all(Array.from({ length: 5 }, () => pamLogin(services.password, 'alice', 'open alice ü', '')));
  await refused(pamLogin(services.crash, 'alice', 'x', ''), /^the PAM process ended \(SIGSEGV\)$/);
  await refused(pamLogin(services.slow, 'alice', 'x', '', 1500), /^PAM did not answer within 1500 ms$/);
  const [pid = 0, parent = 0] = readFileSync(path.join(directory, 'slow.pid'), 'utf8').split(' ').map(Number);
  assert.ok(pid > 1 && parent > 1 && parent !== process.pid);
  // pam_exec gives its script a session of its own, where it is out of reach.
  t.after(() => process.kill(pid, 'SIGKILL'));
  await eventually('the process that asked PAM ends', () => !isAlive(parent));
  assert.ok((await others).every(result => result.ok));
});

/** A zombie that nobody has waited for is not. */
function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

test('what a module prints is no answer', { skip }, async () => {
  await refused(pamLogin(services.loud, 'alice', 'x', ''), /^pam_authenticate failed: /);
});

test('it works in a worker thread, which ends although a process is still there', { skip }, async () => {
  const url = new URL('../../src/workers/authentication/pam.js', import.meta.url).href;
  const code = `import { parentPort } from 'node:worker_threads';
    const { pamLogin } = await import(${JSON.stringify(url)});
    parentPort.postMessage(await pamLogin(${JSON.stringify(services.password)}, 'alice', 'open alice ü', ''));`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`));
  const result = new Promise((resolve, reject) => { worker.once('message', resolve).once('error', reject); });
  const ended = new Promise(resolve => { worker.once('exit', resolve); });
  assert.deepEqual(await result, { ok: true });
  assert.equal(await ended, 0);
});
