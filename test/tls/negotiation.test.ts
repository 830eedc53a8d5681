/** The way into TLS, byte by byte. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { cancelRequest, int32, query } from '../../src/shared/protocol/writer.js';
import { gssEncRequestCode } from '../../src/shared/protocol/letters.js';
import { eventually, untilMatch } from '../support/eventually.js';
import type { Pgloom } from '../support/pgloom.js';
import { directClient, encryptedClient, handshake, hello, isReady, rawClient, received, sharedTlsPgloom, sslRequest, untilClosed, withTlsPgloom } from './fixture.js';

const shared = sharedTlsPgloom();

/** The connection is refused with this text, in clear or inside TLS. */
function assertRefused(bytes: Buffer, text: string): void {
  assert.equal(bytes.toString('latin1', 0, 1), 'E');
  assert.ok(bytes.includes(text), bytes.toString('latin1'));
  assert.ok(!bytes.includes(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0])), 'AuthenticationOk');
}

async function assertAlive(pgloom: Pgloom): Promise<void> {
  const client = await encryptedClient(pgloom);
  client.write(hello);
  assert.ok(isReady(await received(client, isReady)));
  client.destroy();
}

test('bytes slipped in behind an SSLRequest are refused', async () => {
  const { pgloom } = await shared();
  const together = await rawClient(pgloom);
  together.write(Buffer.concat([sslRequest, hello]));
  assertRefused(await untilClosed(together), 'received unencrypted data after an encryption request');

  // Bytes in clear that come after the answer are no handshake.
  const later = await rawClient(pgloom);
  later.write(sslRequest);
  assert.equal((await received(later, (bytes) => bytes.length > 0)).toString(), 'S');
  later.write(hello);
  const rest = await untilClosed(later);
  assert.ok(!rest.includes('28') && !isReady(rest), rest.toString('latin1'));
  await assertAlive(pgloom);
});

test('inside TLS another encryption request is refused, and GSSAPI is answered N ahead of it', async () => {
  const { pgloom } = await shared();
  const client = await encryptedClient(pgloom);
  client.write(sslRequest);
  assertRefused(await untilClosed(client), 'encryption request inside of an encrypted connection');

  const gss = await rawClient(pgloom);
  gss.write(Buffer.concat([int32(8), int32(gssEncRequestCode)]));
  assert.equal((await received(gss, (bytes) => bytes.length > 0)).toString(), 'N');
  gss.write(sslRequest);
  assert.equal((await received(gss, (bytes) => bytes.length > 0)).toString(), 'S');
  gss.destroy();
});

test('direct TLS is accepted with the ALPN protocol postgresql only', async () => {
  const { pgloom } = await shared();
  const client = await directClient(pgloom);
  assert.equal(client.alpnProtocol, 'postgresql');
  client.write(hello);
  assert.ok(isReady(await received(client, isReady)));
  client.destroy();

  const withoutAlpn = await directClient(pgloom, { ALPNProtocols: [] });
  withoutAlpn.write(hello);
  assert.equal((await untilClosed(withoutAlpn)).length, 0);
  await assert.rejects(directClient(pgloom, { ALPNProtocols: ['http/1.1'] }), /no application protocol/);
  await untilMatch(pgloom.stderr, /could not accept TLS connection from 127.0.0.1: direct TLS without ALPN/);
});

test('a CancelRequest inside TLS cancels what the session runs', async () => {
  const { pgloom } = await shared();
  const client = await encryptedClient(pgloom);
  client.write(hello);
  const welcome = await received(client, isReady);
  const at = welcome.indexOf(Buffer.from([0x4b, 0, 0, 0, 12]));
  client.write(query('select pg_sleep(60)'));
  const answer = received(client, isReady);
  // The query has to have begun for there to be anything to cancel.
  for (let ended = false; !ended;) {
    const cancel = await encryptedClient(pgloom);
    cancel.write(cancelRequest(welcome.readInt32BE(at + 5), welcome.subarray(at + 9, at + 13)));
    assert.equal((await untilClosed(cancel)).length, 0);
    ended = await Promise.race([answer.then(() => true), sleep(200, false)]);
  }
  assert.ok((await answer).includes('canceling statement due to user request'));
  client.destroy();
});

test('what is no handshake ends its own connection only, with one line in the log', async () => {
  const { pgloom } = await shared();
  const before = pgloom.stderr().length;
  const attempts = [
    Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), Buffer.alloc(300, 0xff), Buffer.from([0x16, 0x03, 0x01, 0xff, 0xff]),
    Buffer.concat([Buffer.from([0x16, 0x03, 0x01, 0x00, 0x40, 0x01, 0x00, 0x00, 0x3c]), Buffer.alloc(60)]),
  ];
  for (const garbage of attempts) {
    const client = await rawClient(pgloom);
    client.write(sslRequest);
    await received(client, (bytes) => bytes.length > 0);
    client.end(garbage);
    await untilClosed(client);
  }
  const leaving = await rawClient(pgloom);
  leaving.write(sslRequest);
  await received(leaving, (bytes) => bytes.length > 0);
  leaving.destroy();
  await assertAlive(pgloom);
  const lines = (): string[] => pgloom.stderr().slice(before).split('\n').filter((line) => line.includes('could not accept TLS connection from 127.0.0.1: '));
  await eventually('all are in the log', () => lines().length >= attempts.length + 1);
  assert.equal(lines().length, attempts.length + 1);
  assert.match(lines()[0] ?? '', /http request/);
  assert.doesNotMatch(pgloom.stderr(), /\.js:\d+|PANIC|node:/);
});

test('a client that asks for TLS and then says nothing is ended by authentication_timeout', async () => {
  await withTlsPgloom(async (pgloom) => {
    const client = await rawClient(pgloom);
    client.write(sslRequest);
    await received(client, (bytes) => bytes.length > 0);
    assert.equal((await untilClosed(client)).length, 0);

    const halfWay = await encryptedClient(pgloom);
    assertRefused(await untilClosed(halfWay), 'canceling authentication due to timeout');
  }, { settings: { authentication_timeout: 1 } });
});

test('an error after the handshake ends the connection', async () => {
  const { pgloom } = await shared();
  const socket = await rawClient(pgloom);
  const client = await handshake(socket, { ALPNProtocols: ['postgresql'] });
  client.on('error', () => undefined);
  client.write(hello);
  await received(client, isReady);
  // A record that nobody has encrypted.
  socket.write(Buffer.concat([Buffer.from([0x17, 0x03, 0x03, 0x00, 0x20]), Buffer.alloc(32, 7)]));
  await untilClosed(client);
  await assertAlive(pgloom);
});
