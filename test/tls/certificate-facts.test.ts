/** What pgloom reads of certificates, beside what openssl says of them. */
import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { loadTls } from '../../src/main/tls/load-tls.js';
import { subjectOf } from '../../src/shared/tls/distinguished-name.js';
import { endPointBinding } from '../../src/shared/tls/end-point-binding.js';
import { acceptTls, serverTls } from '../../src/shared/tls/server-tls.js';
import { CertificateAuthority, ed25519, openssl, rsa2048 } from '../support/certificates.js';
import { withCertificates } from './fixture.js';
import { tlsSettingsOf } from './settings.js';

function der(file: string): Buffer {
  return new X509Certificate(readFileSync(file)).raw;
}

test('the end-point binding takes the hash of the signature, SHA-256 in place of SHA-1, and none for Ed25519', async () => {
  await withCertificates(async (_certificates, directory) => {
    const [ec, rsa, edwards] = await Promise.all([
      CertificateAuthority.create(directory, 'ec'), CertificateAuthority.create(directory, 'rsa', rsa2048), CertificateAuthority.create(directory, 'edwards', ed25519),
    ]);
    const pss = ['-sigopt', 'rsa_padding_mode:pss'];
    const cases = [
      [ec, 'sha256', [], 'sha256'], [ec, 'sha384', [], 'sha384'], [ec, 'sha512', [], 'sha512'], [ec, 'sha1', [], 'sha256'], [ec, 'sha224', [], 'sha224'],
      [ec, 'sha3-256', [], 'sha3-256'], [rsa, 'sha1', [], 'sha256'], [rsa, 'md5', [], 'sha256'], [rsa, 'sha256', [], 'sha256'], [rsa, 'sha384', [], 'sha384'],
      [rsa, 'sha512', [], 'sha512'], [rsa, 'sha384', pss, 'sha384'], [rsa, 'sha1', pss, 'sha256'], [rsa, 'sha512', pss, 'sha512'],
    ] as const;
    for (const [authority, digest, signing, expected] of cases) {
      const { cert } = await authority.issueServer('localhost', [], { digest, signing });
      assert.deepEqual(endPointBinding(der(cert))?.data, createHash(expected).update(der(cert)).digest(), `${digest} ${signing.join(' ')}`);
    }
    assert.equal(endPointBinding(der((await edwards.issueServer('localhost')).cert)), null);
    assert.equal(endPointBinding(Buffer.from('no certificate')), null);
  });
});

test('the subject is written as openssl writes it by RFC 2253, and has a common name only if it has just one', async () => {
  await withCertificates(async ({ authority }) => {
    const subjects = [
      '/CN=alice', '/C=DE/O=Example, Inc./OU=a\\+b/CN=alice', '/O=x\\/y/CN= two  blanks ', '/CN=#hash', '/CN=Ünïcödé ☃ 𝄞', '/DC=org/DC=example/UID=u1/CN=alice',
      '/emailAddress=a@example.org/CN=a"b\\\\c;<d>', '/O=only an organization', '/CN=one/CN=two', '/CN=multi+OU=valued/O=x', '/serialNumber=7/street=Road 1/postalCode=1/CN=a',
    ];
    for (const subject of subjects) {
      const { cert } = await authority.issueClient(subject, {});
      const expected = (await openssl('x509', '-in', cert, '-noout', '-subject', '-nameopt', 'RFC2253,-esc_msb')).replace(/^subject=/, '').replace(/\n$/, '');
      const { commonName, distinguishedName, hasNul } = subjectOf(der(cert));
      assert.equal(distinguishedName, expected, subject);
      assert.equal(hasNul, false);
      const names = subject.match(/CN=[^/]*/g) ?? [];
      assert.equal(commonName === null, names.length !== 1, subject);
    }
  });
});

test('a common name with a NUL inside is found out', async () => {
  await withCertificates(async ({ client }) => {
    const bytes = Buffer.from(der(client.cert));
    const at = bytes.lastIndexOf('postgres');
    bytes[at + 4] = 0;
    assert.equal(subjectOf(bytes).hasNul, true);
  });
});

test('two workers with the same materials resume each other\'s sessions; new materials begin anew', async () => {
  await withCertificates(async (certificates) => {
    const { server } = (await loadTls(tlsSettingsOf(certificates))).tls;
    assert.ok(server !== null);
    const workers = [serverTls(server), serverTls(structuredClone(server)), serverTls({ ...server, ticketKeys: new Uint8Array(48).fill(1) })];
    const listeners = workers.map((tls) => createServer((socket) => {
      const encrypted = acceptTls(socket, tls, Buffer.alloc(0));
      encrypted.on('error', () => undefined).resume();
    }).listen(0, '127.0.0.1'));
    await Promise.all(listeners.map((listener) => once(listener, 'listening')));
    const visit = async (port: number, event: 'session' | 'secureConnect', session?: Buffer): Promise<{ isResumed: boolean; ticket: Buffer }> => {
      const client = connectTls({ socket: connect(port, '127.0.0.1'), rejectUnauthorized: false, ...(session !== undefined && { session }) }).resume();
      const [ticket] = await once(client, event) as [Buffer];
      const isResumed = client.isSessionReused();
      client.destroy();
      return { isResumed, ticket };
    };
    const [one, two, other] = listeners.map((listener) => (listener.address() as AddressInfo).port) as [number, number, number];
    const first = await visit(one, 'session');
    assert.equal(first.isResumed, false);
    assert.equal((await visit(two, 'secureConnect', first.ticket)).isResumed, true);
    assert.equal((await visit(other, 'secureConnect', first.ticket)).isResumed, false);
    for (const listener of listeners) listener.close();
  });
});
