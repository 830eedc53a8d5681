/** Clients over TLS, with psql and the `pg` driver. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { eventually, untilMatch } from '../support/eventually.js';
import { withClient } from '../support/pgloom.js';
import { psql, sharedTlsPgloom, sslFiles, withTlsPgloom } from './fixture.js';

const shared = sharedTlsPgloom();

test('psql verifies our certificate and its name, and queries over TLS 1.3 and TLS 1.2', async () => {
  const { pgloom: { port }, certificates: { authority } } = await shared();
  const rooted = `sslmode=verify-full sslrootcert=${authority.cert}`;
  for (const version of ['TLSv1.3', 'TLSv1.2']) {
    const ran = await psql(port, `${rooted} ssl_max_protocol_version=${version}`, '\\conninfo', 'select count(*) from items');
    assert.equal(ran.stderr, '');
    assert.match(ran.stdout, new RegExp(`SSL connection \\(protocol: ${version}`));
    assert.match(ran.stdout, /^100$/m);
  }
  const inClear = await psql(port, 'sslmode=disable', '\\conninfo');
  assert.doesNotMatch(inClear.stdout, /SSL/);
  const wrongName = await psql(port, `${rooted} host=example.org`);
  assert.match(wrongName.stderr, /server certificate for "localhost" .*does not match host name "example.org"/);
});

test('a certificate that is not valid keeps a client out, with OpenSSL\'s reason; none at all, or a valid one, does not', async () => {
  const { pgloom: { port }, certificates: { authority, client, revokedClient, strangerClient } } = await shared();
  const expired = await authority.issueClient('postgres', { days: -1 });
  const serverOnly = await authority.issueServer('postgres');
  const good = await psql(port, `sslmode=require ${sslFiles(client)}`, 'select 1');
  assert.deepEqual([good.status, good.stdout], [0, '1\n']);
  for (const [certificate, reason] of [[revokedClient, 'certificate revoked'], [strangerClient, 'unable to verify the first certificate'],
    [expired, 'certificate has expired'], [serverOnly, 'unsuitable certificate purpose|unsupported certificate purpose']] as const) {
    const ran = await psql(port, `sslmode=require ${sslFiles(certificate)}`, 'select 1');
    assert.equal(ran.status, 2);
    assert.match(ran.stderr, new RegExp(`FATAL: {2}client certificate is not valid\\n.*certificate "CN=postgres": (${reason})`));
  }
});

test('of a long name in a refused certificate the beginning is shown', async () => {
  const { pgloom: { port }, certificates: { authority } } = await shared();
  const expired = await authority.issueClient('y'.repeat(64), { days: -1 });
  const { stderr } = await psql(port, `sslmode=require ${sslFiles(expired)}`, 'select 1');
  assert.match(stderr, new RegExp(`certificate "CN=${'y'.repeat(58)}\\.\\.\\.": certificate has expired`));
});

test('a client that does not accept our certificate is in the log, with its reason', async () => {
  const { pgloom: { port, stderr }, certificates: { client } } = await shared();
  for (const version of ['TLSv1.3', 'TLSv1.2']) {
    const before = stderr().length;
    assert.equal((await psql(port, `sslmode=verify-ca sslrootcert=${client.cert} ssl_max_protocol_version=${version}`, 'select 1')).status, 2);
    await eventually('it is logged', () => /LOG: +could not accept TLS connection from 127\.0\.0\.1: .*unknown ca/.test(stderr().slice(before)));
  }
});

test('the pg driver queries over TLS, also with a certificate', async () => {
  const { pgloom, certificates: { authority, client } } = await shared();
  const ca = readFileSync(authority.cert, 'utf8');
  const files = { cert: readFileSync(client.cert, 'utf8'), key: readFileSync(client.key, 'utf8') };
  for (const ssl of [{ ca, servername: 'localhost' }, { ca, servername: 'localhost', ...files }]) {
    const rows = await withClient(pgloom, async (pg) => (await pg.query<{ sum: string }>('select sum(id) from items where id <= $1', [10])).rows, { ssl });
    assert.deepEqual(rows, [{ sum: '55' }]);
  }
});

test('hostssl and hostnossl lines of pool_hba.conf tell the two kinds of connections apart', async () => {
  await withTlsPgloom(async ({ port }) => {
    assert.equal((await psql(port, 'sslmode=require', 'select 1')).status, 0);
    const inClear = await psql(port, 'sslmode=disable', 'select 1');
    assert.match(inClear.stderr, /pool_hba.conf rejects connection.*SSL off/);
  }, { hba: 'hostssl all all all trust\nhostnossl all all all reject\n' });
});

test('without ssl_cert and ssl_key clients are not offered TLS, and a warning says so', async () => {
  await withTlsPgloom(async ({ port, stderr }) => {
    assert.match((await psql(port, 'sslmode=require', 'select 1')).stderr, /server does not support SSL/);
    assert.equal((await psql(port, 'sslmode=prefer', 'select 1')).status, 0);
    await untilMatch(stderr, /WARNING: {2}ssl is on, but ssl_cert and ssl_key are not set: clients are not offered TLS/);
  }, { settings: { ssl_key: '', ssl_cert: '', ssl_ca_cert: '', ssl_crl_file: '' } });
});
