/** pgloom's pg_md5 and pg_enc against Debian's: standard output, standard error, exit status, and what pool_passwd is then. */
import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { PasswordTools, skipWithoutDebianTools, type Tool, type ToolRun } from './password-tools.js';

const u = (length: number): string => 'u'.repeat(length);

const files = {
  'pairs': `u1:p1\n\nnocolon\nu2:\nu4:p:4\nü:pässwörd\n${u(129)}:x\nu:${u(129)}\n${u(128)}:y\nv:${u(128)}\nu1:again\nlast:no line end`,
  'key': 'the key\nsecond line\n', 'long-key': 'k'.repeat(300), 'windows-key': 'key\r\n', 'no-key': '',
  'other.conf': "listen_addresses = '*'\nbackend_port0 = 5432\n",
};
const old = '# comment\nbob:md5x\nalice:AESx\n\nbob:two\nal\\\\ice:x\nba\\rt:x\n';

const cases: readonly (readonly [Tool, ...string[]])[] = [
  ['pg_md5'], ['pg_md5', ''], ['pg_md5', 'pässwörd', 'ignored'], ['pg_md5', '--', '-x'], ['pg_md5', u(128)], ['pg_md5', u(129)],
  ['pg_md5', 'foo', '-h', '-z'], ['pg_md5', '-z'], ['pg_md5', '--help=x'], ['pg_md5', '-f'], ['pg_md5', '--pro'], ['pg_md5', '-u', u(128), 'x'], ['pg_md5', '-u', u(129), 'x'],
  ['pg_md5', '-i', 'pairs'], ['pg_md5', '-i', 'none'], ['pg_md5', '-m', '-i', 'pairs', '-f', 'none'], ['pg_md5', '-m', '-f', 'pgpool.conf'],
  ['pg_enc'], ['pg_enc', '-K', 'key', ''], ['pg_enc', '-K', 'kéy', 'pässwörd'], ['pg_enc', '-K', 'key', u(128)],
  ['pg_enc', '-K', u(255), 'foo'], ['pg_enc', 'foo'], ['pg_enc', '-K', '', '-k', 'none', 'foo'],
  ['pg_enc', '--key-f', 'key', 'foo'], ['pg_enc', '-k', 'long-key', 'foo'], ['pg_enc', '-k', 'windows-key', 'foo'],
  ['pg_enc', '-k', '.', 'foo'], ['pg_enc', '-P', 'foo'], ['pg_enc', '-K', 'k', '-u', u(130), 'x'],
  ['pg_enc', '-i', 'pairs', '-k', 'key'], ['pg_enc', '-i', 'none', '-K', 'key'], ['pg_enc', '-K', 'key', '-m', '-f', 'none', 'foo'],
];

/** Of those that write pool_passwd: what it is before. */
const updates: readonly (readonly [before: string | undefined, Tool, ...string[]])[] = [
  [undefined, 'pg_md5', '-m', '-f', 'pgpool.conf', 'foo'], [old, 'pg_md5', '-mf', './other.conf', '-u', 'bob', 'pw'], [old, 'pg_md5', '--md5', '--conf=pgpool.conf', '--user', 'new', 'a:b'],
  [old, 'pg_md5', '-m', '-f', 'pgpool.conf', '-u', 'bart', 'x'], [old, 'pg_md5', '-m', '-f', 'pgpool.conf', '-i', 'pairs'],
  [undefined, 'pg_enc', '-K', 'key', '-m', '-f', 'pgpool.conf', '-i', 'pairs'], [old, 'pg_enc', '-k', 'key', '-mf', 'other.conf', 'pw'],
  [old, 'pg_enc', '--enc-key=key', '--up', '--config', 'pgpool.conf', '--user', 'alice', 'a:b'],
];

describe("pgloom's pg_md5 and pg_enc do what Debian's do", { skip: skipWithoutDebianTools, concurrency: 4 }, () => {
  const tools = new PasswordTools();
  after(() => tools.remove());

  async function both(directory: () => string, args: readonly [Tool, ...string[]], env: Readonly<Record<string, string>> = {}): Promise<{ debian: ToolRun; own: ToolRun }> {
    const [debian, own] = await Promise.all([tools.run('debian', directory(), args, env), tools.run('pgloom', directory(), args, env)]);
    return { debian, own };
  }

  for (const [before, ...args] of [...cases.map((args) => [undefined, ...args] as const), ...updates]) {
    it(args.map((arg) => (arg.length > 20 ? `${arg.slice(0, 3)}… (${arg.length})` : arg)).join(' '), async () => {
      const content = before === undefined ? files : { ...files, pool_passwd: before };
      // Where the key file would be otherwise is known only to who runs this.
      const env = args.length === 2 ? { PGPOOLKEYFILE: 'key' } : {};
      const { debian, own } = await both(() => tools.scratch(content), args, env);
      if (before === undefined) assert.ok(own.mode === null || own.mode === 0o600, "a new pool_passwd is private; Debian's is not");
      assert.deepEqual({ ...own, mode: before === undefined ? debian.mode : own.mode }, debian);
    });
  }

  it('pg_enc -h, but for the version', async () => {
    const withoutVersion = (text: string): string => text.replace(/pgpool-II version .*,\n/, '');
    for (const args of [['-h'], ['--pr'], ['-K', 'k', u(129)]]) {
      const { debian, own } = await both(() => tools.scratch(), ['pg_enc', ...args]);
      assert.deepEqual([own.status, withoutVersion(own.stdout), withoutVersion(own.stderr)], [debian.status, withoutVersion(debian.stdout), withoutVersion(debian.stderr)]);
      assert.ok(`${own.stdout}${own.stderr}`.includes(`Default: ${userInfo().homedir}/.pgpoolkey\n`));
    }
  });

  it('with a key file that others may read', async () => {
    const directory = (): string => {
      const made = tools.scratch(files);
      chmodSync(join(made, 'key'), 0o644);
      return made;
    };
    const { debian, own } = await both(directory, ['pg_enc', '-k', 'key', 'foo']);
    assert.deepEqual(own, debian);
    assert.match(own.stderr, /^WARNING: pid \*: pool key file "key" has group or world access; /);
  });
});
