/** TLS towards servers: a real one, and some that are none. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, chownSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import { X509Certificate } from 'node:crypto';
import { NodeClient, NodeError } from '../../src/main/cluster/node-client.js';
import { serverIdentity } from '../../src/main/demo/unprivileged.js';
import { endPointBinding } from '../../src/shared/tls/end-point-binding.js';
import { backendTls, secureServerSocket } from '../../src/shared/tls/backend-tls.js';
import { noTls, type BackendTlsMaterials } from '../../src/shared/tls/materials.js';
import { CertificateAuthority, type TestCertificates } from '../support/certificates.js';
import { startAuthServer, type AuthServer } from '../support/auth-server.js';
import { untilMatch } from '../support/eventually.js';
import { startPgloom, withClient } from '../support/pgloom.js';
import { sharedInFile, sslRequest, withCertificates } from './fixture.js';

const limitMs = 20_000;

interface Fixture {
  readonly server: AuthServer;
  readonly certificates: TestCertificates;
  readonly directory: string;
  /** Of another authority. */
  readonly strangerCa: string;
}

/** One server with TLS for all tests of this file. */
const shared = sharedInFile<Fixture>((use) => withCertificates(async (certificates, directory) => {
  const server = await startServer(certificates, directory);
  try {
    await use({ server, certificates, directory, strangerCa: (await CertificateAuthority.create(directory, 'another-ca')).cert });
  } finally {
    await server.stop();
  }
}));

/** The server's user has to be able to read the files. */
async function startServer({ server: issued, authority }: TestCertificates, directory: string): Promise<AuthServer> {
  chmodSync(directory, 0o755);
  const [certificateFile, keyFile, authorityFile] = ['server.crt', 'server.key', 'root.crt'].map((name) => join(directory, name)) as [string, string, string];
  copyFileSync(issued.cert, certificateFile);
  copyFileSync(issued.key, keyFile);
  copyFileSync(authority.cert, authorityFile);
  const identity = serverIdentity();
  if (identity !== undefined) for (const file of [certificateFile, keyFile, authorityFile]) chownSync(file, identity.uid, identity.gid);
  return startAuthServer({
    passwords: new Map([['scram_tls', 'a secret']]), tls: { certificateFile, keyFile, authorityFile },
    rules: ['hostssl all cert_user 127.0.0.1/32 cert'], databases: ['test'],
  });
}

async function isEncrypted(server: AuthServer, tls: BackendTlsMaterials, hostname = '127.0.0.1'): Promise<string | undefined> {
  const client = await NodeClient.open({ hostname, port: server.port }, { user: 'postgres', database: 'postgres', password: undefined, tls }, limitMs, limitMs);
  try {
    const [row] = await client.query("select ssl || ' ' || coalesce(client_dn, '-') from pg_stat_ssl where pid = pg_backend_pid()", limitMs);
    return row?.[0] ?? undefined;
  } finally {
    client.close();
  }
}

const plain: BackendTlsMaterials = { ...noTls.backend, use: 'require' };

test('health checks reach a server over TLS, asked for and direct, and verify its authority and its name', async () => {
  const { server, certificates: { authority, client }, strangerCa } = await shared();
  const ca = [readFileSync(authority.cert, 'utf8')];
  const verified: BackendTlsMaterials = { ...plain, verify: 'full', ca };
  assert.equal(await isEncrypted(server, noTls.backend), 'false -');
  assert.equal(await isEncrypted(server, { ...plain, use: 'prefer' }), 'true -');
  for (const direct of [false, true]) {
    assert.equal(await isEncrypted(server, { ...plain, direct }), 'true -');
    assert.equal(await isEncrypted(server, { ...verified, direct }), 'true -');
    assert.equal(await isEncrypted(server, { ...verified, direct }, 'localhost'), 'true -');
  }
  const files = { cert: readFileSync(client.cert, 'utf8'), key: readFileSync(client.key, 'utf8') };
  assert.equal(await isEncrypted(server, { ...verified, ...files }), 'true /CN=postgres');

  const strange = { ...verified, ca: [readFileSync(strangerCa, 'utf8')] };
  await assert.rejects(isEncrypted(server, strange), /TLS: (unable to verify the first certificate|self-signed certificate in certificate chain)/);
  const named = async (tls: BackendTlsMaterials, hostname: string): Promise<void> => {
    const socket = connect({ host: '127.0.0.1', port: server.port });
    await once(socket, 'connect');
    (await secureServerSocket(socket, backendTls(tls), hostname)).socket.destroy();
  };
  await assert.rejects(named(verified, '127.0.0.2'), /TLS: server certificate for "localhost" \(and 2 other names\) does not match host name "127\.0\.0\.2"$/);
  await assert.rejects(named(verified, 'db.example.org'), /TLS: server certificate for "localhost" \(and 2 other names\) does not match host name "db\.example\.org"$/);
  await named({ ...verified, verify: 'ca' }, 'db.example.org');
});

test('a revoked server certificate is refused', async () => {
  const { server, certificates, directory } = await shared();
  const authority = await CertificateAuthority.create(directory, 'pgloom-revoking-ca');
  const ca = [readFileSync(certificates.authority.cert, 'utf8'), readFileSync(authority.cert, 'utf8')];
  const crl = [readFileSync(await certificates.authority.revoke(certificates.server), 'utf8')];
  await assert.rejects(isEncrypted(server, { ...plain, verify: 'ca', ca, crl }), /TLS: certificate revoked/);
});

test('sessions log in to a server over TLS with a password, are bound to its certificate, and cancel over TLS', async () => {
  const { server, certificates } = await shared();
  const pgloom = await startPgloom({
    nodes: server.nodes, poolPasswd: 'scram_tls:TEXTa secret\n', hba: 'host all all all trust\n',
    settings: { backend_sslmode: 'verify-full', backend_sslnegotiation: 'direct', backend_sslrootcert: certificates.authority.cert },
  });
  try {
    await withClient(pgloom, async (client) => {
      const { rows } = await client.query('select ssl, version from pg_stat_ssl where pid = pg_backend_pid()');
      assert.deepEqual(rows, [{ ssl: true, version: 'TLSv1.3' }]);
      const big = await client.query<{ text: string }>("select string_agg(md5(n::text), '') as text from generate_series(1, 200000) n");
      assert.equal(big.rows[0]?.text.length, 32 * 200_000);
      const sleeping = client.query('select pg_sleep(60)');
      const rejected = assert.rejects(sleeping, /canceling statement due to user request/);
      const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
      // The query has to have begun for there to be anything to cancel.
      for (let ended = false; !ended; ended = await Promise.race([rejected.then(() => true), sleep(200, false)])) await sendCancel(pgloom.port, processID, secretKey);
      await rejected;
    }, { user: 'scram_tls', database: 'test' });
  } finally {
    await pgloom.stop();
  }
});

async function sendCancel(port: number, id: number, secret: number): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port });
  const bytes = Buffer.alloc(16);
  bytes.writeInt32BE(16, 0);
  bytes.writeInt32BE(80_877_102, 4);
  bytes.writeInt32BE(id, 8);
  bytes.writeInt32BE(secret, 12);
  socket.end(bytes);
  socket.resume();
  await once(socket, 'close');
}

test('the binding of a link is the hash of the server\'s certificate', async () => {
  const { server, certificates } = await shared();
  const socket = connect({ host: '127.0.0.1', port: server.port });
  await once(socket, 'connect');
  const { socket: encrypted, binding } = await secureServerSocket(socket, backendTls(plain), '127.0.0.1');
  assert.deepEqual(binding, endPointBinding(new X509Certificate(readFileSync(certificates.server.cert)).raw));
  encrypted.destroy();
});

test('a server that refuses our certificate runs all the same: it stays up, sessions go on and new ones are told why', { timeout: 60_000 }, async () => {
  const { server, certificates: { authority, client, strangerClient } } = await shared();
  const strange: BackendTlsMaterials = { ...plain, cert: readFileSync(strangerClient.cert, 'utf8'), key: readFileSync(strangerClient.key, 'utf8') };
  for (let attempt = 0; attempt < 10; attempt++) {
    await assert.rejects(isEncrypted(server, strange), (error: NodeError) => error.answered && /^TLS: .*alert unknown ca$/.test(error.message));
  }
  const pgloom = await startPgloom({
    nodes: server.nodes, hba: 'host all all all trust\n',
    settings: {
      backend_sslmode: 'verify-ca', backend_sslrootcert: authority.cert, backend_sslcert: client.cert, backend_sslkey: client.key,
      health_check_period: 1, health_check_user: 'postgres', sr_check_user: 'postgres', sr_check_period: 1,
    },
  });
  try {
    await withClient(pgloom, async (session) => {
      await session.query('begin');
      const text = readFileSync(pgloom.configFile, 'utf8');
      writeFileSync(pgloom.configFile, text.replaceAll(client.cert, strangerClient.cert).replaceAll(client.key, strangerClient.key));
      pgloom.signal('SIGHUP');
      await untilMatch(() => pgloom.stderr(), /parameters changed/);
      // Each of them makes the primary thread look at the node.
      for (let attempt = 0; attempt < 5; attempt++) {
        const refused = withClient(pgloom, () => Promise.resolve(), { user: 'scram_tls', database: 'test' });
        await assert.rejects(refused, (error: Error & { detail?: string }) => /alert unknown ca/.test(`${error.message} ${error.detail}`));
      }
      const { rows } = await session.query('select 2 as two');
      assert.deepEqual(rows, [{ two: 2 }]);
      assert.doesNotMatch(pgloom.stderr(), /is down|failover/i);
    }, { user: 'postgres', database: 'test' });
  } finally {
    await pgloom.stop();
  }
});

test('direct TLS is not begun with a server that agrees to no protocol', async () => {
  const { certificates: { server: { cert, key } } } = await shared();
  for (const [ALPNProtocols, isAccepted] of [[undefined, false], [['postgresql'], true]] as const) {
    const listener = createTlsServer({ cert: readFileSync(cert), key: readFileSync(key), ...(ALPNProtocols !== undefined && { ALPNProtocols: [...ALPNProtocols] }) });
    listener.on('tlsClientError', () => undefined).on('secureConnection', (peer) => peer.on('error', () => undefined)).listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const socket = connect({ host: '127.0.0.1', port: (listener.address() as AddressInfo).port });
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    const secured = secureServerSocket(socket, backendTls({ ...plain, direct: true }), '127.0.0.1');
    if (isAccepted) (await secured).socket.destroy();
    else await assert.rejects(secured, /BackendTlsError: the server does not agree to the protocol \(ALPN\), which direct TLS requires/);
    assert.equal(socket.destroyed, true);
    listener.close();
  }
});

/** A server that answers an SSLRequest so; connects to it with the materials given. */
async function meet(answer: Buffer | 'close', tls: BackendTlsMaterials): Promise<{ result: Awaited<ReturnType<typeof secureServerSocket>> | Error; socket: Socket }> {
  const server = createServer((peer) => {
    peer.on('error', () => undefined);
    peer.once('data', (bytes: Buffer) => {
      assert.deepEqual(bytes, sslRequest);
      if (answer === 'close') peer.destroy();
      else peer.write(answer);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  const result = await secureServerSocket(socket, backendTls(tls), '127.0.0.1').catch((error: Error) => error);
  server.close();
  return { result, socket };
}

test('an answer to the SSLRequest with anything in clear behind it is refused, and N only taken by prefer', async () => {
  const injected = await meet(Buffer.from('SR\0\0\0\x08\0\0\0\0', 'latin1'), plain);
  assert.match(String(injected.result), /the server sends unencrypted bytes behind its answer/);
  assert.equal(injected.socket.destroyed, true);
  assert.match(String((await meet(Buffer.from('NR'), { ...plain, use: 'prefer' })).result), /unencrypted bytes behind its answer/);
  assert.match(String((await meet(Buffer.from('N'), plain)).result), /the server does not offer TLS, which backend_sslmode requires/);
  assert.match(String((await meet(Buffer.from('E\0\0\0\x10SFATAL\0\0'), plain)).result), /answers the request for TLS with an error/);
  assert.match(String((await meet(Buffer.from('Ecould not fork \x1b[31mnew process\n\0'), plain)).result), /with an error: could not fork \?\[31mnew process$/);
  const long = await meet(Buffer.from(`E\0\0\x03\xffSFATAL\0C53300\0M${'too many '.repeat(100)}\0\0`, 'latin1'), plain);
  assert.match(String(long.result), /with an error: too many (too many )*t[o man]*$/);
  assert.ok(String(long.result).length < 300);
  assert.match(String((await meet('close', plain)).result), /closed the connection at the request for TLS/);
  const preferred = await meet(Buffer.from('N'), { ...plain, use: 'prefer' });
  assert.ok(!(preferred.result instanceof Error) && preferred.result.socket === preferred.socket && preferred.result.binding === null);
  preferred.socket.destroy();
});
