import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { AccessFileError } from '../../src/main/access/access-file.js';
import { KeyFile } from '../../src/main/access/key-file.js';
import { loadAccess } from '../../src/main/access/load.js';
import { parsePoolPasswd, readPoolPasswd } from '../../src/main/access/pool-passwd.js';
import { loadConfig } from '../../src/main/config/load.js';
import { aesPassword } from '../../src/shared/auth/aes-password.js';
import { configuredPassword } from '../../src/shared/auth/configured-password.js';
import type { Settings } from '../../src/shared/settings.js';

const directory = mkdtempSync(join(tmpdir(), 'pgloom-access-'));
after(() => rmSync(directory, { recursive: true, force: true }));

const noKey = new KeyFile('/no/key');
const keyFile = join(directory, 'key');
writeFileSync(keyFile, 'the key\n', { mode: 0o600 });
const encrypted = (password: string, key = 'the key'): string => aesPassword(password, Buffer.from(key));

function settingsOf(lines: string): Settings {
  const file = join(directory, 'pgpool.conf');
  writeFileSync(file, lines);
  return loadConfig(file).settings;
}

test('pool_passwd is read as Pgpool-II reads it', () => {
  const { passwords, warnings } = parsePoolPasswd([
    'alice:secret', 'bob:md53175bce1d3201d16594cebf9d7eb3f9d', 'carol:TEXTpass word ',
    'with\\:colon:pass\\:word', 'back\\\\slash:a\\\\b', 'need\\less:a\\b', 'end:a\\', 'erin:front:backenduser:backendpassword', 'frank:', '', 'grace:last\r',
  ].join('\n'), 'pool_passwd', noKey);
  assert.deepEqual(Object.fromEntries(passwords), {
    'alice': 'secret', 'bob': 'md53175bce1d3201d16594cebf9d7eb3f9d', 'carol': 'TEXTpass word ',
    'with:colon': 'pass:word', 'back\\slash': 'a\\b', 'needless': 'ab', 'end': 'a\\', 'erin': 'front', 'frank': '', 'grace': 'last',
  });
  assert.deepEqual(warnings, ['pool_passwd:8: the password of user "erin" ends at its first ":", what follows has no effect, as in Pgpool-II (a ":" inside a password is written "\\:")']);
});

test('a password that a colon cuts short is told with its line and user, and not shown', () => {
  const verifier = `SCRAM-SHA-256$4096:c2FsdHNhbHRzYWx0c2FsdA==$${'A'.repeat(43)}=:${'B'.repeat(43)}=`;
  const { passwords, warnings } = parsePoolPasswd(`alice:TEXTsecret:more\nbob:TEXTsecret:\ncarol:TEXTsecret\\:more\ndave:${verifier}\nerin:${verifier}:more\n`, 'f', noKey);
  assert.deepEqual(['alice', 'bob', 'carol', 'dave', 'erin'].map(user => passwords.get(user)), ['TEXTsecret', 'TEXTsecret', 'TEXTsecret:more', verifier, verifier]);
  assert.deepEqual(warnings.map(warning => /^(f:\d+): the password of user "(\w+)" ends at its first ":"/.exec(warning)?.slice(1)), [['f:1', 'alice'], ['f:2', 'bob'], ['f:5', 'erin']]);
  assert.ok(!/secret|more|AAA|BBB/.test(warnings.join()));
});

test('the first line of a user that has a password holds, and lines that say nothing are named without their passwords', () => {
  const { passwords, warnings } = parsePoolPasswd('u:first\nu:second\nsecretwithoutcolon\n:nobody\nn:u\0l\nv:\nv:third\n', 'f', noKey);
  assert.deepEqual([...passwords], [['u', 'first'], ['v', 'third']]);
  assert.deepEqual(warnings.map(warning => warning.split(' ')[0]), ['f:2:', 'f:3:', 'f:4:', 'f:5:']);
  assert.ok(!/second|secret|nobody/.test(warnings.join()));
});

test('user names such as __proto__ are ordinary names', () => {
  assert.equal(parsePoolPasswd('__proto__:x', 'f', noKey).passwords.get('__proto__'), 'x');
});

test('a verifier is pasted from pg_authid as it is, or with its colons escaped', () => {
  const verifier = `SCRAM-SHA-256$4096:c2FsdHNhbHRzYWx0c2FsdA==$${'A'.repeat(43)}=:${'B'.repeat(43)}=`;
  const { passwords, warnings } = parsePoolPasswd(`a:${verifier}\nb:${verifier.replaceAll(':', '\\:')}\nc:${verifier}:backend:password\n`, 'f', noKey);
  assert.deepEqual(Object.fromEntries(passwords), { a: verifier, b: verifier, c: verifier });
  assert.deepEqual(warnings.map(warning => warning.slice(0, 3)), ['f:3']);
});

test('passwords in a wrong form are named by line and user, never shown', () => {
  const { passwords, warnings } = parsePoolPasswd('a:md5abcdef\nb:SCRAM-SHA-256$4096:hidden\nc:md5Geheim\n', 'f', noKey);
  assert.deepEqual(warnings.map(warning => /^(f:\d): the password of user "(.)" (begins with md5|is no SCRAM-SHA-256 verifier)/.exec(warning)?.slice(1)), [
    ['f:1', 'a', 'begins with md5'], ['f:2', 'b', 'is no SCRAM-SHA-256 verifier'], ['f:3', 'c', 'begins with md5'],
  ]);
  assert.ok(!/abcdef|hidden|Geheim/.test(warnings.join()));
  assert.equal(passwords.get('a'), 'md5abcdef', 'Pgpool-II takes it for plain text');
});

test('encrypted passwords become plain with the key', () => {
  const file = join(directory, 'aes_passwd');
  writeFileSync(file, `a:${encrypted('one')}\nb:${encrypted('TEXT:two')}\nc:${encrypted('three', 'another key')}\nd:AESnot base64\n`, { mode: 0o600 });
  const { passwords, warnings } = readPoolPasswd(file, new KeyFile(keyFile));
  assert.deepEqual([...passwords.values()].slice(0, 2), ['TEXTone', 'TEXTTEXT:two']);
  assert.deepEqual([...passwords.values()].slice(2), [encrypted('three', 'another key'), 'AESnot base64']);
  assert.deepEqual(warnings, [
    `${file}:3: the password of user "c" is encrypted with AES, and the key in ${keyFile} does not decrypt it`,
    `${file}:4: the password of user "d" is encrypted with AES, and the key in ${keyFile} does not decrypt it`,
  ]);
});

test('without the key one warning names the key file looked for, and none is needed for other passwords', () => {
  const { passwords, warnings } = parsePoolPasswd(`a:${encrypted('one')}\nb:${encrypted('two')}\nc:three\n`, 'f', noKey);
  assert.deepEqual(warnings, ['f: 2 passwords are encrypted with AES, and there is no key to decrypt: /no/key: there is no such file']);
  assert.ok(passwords.get('a')?.startsWith('AES'));
  const unread = new KeyFile(directory);
  parsePoolPasswd('c:three\n', 'f', unread);
  assert.deepEqual(unread.warnings, []);
});

test('a missing pool_passwd is an empty one and is not created', () => {
  const file = join(directory, 'missing');
  assert.equal(readPoolPasswd(file, noKey).passwords.size, 0);
  assert.equal(existsSync(file), false);
});

test('a pool_passwd that is missing is told where somebody counts on it', async () => {
  const place = mkdtempSync(join(directory, 'counted-'));
  const configFile = join(place, 'pgpool.conf');
  const warnings = async (conf: string, hba = 'host all all all scram-sha-256'): Promise<string[]> => {
    writeFileSync(configFile, conf);
    writeFileSync(join(place, 'pool_hba.conf'), `${hba}\n`);
    return (await loadAccess(loadConfig(configFile).settings, undefined, '/no/key')).warnings;
  };
  const told = async (why: RegExp, ...given: Parameters<typeof warnings>): Promise<void> => {
    const [only = '', ...more] = await warnings(...given);
    assert.ok(only.startsWith(`${join(place, 'pool_passwd')}: there is no such file, `), only);
    assert.match(only, why);
    assert.deepEqual(more, []);
  };
  const named = "pool_passwd = 'pool_passwd'\n";
  await told(/though pool_passwd in .*pgpool\.conf names it: no user has a password$/, named);
  await told(/and .*pool_hba\.conf:1 \(scram-sha-256\) needs it/, 'enable_pool_hba = on\n');
  for (const [conf, hba] of [['', undefined], ['enable_pool_hba = on\n', 'host all all all trust'], ["enable_pool_hba = on\nauth_user = 'x'\n", undefined], ["pool_passwd = ''\n", undefined]] as const) {
    assert.deepEqual(await warnings(conf, hba), [], conf);
  }
  writeFileSync(join(place, 'pool_passwd'), 'u:TEXTp\n', { mode: 0o600 });
  assert.deepEqual([await warnings(''), await warnings(named)], [[], []]);
  rmSync(join(place, 'pool_passwd'));
  await told(/and it was there before/, '');
});

test('a pool_passwd that others may read is used, with a warning that names file and mode', () => {
  const file = join(directory, 'open_passwd');
  writeFileSync(file, 'u:secret\n');
  const isRoot = process.getuid?.() === 0;
  for (const [mode, isTold] of [[0o600, false], [0o400, false], [0o640, !isRoot], [0o644, true], [0o660, true], [0o606, true]] as const) {
    chmodSync(file, mode);
    const { passwords, warnings } = readPoolPasswd(file, noKey);
    assert.equal(passwords.get('u'), 'secret');
    assert.equal(warnings.length, isTold ? 1 : 0, mode.toString(8));
    if (isTold) assert.ok(warnings[0]?.startsWith(`${file}: `) && warnings[0].includes(`(mode 0${mode.toString(8)})`), warnings[0]);
  }
  writeFileSync(file, '\n');
  assert.deepEqual(readPoolPasswd(file, noKey).warnings, [], 'there is nothing in it to be read');
});

test('a pool_passwd that cannot be read is an error that names it', () => {
  const folder = join(directory, 'folder');
  mkdirSync(folder);
  assert.throws(() => readPoolPasswd(folder, noKey), (error: AccessFileError) => error.message === `${folder}: is not a plain file`);
  const pipe = join(directory, 'pipe');
  execFileSync('mkfifo', [pipe]);
  assert.throws(() => readPoolPasswd(pipe, noKey), (error: AccessFileError) => error.message === `${pipe}: is not a plain file`);
  const latin1 = join(directory, 'latin1');
  writeFileSync(latin1, Buffer.from('u:p\xe4ss', 'latin1'));
  assert.throws(() => readPoolPasswd(latin1, noKey), /latin1: is not UTF-8/);
});

test('the access files are found beside pgpool.conf, or where the command line says', async () => {
  writeFileSync(join(directory, 'pool_hba.conf'), 'local all all trust\nhost all all all trust\n');
  writeFileSync(join(directory, 'other_hba'), 'local all all reject\n');
  writeFileSync(join(directory, 'pool_passwd'), 'u:p\nu:q\n', { mode: 0o600 });
  const settings = settingsOf('enable_pool_hba = on\n');
  const { access, warnings } = await loadAccess(settings);
  assert.deepEqual(access.hba.map(rule => rule.method), ['trust', 'trust']);
  assert.equal(access.passwords.get('u'), 'p');
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /pool_passwd:2: line ignored/);
  assert.deepEqual((await loadAccess(settings, join(directory, 'other_hba'))).access.hba.map(rule => rule.method), ['reject']);
  const { access: none } = await loadAccess({ ...settings, enable_pool_hba: false, pool_passwd: '' }, '/nowhere');
  assert.deepEqual([none.hba, none.passwords], [[], new Map()]);
  await assert.rejects(loadAccess(settings, join(directory, 'none')), /none: there is no such file/);
  assert.doesNotThrow(() => structuredClone(access), 'workers get a copy');
});

test('passwords of pgpool.conf may be encrypted, too', async () => {
  writeFileSync(join(directory, 'pool_passwd'), `u:${encrypted('of u')}\n`, { mode: 0o600 });
  const settings = settingsOf([
    `sr_check_password = '${encrypted('one')}'`, `health_check_password = '${encrypted('two')}'`, 'backend_port0 = 5432\nbackend_port1 = 5433',
    `health_check_password1 = '${encrypted('three')}'`, `recovery_password = '${encrypted('four', 'another key')}'`, "wd_lifecheck_password = 'plain'",
  ].join('\n'));
  const { access, warnings } = await loadAccess(settings, undefined, keyFile);
  const password = (text: string): string | undefined => configuredPassword(access, text, 'u');
  assert.deepEqual([settings.sr_check_password, ...settings.backends.map(backend => backend.health_check.password), settings.wd_lifecheck_password, ''].map(password), [
    'TEXTone', 'TEXTtwo', 'TEXTthree', 'plain', 'TEXTof u',
  ]);
  assert.deepEqual(warnings, [`${directory}/pgpool.conf: recovery_password: it is encrypted with AES, and the key in ${keyFile} does not decrypt it`]);
  const { warnings: without } = await loadAccess(settings, undefined, '/no/key');
  assert.deepEqual(without.map(warning => /^\S+: (?:(\w+): )?.* there is no key to decrypt.*: \/no\/key: there is no such file$/.exec(warning)?.[1]), [
    undefined, 'sr_check_password', 'health_check_password', 'recovery_password', 'health_check_password1',
  ]);
});
