/** Where pg_md5 and pg_enc write, what they leave alone, and what they refuse though Debian's do not. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { md5Hash } from '../../src/shared/auth/md5.js';
import { PasswordTools, type Tool, type ToolRun } from './password-tools.js';

const isRoot = process.getuid?.() === 0;
const skipUnlessRoot = isRoot ? false : 'only root can give files away';
const someoneId = 12_345;

describe('pool_passwd', { concurrency: 4 }, () => {
  const tools = new PasswordTools();
  after(() => tools.remove());

  const run = (directory: string, ...args: [Tool, ...string[]]): Promise<ToolRun> => tools.run('pgloom', directory, args);
  const set = (directory: string, user = 'u', password = 'pw'): Promise<ToolRun> => run(directory, 'pg_md5', '-m', '-f', 'pgpool.conf', '-u', user, password);
  const entry = (user = 'u', password = 'pw'): string => `${user}:${md5Hash(password, user)}\n`;
  const done = { status: 0, stdout: '', stderr: '' };

  it('is the file that pgpool.conf names, which Debian\'s tools do not look at', async () => {
    const directory = tools.scratch({ 'pgpool.conf': "pool_passwd = 'passwords'\n", 'absolute.conf': '' });
    mkdirSync(join(directory, 'conf'));
    assert.deepEqual(await set(directory), { ...done, poolPasswd: null, mode: null });
    assert.equal(readFileSync(join(directory, 'passwords'), 'utf8'), entry());
    writeFileSync(join(directory, 'conf', 'pgpool.conf'), "include = 'more.conf'\n");
    writeFileSync(join(directory, 'conf', 'more.conf'), `pool_passwd = '${join(directory, 'elsewhere')}'\n`);
    await run(directory, 'pg_md5', '-m', '-f', 'conf/pgpool.conf', '-u', 'u', 'pw');
    assert.equal(readFileSync(join(directory, 'elsewhere'), 'utf8'), entry());
  });

  it('is beside pgpool.conf otherwise, whatever else is wrong there', async () => {
    assert.equal((await set(tools.scratch({ 'pgpool.conf': '' }))).poolPasswd, entry());
    assert.equal((await set(tools.scratch({ 'pgpool.conf': "port = 'far too high'\nfrobnicate = 1\n" }))).poolPasswd, entry());
  });

  it('is not guessed when pgpool.conf cannot be read or names no file', async () => {
    for (const [conf, told] of [["pool_passwd = ''\n", /pool_passwd is empty/], ["port = 1\npool_passwd\n", /pgpool\.conf:2: .*the value is missing/], ["include = 'none'\n", /none/]] as const) {
      const { status, stderr, poolPasswd } = await set(tools.scratch({ 'pgpool.conf': conf }));
      assert.deepEqual([status, poolPasswd], [1, null]);
      assert.match(stderr, told);
      assert.ok(stderr.endsWith('Unable to get configuration. Exiting...\n\n'), stderr);
    }
  });

  it('keeps its other lines byte by byte, and a last line without an end is not glued to', async () => {
    const latin1 = Buffer.from('caf\xe9:x\r\n# \0\n\nlast:AESx', 'latin1');
    const directory = tools.scratch({ pool_passwd: latin1 });
    await set(directory);
    assert.deepEqual(readFileSync(join(directory, 'pool_passwd')), Buffer.concat([latin1, Buffer.from(`\n${entry()}`)]));
  });

  it('loses the byte order mark at its beginning, behind which an old password would stay in force', async () => {
    const directory = tools.scratch({ pool_passwd: `\ufeff${entry('u', 'old')}a:b\n` });
    assert.equal((await set(directory)).poolPasswd, `${entry()}a:b\n`);
  });

  it('gets the first user of an -i file without the byte order mark before it', async () => {
    const directory = tools.scratch({ pairs: '\ufeffu:pw\n' });
    assert.equal((await run(directory, 'pg_md5', '-m', '-f', 'pgpool.conf', '-i', 'pairs')).poolPasswd, entry());
  });

  it('keeps its mode', async () => {
    const directory = tools.scratch({ pool_passwd: 'a:b\n' });
    chmodSync(join(directory, 'pool_passwd'), 0o640);
    assert.deepEqual(await set(directory), { ...done, poolPasswd: `a:b\n${entry()}`, mode: 0o640 });
  });

  it('keeps its owner, and a new one belongs to whom pgpool.conf belongs to', { skip: skipUnlessRoot }, async () => {
    const directory = tools.scratch({ pool_passwd: '' });
    const file = join(directory, 'pool_passwd');
    chownSync(file, someoneId, someoneId + 1);
    await set(directory);
    assert.deepEqual([statSync(file).uid, statSync(file).gid], [someoneId, someoneId + 1]);
    const fresh = tools.scratch();
    chownSync(join(fresh, 'pgpool.conf'), 0, someoneId);
    chmodSync(join(fresh, 'pgpool.conf'), 0o640);
    assert.equal((await set(fresh)).mode, 0o640);
    assert.deepEqual([statSync(join(fresh, 'pool_passwd')).uid, statSync(join(fresh, 'pool_passwd')).gid], [0, someoneId]);
  });

  it('is private when it is new, though everybody may read pgpool.conf', async () => {
    const directory = tools.scratch();
    chmodSync(join(directory, 'pgpool.conf'), 0o644);
    assert.equal((await set(directory)).mode, 0o600);
  });

  it('is refused when it is a link, a directory or a pipe, and nothing is left behind', async () => {
    for (const [make, told] of [
      [(path: string) => symlinkSync('target', path), /symbolic link/],
      [(path: string) => mkdirSync(path), /it is a directory/],
      [(path: string) => execFileSync('mkfifo', [path]), /not a plain file/],
    ] as const) {
      const directory = tools.scratch({ target: 'a:b\n' });
      const file = join(directory, 'pool_passwd');
      make(file);
      const before = lstatSync(file);
      const { status, stdout, stderr } = await run(directory, 'pg_enc', '-K', 'k', '-m', '-f', 'pgpool.conf', '-u', 'u', 'pw');
      assert.deepEqual([status, stdout], [255, '']);
      assert.match(stderr, told);
      assert.deepEqual([lstatSync(file).ino, lstatSync(file).mode], [before.ino, before.mode]);
      assert.equal(readFileSync(join(directory, 'target'), 'utf8'), 'a:b\n');
      assert.deepEqual(readdirSync(directory).toSorted(), ['pgpool.conf', 'pool_passwd', 'target']);
    }
  });

  it('has all entries when many are written at the same time', async () => {
    const directory = tools.scratch({ pool_passwd: 'old:x\n' });
    const users = Array.from({ length: 8 }, (_, i) => `user${i}`);
    await Promise.all(users.map((user) => set(directory, user)));
    const lines = readFileSync(join(directory, 'pool_passwd'), 'utf8').trimEnd().split('\n');
    assert.deepEqual(lines.toSorted(), ['old:x', ...users.map((user) => entry(user).trimEnd())]);
    assert.deepEqual(readdirSync(directory).toSorted(), ['pgpool.conf', 'pool_passwd']);
  });

  it('gets no entry for an empty password, nor one that makes two lines', async () => {
    const directory = tools.scratch({ pool_passwd: 'old:x\n' });
    for (const args of [
      ['pg_md5', '-u', 'u', ''], ['pg_enc', '-K', 'k', '-u', 'u', ''], ['pg_md5', '-u', 'u\nroot:TEXTx', 'pw'], ['pg_enc', '-K', 'k', '-u', 'u\nx', 'pw'], ['pg_md5', 'a\nb'],
      ['pg_enc', '-K', 'k', '-u', 'u'.repeat(129), 'pw'], ['pg_enc', '-K', 'k'.repeat(256), 'pw'],
    ] as [Tool, ...string[]][]) {
      const { status, stderr, poolPasswd } = await run(directory, ...args, '-m', '-f', 'pgpool.conf');
      assert.deepEqual([status, poolPasswd], [1, 'old:x\n']);
      assert.match(stderr, /^Error: .*\n+$/);
    }
  });

  it('gets no entry from a line without a user, and carriage returns are no part of passwords', async () => {
    const pairs = ':nobody\nu:pw\r\n';
    const md5 = await run(tools.scratch({ pairs }), 'pg_md5', '-m', '-f', 'pgpool.conf', '-i', 'pairs');
    assert.deepEqual([md5.stdout, md5.poolPasswd], ['trying to read username:password pairs from file pairs\nLINE#01: Invalid username:password pair\nLINE#02: USER: <u>\n', entry()]);
    const enc = await run(tools.scratch({ pairs }), 'pg_enc', '-K', 'k', '-m', '-f', 'pgpool.conf', '-i', 'pairs');
    assert.deepEqual([enc.stderr, enc.poolPasswd?.split(':')[0]], ['LINE#01: invalid username:password pair\n', 'u']);
  });

  it('gets no entry that an empty key has encrypted', async () => {
    for (const key of ['', '\nsecond line\n']) {
      const { status, stderr } = await run(tools.scratch({ key }), 'pg_enc', '-k', 'key', 'pw');
      assert.deepEqual([status, stderr], [1, 'WARNING: pid *: pool key file "key": its first line is empty\n\nencryption key not provided\n']);
    }
  });

  it('gets pairs from a pipe, so that passwords need not lie on a disk', async () => {
    const directory = tools.scratch();
    const { command, prefix } = tools.command('pgloom', 'pg_md5');
    execFileSync('sh', ['-c', 'printf "u:pw\\n" | "$@"', 'sh', command, ...prefix, '-m', '-f', 'pgpool.conf', '-i', '/dev/stdin'], { cwd: directory });
    assert.equal(readFileSync(join(directory, 'pool_passwd'), 'utf8'), entry());
  });
});
