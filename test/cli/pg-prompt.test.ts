/** pg_md5 and pg_enc at a terminal, which util-linux's script makes: what is to be seen there is what Debian's show. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { aesPassword } from '../../src/shared/auth/aes-password.js';
import { md5Hash } from '../../src/shared/auth/md5.js';
import { PasswordTools, skipWithoutDebianTools, type Tool } from './password-tools.js';

const skip = spawnSync('script', ['--version']).status === 0 ? false : 'script is not installed (Debian: apt install bsdutils)';
const limitMs = 60_000;
const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
const aesLines = (password: string, key: string): string => {
  const stored = aesPassword(password, Buffer.from(key));
  return `\r\n${stored.slice(3)}\r\npool_passwd string: ${stored}\r\n`;
};

/** A question, and what is typed then. */
type Answer = readonly [question: string, keys: string];

describe('at a terminal', { skip, concurrency: 4 }, () => {
  const tools = new PasswordTools();
  after(() => tools.remove());

  /** Resolves with all that was to be seen, and the status. */
  async function type(whose: 'pgloom' | 'debian', directory: string, [tool, ...args]: readonly [Tool, ...string[]], answers: readonly Answer[]): Promise<{ seen: string; status: unknown }> {
    const { command, prefix } = tools.command(whose, tool);
    const line = [command, ...prefix, ...args].map((word) => `'${word}'`).join(' ');
    const child = spawn('script', ['-qefc', line, '/dev/null'], { cwd: directory, env: { PATH: process.env['PATH'], SHELL: '/bin/sh' }, stdio: ['pipe', 'pipe', 'inherit'] });
    const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
    const left = [...answers];
    let seen = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      seen += text;
      const [next] = left;
      if (next === undefined || !seen.endsWith(next[0])) return;
      left.shift();
      child.stdin.write(next[1]);
    });
    const status = await new Promise((resolve, reject) => { child.once('error', reject).once('close', (code, signal) => resolve(signal ?? code)); });
    clearTimeout(timer);
    return { seen, status };
  }

  const same: readonly (readonly [what: string, args: readonly [Tool, ...string[]], answers: readonly Answer[], seen: string])[] = [
    ['pg_md5 -p', ['pg_md5', '-p'], [['password: ', 'pässwörd\r']], `password: \r\n${md5('pässwörd')}\r\n`],
    ['pg_md5 --prompt with nothing', ['pg_md5', '--prompt', 'ignored'], [['password: ', '\n']], `password: \r\n${md5('')}\r\n`],
    ['pg_enc', ['pg_enc', '-K', 'key'], [['db password: ', 'foo\r']], `db password: \r\n${aesLines('foo', 'key')}`],
    ['pg_enc -p', ['pg_enc', '-K', 'key', '-p', 'ignored'], [['db password: ', 'foo\r']], `db password: \r\n${aesLines('foo', 'key')}`],
    ['pg_enc -P with no key', ['pg_enc', '-P', 'foo'], [['encryption key: ', '\r']], 'encryption key: \r\nencryption key not provided\r\n'],
  ];
  for (const [what, args, answers, seen] of same) {
    it(`${what} shows what Debian's shows`, async () => {
      const own = await type('pgloom', tools.scratch(), args, answers);
      assert.equal(own.seen, seen);
      if (skipWithoutDebianTools === false) assert.deepEqual(own, await type('debian', tools.scratch(), args, answers));
    });
  }

  it('pg_enc -P takes the key that is typed, which Debian\'s forgets', async () => {
    const { seen, status } = await type('pgloom', tools.scratch(), ['pg_enc', '-P', '-k', 'none'], [['db password: ', 'foo\r'], ['encryption key: ', 'key\r']]);
    assert.deepEqual([seen, status], [`db password: \r\nencryption key: \r\n${aesLines('foo', 'key')}`, 0]);
  });

  it('Backspace takes a letter back, which Debian\'s makes a part of the password', async () => {
    const { seen } = await type('pgloom', tools.scratch(), ['pg_md5', '-p'], [['password: ', 'foxö\u007f\u007fo\r']]);
    assert.equal(seen, `password: \r\n${md5('foo')}\r\n`);
  });

  it('the entry in pool_passwd is of what was typed', async () => {
    const directory = tools.scratch();
    const { seen, status } = await type('pgloom', directory, ['pg_md5', '-m', '-p', '-u', 'u', '-f', 'pgpool.conf'], [['password: ', 'geheim\r']]);
    assert.deepEqual([seen, status], ['password: \r\n', 0]);
    assert.equal(readFileSync(join(directory, 'pool_passwd'), 'utf8'), `u:${md5Hash('geheim', 'u')}\n`);
  });

  it('a password that is too long is refused, where Debian\'s cuts it', async () => {
    const { seen, status } = await type('pgloom', tools.scratch(), ['pg_md5', '-p'], [['password: ', `${'p'.repeat(129)}\r`]]);
    assert.equal(status, 1);
    assert.match(seen, /^password: \r\nError: Input exceeds maximum password length!/);
  });

  it('Ctrl-C leaves without an entry', async () => {
    const directory = tools.scratch({ pool_passwd: 'old:x\n' });
    const { status } = await type('pgloom', directory, ['pg_md5', '-m', '-p', '-f', 'pgpool.conf'], [['password: ', 'gehe\u0003']]);
    assert.equal(status, 130);
    assert.equal(readFileSync(join(directory, 'pool_passwd'), 'utf8'), 'old:x\n');
  });
});
