import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeError, encodeNotice, errors, PgError } from '../../src/shared/errors.js';

function fieldsOf(message: Buffer): Record<string, string> {
  assert.equal(message.readUInt32BE(1), message.length - 1);
  assert.deepEqual([...message.subarray(-2)], [0, 0]);
  return Object.fromEntries(message.subarray(5, -2).toString().split('\0').map(text => [text.charAt(0), text.slice(1)]));
}

test('an error becomes an ErrorResponse with all its fields', () => {
  const message = encodeError(new PgError('FATAL', '28000', 'nö', { detail: 'd', hint: 'h' }));
  assert.equal(String.fromCharCode(message[0] ?? 0), 'E');
  assert.deepEqual(fieldsOf(message), { S: 'FATAL', V: 'FATAL', C: '28000', M: 'nö', D: 'd', H: 'h' });
});

test('a notice has the same form and no empty fields', () => {
  const message = encodeNotice('NOTICE', '00000', 'hello');
  assert.equal(String.fromCharCode(message[0] ?? 0), 'N');
  assert.deepEqual(fieldsOf(message), { S: 'NOTICE', V: 'NOTICE', C: '00000', M: 'hello' });
});

test('a NUL inside a text adds no fields', () => {
  assert.deepEqual(fieldsOf(encodeError(new PgError('ERROR', '42704', 'a\0HFalse hint'))), { S: 'ERROR', V: 'ERROR', C: '42704', M: 'aHFalse hint' });
});

test('every error of the table has a five-letter SQLSTATE, and only an internal fault is XX000', () => {
  const client = { host: '10.0.0.1', user: 'u', database: 'd', tls: false };
  const sample = new Map<keyof typeof errors, unknown[]>([['hbaNoEntry', [client]], ['hbaReject', [client]]]);
  for (const name of Object.keys(errors) as (keyof typeof errors)[]) {
    const make = errors[name] as (...values: unknown[]) => PgError;
    const error = make(...(sample.get(name) ?? [1, 2]).map(value => (name === 'noPreparedStatement' ? 's' : value)));
    assert.match(error.sqlstate, /^[0-9A-Z]{5}$/, name);
    assert.equal(error.sqlstate === 'XX000', name === 'internal', name);
    assert.ok(!/undefined|NaN|\[object/.test(`${error.message}${error.detail ?? ''}`), `${name}: ${error.message}`);
  }
});

test('a client that pool_hba.conf turns away reads which connection it was', () => {
  const error = errors.hbaNoEntry({ host: '10.0.0.1', user: 'u', database: 'd', tls: false });
  assert.equal(error.detail, 'no pool_hba.conf entry for host "10.0.0.1", user "u", database "d", SSL off');
  assert.equal(errors.hbaReject({ host: '', user: 'u', database: 'd', tls: true }).detail,
    'pool_hba.conf rejects connection for host "[local]", user "u", database "d", SSL on');
});
