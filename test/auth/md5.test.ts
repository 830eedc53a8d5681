import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isMd5Hash, md5Answer, md5Hash } from '../../src/shared/auth/md5.js';

test('the stored form of a password is what PostgreSQL writes into pg_authid', () => {
  assert.equal(md5Hash('secret', 'alice'), 'md54a0a68b43b6cd5cf266fa02f196e2371');
  assert.equal(md5Hash('postgres', 'postgres'), 'md53175bce1d3201d16594cebf9d7eb3f9d');
});

test('the answer is the digest of the stored digest and the salt', () => {
  const salt = Buffer.from([1, 2, 3, 4]);
  assert.equal(md5Answer(md5Hash('secret', 'alice'), salt), 'md598a0412b9c31436fc53776e863350083');
  assert.equal(md5Answer('md54A0a68b43b6cd5cf266fa02f196e2371', salt), 'md598a0412b9c31436fc53776e863350083');
});

test('only md5 and 32 hex digits is a hash', () => {
  assert.equal(isMd5Hash('md53175bce1d3201d16594cebf9d7eb3f9d'), true);
  for (const other of ['md5', 'md53175bce1d3201d16594cebf9d7eb3f9', 'md53175bce1d3201d16594cebf9d7eb3f9dd', 'md5zz75bce1d3201d16594cebf9d7eb3f9d']) {
    assert.equal(isMd5Hash(other), false, other);
  }
});
