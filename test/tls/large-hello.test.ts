/** Direct TLS whose ClientHello does not fit into a read buffer: TLS then begins in the middle of a read that asks for a larger one. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { test, type TestContext } from 'node:test';
import { query, startup } from '../../src/shared/protocol/writer.js';
import { serverTls, type ServerTls } from '../../src/shared/tls/server-tls.js';
import { giveBack, smallBytes, takeLarge, takeSmall } from '../../src/workers/read-buffers.js';
import { ClientLink } from '../../src/workers/session/client-link.js';
import { Startup } from '../../src/workers/session/startup.js';
import { directClient, hello, isReady, received, withCertificates, withTlsPgloom } from './fixture.js';

/** An ALPN list that makes the hello longer than a small buffer, and one that makes it longer than two. */
const longLists = [60, 120].map((count) => ['postgresql', ...Array.from({ length: count }, (_, i) => `${i}`.padStart(100, 'x'))]);
/** More than wait in the list and are cut from one slab. */
const takenBuffers = 64;

interface Served {
  /** The user of a startup packet that came inside TLS. */
  readonly started: Promise<string>;
  readonly helloBytes: () => number;
}

/** A link for the client that comes, as the workers make it. */
function serve(peer: Socket, tls: ServerTls): Served {
  let helloBytes = 0;
  const started = new Promise<string>((resolve, reject) => {
    const { _handle: { fd } } = peer as unknown as { _handle: { fd: number } };
    const link = new ClientLink(fd, { clientGone: () => undefined, handshakeFailed: (reason) => reject(new Error(reason)), clientBroken: reject });
    const startupPhase: Startup = new Startup({
      offersTls: true,
      reply: (bytes) => link.send(bytes),
      startTls: (bytes) => {
        helloBytes = bytes.length;
        link.startTls(tls, bytes, () => startupPhase.encrypted(null));
      },
      started: ({ user }) => {
        resolve(user);
        link.destroy();
      },
      cancelRequested: () => undefined,
      refused: reject,
    });
    link.reader = startupPhase;
  });
  return { started, helloBytes: () => helloBytes };
}

async function withLink<T>(t: TestContext, alpn: readonly string[], use: (client: TLSSocket, served: Served) => Promise<T>): Promise<T> {
  return withCertificates(async ({ server: { key, cert } }) => {
    const tls = serverTls({
      key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8'), ca: [], crl: [], ciphers: 'HIGH', preferServerCiphers: false, ecdhCurve: 'auto', dhParams: null,
      ticketKeys: Buffer.alloc(48, 1),
    });
    const listener = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
    t.after(() => listener.close());
    await once(listener, 'listening');
    const arrived = once(listener, 'connection') as Promise<[Socket]>;
    const client = connectTls({ host: '127.0.0.1', port: (listener.address() as AddressInfo).port, rejectUnauthorized: false, ALPNProtocols: [...alpn] });
    client.on('error', () => undefined);
    const [peer] = await arrived;
    // The link owns the file descriptor from here on: the socket that brought it never reads nor closes it.
    const served = serve(peer, tls);
    await once(client, 'secureConnect');
    try {
      return await use(client, served);
    } finally {
      client.destroy();
    }
  });
}

for (const alpn of longLists) {
  test(`a hello with ${alpn.length} protocols leaves TLS a read buffer of its own`, async (t) => {
    await withLink(t, alpn, async (client, { started, helloBytes }) => {
      const others = Array.from({ length: takenBuffers }, () => takeSmall().fill(0x2e));
      others.push(...Array.from({ length: 4 }, () => takeLarge().fill(0x2e)));
      client.write(startup([['user', 'attacker_bytes'], ['database', 'd']]));
      assert.equal(await started, 'attacker_bytes');
      assert.equal(helloBytes(), smallBytes, 'the first read is a full one');
      assert.ok(others.every((buffer) => buffer.every((byte) => byte === 0x2e)), 'bytes of the client stand in another link\'s buffer');
      for (const buffer of others) giveBack(buffer);
    });
  });
}

test('a read buffer that is given back twice is an error', () => {
  for (const buffer of [takeSmall(), takeLarge()]) {
    giveBack(buffer);
    assert.throws(() => giveBack(buffer), /given back twice/);
  }
});

test('sessions beside clients with a long hello get their own bytes, and such a client a session as any other', async () => {
  await withTlsPgloom(async (pgloom) => {
    const [alpn] = longLists;
    const options = { ALPNProtocols: [...(alpn ?? [])] };
    const strangers = await Promise.all(Array.from({ length: 8 }, () => directClient(pgloom, options)));
    const sessions = await Promise.all(Array.from({ length: 8 }, () => directClient(pgloom, options)));
    try {
      for (const client of sessions) client.write(hello);
      await Promise.all(sessions.map((client) => received(client, isReady)));
      for (const stranger of strangers) stranger.write(startup([['user', 'x'.repeat(3000)]]).subarray(0, 2000));
      for (const [i, client] of sessions.entries()) {
        // Longer than a read buffer on its way to the server and back.
        const text = String(i).repeat(20_000);
        client.write(query(`select '${text}'`));
        assert.ok((await received(client, isReady)).includes(text));
      }
    } finally {
      for (const client of [...strangers, ...sessions]) client.destroy();
    }
  }, { settings: { worker_threads: 1 } });
});
