import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { defaultKeyFile, readKeyFile } from '../../src/main/access/key-file.js';
import { aesPassword, decryptedPassword, isAesPassword } from '../../src/shared/auth/aes-password.js';

const directory = mkdtempSync(join(tmpdir(), 'pgloom-key-'));
after(() => rmSync(directory, { recursive: true, force: true }));

/** What Debian's pg_enc 4.3.5 prints. */
const written = [['key', 'foo', 'AESOfTO9hKByHokuBMxW8vmFw=='], ['abc\r', 'x', 'AESpEP7Rq+DBQ33Mk7NXJ4WFw=='], ['k', 'p:4', 'AESzAE1okZP7sbD1hoT+s+EfA==']] as const;

test('passwords are encrypted as pg_enc of Pgpool-II encrypts them', () => {
  for (const [key, password, stored] of written) {
    assert.equal(aesPassword(password, Buffer.from(key)), stored);
    assert.equal(decryptedPassword(stored, Buffer.from(key)), password);
  }
  assert.ok(isAesPassword('AESx') && !isAesPassword('aesx'));
});

test('what was encrypted with another key, or not at all, is no password', () => {
  const key = Buffer.from('key');
  for (const [otherKey, , stored] of written.slice(1)) assert.equal(decryptedPassword(stored, key), null, otherKey);
  for (const stored of ['', 'AES', 'AES=', 'AESfoo', 'AESOfTO9hKByHokuBMxW8vmFw', 'AES OfTO9hKByHokuBMxW8vmFw==', 'AESOfTO9hKByHokuBMxW8vmFw==\n', 'OfTO9hKByHokuBMxW8vmFw==']) {
    assert.equal(decryptedPassword(stored, key), null, stored);
  }
  // The right padding comes out by chance once in 256 times; then it is no text.
  for (let i = 0; i < 5000; i++) {
    const password = decryptedPassword(`AES${randomBytes(48).toString('base64')}`, key);
    assert.ok(password === null || !password.includes('\ufffd'));
  }
});

test('an empty password, a NUL and bytes that are not UTF-8 are no passwords', () => {
  const key = Buffer.from('key');
  assert.equal(decryptedPassword(aesPassword('', key), key), null);
  assert.equal(decryptedPassword(aesPassword('a\0b', key), key), null);
  assert.equal(decryptedPassword(aesPassword('\ufeffa', key), key), '\ufeffa', 'a byte order mark is a letter here');
});

test('the key is the first line of the key file, 255 bytes at the most', () => {
  const file = join(directory, 'key');
  for (const [content, key] of [['one\ntwo\n', 'one'], ['one', 'one'], [' one \r\n', ' one \r'], ['k'.repeat(300), 'k'.repeat(255)], ['one\0two', 'one'], ['ö', 'ö']] as const) {
    writeFileSync(file, content, { mode: 0o600 });
    assert.deepEqual(readKeyFile(file), { key: Buffer.from(key), reason: '', warnings: [] });
  }
  writeFileSync(file, '\nsecond\n');
  assert.deepEqual(readKeyFile(file), { key: null, reason: 'its first line is empty', warnings: [] });
});

test('a key file that others may read is used, with a warning that names it', () => {
  const file = join(directory, 'open-key');
  writeFileSync(file, 'key\n');
  for (const mode of [0o640, 0o604, 0o620]) {
    chmodSync(file, mode);
    const { key, warnings } = readKeyFile(file);
    assert.equal(key?.toString(), 'key');
    assert.deepEqual(warnings, [`pool key file "${file}" has group or world access; permissions should be u=rw (0600) or less`]);
  }
});

test('without a key file it is said why there is none', () => {
  assert.deepEqual(readKeyFile(join(directory, 'none')), { key: null, reason: 'there is no such file', warnings: [] });
  const folder = join(directory, 'folder');
  mkdirSync(folder);
  assert.deepEqual(readKeyFile(folder), { key: null, reason: 'it is not a plain file', warnings: [`pool key file "${folder}" is not a plain file`] });
  assert.match(readKeyFile(join(directory, 'key', 'below')).reason, /^it cannot be read \(ENOTDIR\)$/);
});

test('the key file is the one of the environment, or stands in the home directory', () => {
  assert.equal(defaultKeyFile({ PGPOOLKEYFILE: 'my/key' }), 'my/key');
  assert.equal(defaultKeyFile({ HOME: '/elsewhere' }), join(userInfo().homedir, '.pgpoolkey'));
});
