/** pool_passwd written by Debian's pg_md5 and pg_enc and read by pgloom, and the other way round. */
import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { KeyFile } from '../../src/main/access/key-file.js';
import { readPoolPasswd } from '../../src/main/access/pool-passwd.js';
import { md5Hash } from '../../src/shared/auth/md5.js';
import { PasswordTools, skipWithoutDebianTools } from './password-tools.js';

const letters = [...'abcXYZ0189 :\\$\'"#=,;%\t', 'ä', 'ß', '€', '語', '🐘'];
const maxBytes = 128;

function randomPassword(): string {
  const lengthLetters = randomInt(1, 60);
  let password = '';
  while (password.length < lengthLetters) password += letters[randomInt(letters.length)] ?? '';
  while (Buffer.byteLength(password) > maxBytes) password = [...password].slice(1).join('');
  return password;
}

const passwords: ReadonlyMap<string, string> = new Map([
  ['plain', 'secret'], ['long', 'x'.repeat(maxBytes)], ['block', 'sixteen letters.'], ['umlaut', 'pässwörd'], ['elephant', '🐘'.repeat(maxBytes / 4)],
  ['colons', ':a::b:'], ['backslashes', '\\\\:\\'], ['like-text', 'TEXTabc'], ['like-aes', 'AESabc'], ['like-md5', 'md5abc'], ['blanks', ' x '], ['ünïcode user', 'x'],
  ...Array.from({ length: 40 }, (_, i): [string, string] => [`random${i}`, randomPassword()]),
]);
const input = [...passwords].map(([user, password]) => `${user}:${password}\n`).join('');

describe('pool_passwd goes between Debian and pgloom', { skip: skipWithoutDebianTools }, () => {
  const tools = new PasswordTools();
  after(() => tools.remove());
  const key = randomBytes(24).toString('base64');
  const files = { input, key: `${key}\n` };

  it('with passwords that pg_enc has encrypted', async () => {
    const directories = { debian: tools.scratch(files), pgloom: tools.scratch(files) };
    for (const whose of ['debian', 'pgloom'] as const) {
      const directory = directories[whose];
      const { status, stdout, stderr } = await tools.run(whose, directory, ['pg_enc', '-k', 'key', '-m', '-f', 'pgpool.conf', '-i', 'input']);
      assert.deepEqual([status, stderr], [0, ''], stdout);
      const { passwords: read } = readPoolPasswd(join(directory, 'pool_passwd'), new KeyFile(join(directory, 'key')));
      assert.deepEqual(read, new Map([...passwords].map(([user, password]) => [user, `TEXT${password}`])), `written by ${whose}, with the key ${key}`);
    }
    assert.equal(readFileSync(join(directories.pgloom, 'pool_passwd'), 'utf8'), readFileSync(join(directories.debian, 'pool_passwd'), 'utf8'), `with the key ${key}`);
  });

  it('with md5 digests of pg_md5', async () => {
    const directories = { debian: tools.scratch(files), pgloom: tools.scratch(files) };
    for (const whose of ['debian', 'pgloom'] as const) {
      await tools.run(whose, directories[whose], ['pg_md5', '-m', '-f', 'pgpool.conf', '-i', 'input']);
      const { passwords: read } = readPoolPasswd(join(directories[whose], 'pool_passwd'), new KeyFile('/nowhere'));
      assert.deepEqual(read, new Map([...passwords].map(([user, password]) => [user, md5Hash(password, user)])), `written by ${whose}`);
    }
    assert.equal(readFileSync(join(directories.pgloom, 'pool_passwd'), 'utf8'), readFileSync(join(directories.debian, 'pool_passwd'), 'utf8'));
  });

  it('and each finds the users that the other has written, and keeps the rest', async () => {
    const directory = tools.scratch({ ...files, pool_passwd: 'first:TEXTone\n' });
    const enc = (whose: 'debian' | 'pgloom', user: string): ReturnType<typeof tools.run> => tools.run(whose, directory, ['pg_enc', '-k', 'key', '-m', '-f', 'pgpool.conf', '-u', user, 'a']);
    const md5 = (whose: 'debian' | 'pgloom', user: string): ReturnType<typeof tools.run> => tools.run(whose, directory, ['pg_md5', '-m', '-f', 'pgpool.conf', '-u', user, 'b']);
    await enc('debian', 'second');
    await enc('pgloom', 'third');
    await enc('pgloom', 'co:lon\\');
    const users = async (run: ReturnType<typeof tools.run>): Promise<string[]> => ((await run).poolPasswd ?? '').split('\n').map((line) => line.replace(/(AES|md5|TEXT).*/, '$1'));
    assert.deepEqual(await users(md5('pgloom', 'second')), ['first:TEXT', 'second:md5', 'third:AES', 'co\\:lon\\\\:AES', '']);
    assert.deepEqual(await users(md5('debian', 'third')), ['first:TEXT', 'second:md5', 'third:md5', 'co\\:lon\\\\:AES', '']);
    // Debian's finds the user by what pgloom has written, and then writes what nobody finds again.
    assert.deepEqual(await users(md5('debian', 'co:lon\\')), ['first:TEXT', 'second:md5', 'third:md5', 'co:lon\\:md5', '']);
  });
});
