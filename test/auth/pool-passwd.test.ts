import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { AccessFileError } from '../../src/main/access/access-file.js';
import { loadAccess, type AccessSettings } from '../../src/main/access/load.js';
import { parsePoolPasswd, readPoolPasswd } from '../../src/main/access/pool-passwd.js';

const directory = mkdtempSync(join(tmpdir(), 'pgloom-access-'));
after(() => rmSync(directory, { recursive: true, force: true }));

test('pool_passwd is read as Pgpool-II reads it', () => {
  const { passwords, warnings } = parsePoolPasswd([
    'alice:secret', 'bob:md53175bce1d3201d16594cebf9d7eb3f9d', 'carol:TEXTpass word ', 'dave:AESabc=',
    'with\\:colon:pass\\:word', 'back\\slash:a\\b', 'erin:front:backenduser:backendpassword', 'frank:', '', 'grace:last\r',
  ].join('\n'), 'pool_passwd');
  assert.deepEqual(Object.fromEntries(passwords), {
    'alice': 'secret', 'bob': 'md53175bce1d3201d16594cebf9d7eb3f9d', 'carol': 'TEXTpass word ', 'dave': 'AESabc=',
    'with:colon': 'pass:word', 'back\\slash': 'a\\b', 'erin': 'front', 'frank': '', 'grace': 'last',
  });
  assert.deepEqual(warnings, []);
});

test('the first line of a user holds, and lines that say nothing are named without their passwords', () => {
  const { passwords, warnings } = parsePoolPasswd('u:first\nu:second\nsecretwithoutcolon\n:nobody\nn:u\0l\n', 'f');
  assert.deepEqual([...passwords], [['u', 'first']]);
  assert.deepEqual(warnings.map(warning => warning.split(' ')[0]), ['f:2:', 'f:3:', 'f:4:', 'f:5:']);
  assert.ok(!/second|secret|nobody/.test(warnings.join()));
});

test('user names such as __proto__ are ordinary names', () => {
  assert.equal(parsePoolPasswd('__proto__:x', 'f').passwords.get('__proto__'), 'x');
});

test('a missing pool_passwd is an empty one and is not created', () => {
  const file = join(directory, 'missing');
  assert.equal(readPoolPasswd(file).passwords.size, 0);
  assert.equal(existsSync(file), false);
});

test('a pool_passwd that cannot be read is an error that names it', () => {
  const folder = join(directory, 'folder');
  mkdirSync(folder);
  assert.throws(() => readPoolPasswd(folder), (error: AccessFileError) => error.message === `${folder}: is not a plain file`);
  const pipe = join(directory, 'pipe');
  execFileSync('mkfifo', [pipe]);
  assert.throws(() => readPoolPasswd(pipe), (error: AccessFileError) => error.message === `${pipe}: is not a plain file`);
  const latin1 = join(directory, 'latin1');
  writeFileSync(latin1, Buffer.from('u:p\xe4ss', 'latin1'));
  assert.throws(() => readPoolPasswd(latin1), /latin1: is not UTF-8/);
});

test('the access files are found beside pgpool.conf, or where the command line says', () => {
  writeFileSync(join(directory, 'pool_hba.conf'), 'local all all trust\nhost all +g all trust\nhost all all all md5\n');
  writeFileSync(join(directory, 'other_hba'), 'local all all reject\n');
  writeFileSync(join(directory, 'pool_passwd'), 'u:p\nu:q\n');
  const settings: AccessSettings = { enable_pool_hba: true, pool_passwd: 'pool_passwd', configDirectory: directory };
  const { access, warnings } = loadAccess(settings);
  assert.deepEqual(access.hba.map(rule => rule.method), ['trust', 'trust', 'md5']);
  assert.equal(access.passwords.get('u'), 'p');
  assert.equal(warnings.length, 3);
  assert.match(warnings.join('\n'), /pool_hba.conf:2: user field.*\n.*pool_hba.conf:3: method field: md5 is not supported yet.*\n.*pool_passwd:2/);
  assert.deepEqual(loadAccess(settings, join(directory, 'other_hba')).access.hba.map(rule => rule.method), ['reject']);
  assert.deepEqual(loadAccess({ ...settings, enable_pool_hba: false, pool_passwd: '' }, '/nowhere').access, { hba: [], passwords: new Map() });
  assert.throws(() => loadAccess(settings, join(directory, 'none')), /none: there is no such file/);
  assert.doesNotThrow(() => structuredClone(access), 'workers get a copy');
});
