/** The question for the password: on a terminal (util-linux's script makes one) and through a pipe. */
import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { defaultSalt, message, withFakePcpServer } from './fake-pcp-server.js';
import { PcpPrograms } from './pcp-programs.js';

const md5 = (...parts: readonly (string | Uint8Array)[]): string => parts.reduce((hash, part) => hash.update(part), createHash('md5')).digest('hex');
const answer = [message('l', 'CommandComplete', '3')];
const skip = spawnSync('script', ['--version']).status === 0 ? false : 'script is not installed (Debian: apt install bsdutils)';
const password = 'gëheim 1';

/** What the login of user u sends. */
const loginWith = (secret: string): string => `u\0${md5(md5(md5(secret), 'u'), defaultSalt)}\0`;

describe('the question for the password', () => {
  let programs: PcpPrograms;
  before(() => { programs = new PcpPrograms(''); });
  after(() => programs?.remove());

  /** On a terminal: types `keys` when asked; resolves with all that was to be seen, and the status. */
  async function type(port: number, keys: string, ...args: readonly string[]): Promise<{ readonly seen: string; readonly status: unknown }> {
    const line = [process.execPath, programs.link('pcp_node_count'), '-h', '127.0.0.1', '-p', String(port), '-U', 'u', ...args].map((word) => `'${word}'`).join(' ');
    const child: ChildProcess = spawn('script', ['-qefc', line, '/dev/null'], { env: { PATH: process.env['PATH'], PCPPASSFILE: programs.passFile, SHELL: '/bin/sh' }, stdio: ['pipe', 'pipe', 'inherit'] });
    let seen = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const asked = !seen.includes('Password: ') && (seen + text).includes('Password: ');
      seen += text;
      if (asked) child.stdin?.write(keys);
    });
    const status = await new Promise((resolve, reject) => { child.once('error', reject).once('close', (code, signal) => resolve(signal ?? code)); });
    return { seen, status };
  }

  for (const [how, keys, typed] of [
    ['Return', `${password}\r`, password], ['a line feed', `${password}\n`, password], ['Backspace', `${password}xë\u007f\u007f\r`, password], ['Ctrl-U', `wrong\u0015${password}\r`, password],
    ['nothing', '\r', ''],
  ] as const) {
    it(`does not show what is typed, and understands ${how}`, { skip }, async () => {
      await withFakePcpServer({ answer }, async ({ port, logins }) => {
        const { seen, status } = await type(port, keys);
        assert.equal(seen, 'Password: \r\n3\r\n');
        assert.equal(status, 0);
        assert.deepEqual(logins, [loginWith(typed)]);
      });
    });
  }

  it('is left by Ctrl-C', { skip }, async () => {
    await withFakePcpServer({ answer }, async ({ port, logins }) => {
      const { seen, status } = await type(port, 'gehe\u0003');
      assert.equal(seen, 'Password: \r\n');
      assert.equal(status, 130);
      assert.deepEqual(logins, []);
    });
  });

  it('is not put when .pcppass has the password, unless -W is given', { skip }, async () => {
    programs.writePassFile(`*:*:*:${password}\n`);
    try {
      await withFakePcpServer({ answer }, async ({ port, logins }) => {
        assert.equal((await type(port, '')).seen, '3\r\n');
        assert.equal((await type(port, 'other\r', '-W')).seen, 'Password: \r\n3\r\n');
        assert.deepEqual(logins, [loginWith(password), loginWith('other')]);
      });
    } finally {
      programs.writePassFile('');
    }
  });

  it('is answered by the first line of a pipe, which may stay open', async () => {
    await withFakePcpServer({ answer }, async ({ port, logins }) => {
      const child = programs.start(['pcp_node_count', '-h', '127.0.0.1', '-p', String(port), '-U', 'u']);
      let stderr = '';
      child.stderr?.setEncoding('utf8').on('data', (text: string) => { stderr += text; });
      child.stdin?.write(`${password}\nmore`);
      const status = await new Promise((resolve) => { child.once('close', (code, signal) => resolve(signal ?? code)); });
      assert.deepEqual([status, stderr], [0, 'Password: \n']);
      assert.deepEqual(logins, [loginWith(password)]);
    });
  });

  it('shows the password nowhere when the login fails', async () => {
    const welcome = message('E', 'SFATAL', 'Mauthentication failed for user "u"', '');
    await withFakePcpServer({ answer: [], welcome }, async ({ port }) => {
      const { status, stdout, stderr } = await programs.run(['pcp_node_count', '-d', '-h', '127.0.0.1', '-p', String(port), '-U', 'u'], { input: `${password}\n` });
      assert.equal(status, 1);
      for (const secret of [password, md5(password), loginWith(password).slice(2, -1)]) assert.ok(!`${stdout}${stderr}`.includes(secret));
    });
  });
});
