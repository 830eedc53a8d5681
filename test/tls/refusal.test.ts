/** Clients that no worker sees: they are told why inside TLS, and their handshakes cannot harm the thread that does them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFileSync, readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { HandshakeLimit } from '../../src/main/listen/handshake-limit.js';
import { gssEncRequestCode } from '../../src/shared/protocol/letters.js';
import { cancelRequest, int32 } from '../../src/shared/protocol/writer.js';
import { eventually } from '../support/eventually.js';
import type { Pgloom } from '../support/pgloom.js';
import { WireClient } from '../support/wire.js';
import { firstError } from '../support/wire-fields.js';
import {
  directClient, encryptedClient, handshake, hello, psql, rawClient, received, sharedInFile, sslRequest, untilClosed, withTlsPgloom, type SharedTls,
} from './fixture.js';

const gssRequest = Buffer.concat([int32(8), int32(gssEncRequestCode)]);
const tooMany = { sqlstate: '53300', text: 'Sorry, too many clients already' };
const shuttingDown = { sqlstate: '57P03', text: 'the database system is shutting down' };

interface Full extends SharedTls {
  /** One of the sessions that keep the others out, and what cancels its statement. */
  readonly session: WireClient;
  readonly cancel: Buffer;
}

/** Every further client is refused. */
const full = sharedInFile<Full>((use) => withTlsPgloom(async (pgloom, certificates) => {
  const [session, other] = [await WireClient.connect(pgloom.port, 30_000), await WireClient.login(pgloom.port)];
  try {
    session.startup({ user: 'postgres', database: 'test' });
    const key = (await session.readUntil('Z')).find(({ type }) => type === 'K')?.payload;
    assert.ok(key !== undefined);
    await use({ pgloom, certificates, session, cancel: cancelRequest(key.readInt32BE(0), key.subarray(4)) });
  } finally {
    session.destroy();
    other.destroy();
  }
}, { settings: { num_init_children: 3, reserved_connections: 1, worker_threads: 1, listen_backlog_multiplier: 200 } }));

/** The error is all that has come. */
function assertTold(bytes: Buffer, { sqlstate, text }: { readonly sqlstate: string; readonly text: string }): void {
  const told = bytes.toString('latin1');
  assert.equal(told[0], 'E', told);
  assert.equal(bytes.readInt32BE(1) + 1, bytes.length, told);
  assert.ok(told.includes(`C${sqlstate}\0`) && told.includes(`M${text}\0`), told);
}

/** What pgloom says before it closes. */
async function answerTo(client: Socket, bytes: Buffer): Promise<Buffer> {
  const answer = untilClosed(client);
  client.write(bytes);
  return answer;
}

function socketPath({ socketDirectory, port }: Pgloom): string {
  return join(socketDirectory, `.s.PGSQL.${port}`);
}

async function firstByte(client: Socket): Promise<string> {
  return (await received(client, (bytes) => bytes.length > 0)).toString('latin1');
}

async function assertRefusedInTls(pgloom: Pick<Pgloom, 'host' | 'port'>): Promise<void> {
  assertTold(await answerTo(await encryptedClient(pgloom), hello), tooMany);
}

function descriptors(pgloom: Pgloom): number {
  return readdirSync(`/proc/${pgloom.pid}/fd`).length;
}

/** Sockets of refused clients are closed a little after the clients'. */
async function untilDescriptors(pgloom: Pgloom, count: number): Promise<void> {
  await eventually(() => `${count} descriptors, as before, not ${descriptors(pgloom)}`, () => descriptors(pgloom) <= count);
}

test('psql that requires TLS reads why it is refused', async () => {
  const { pgloom, certificates: { authority } } = await full();
  for (const target of ['sslmode=require', `sslmode=verify-full sslrootcert=${authority.cert}`]) {
    const { status, stderr } = await psql(pgloom.port, target, 'select 1');
    assert.equal(status, 2);
    assert.match(stderr, /FATAL: {2}Sorry, too many clients already/);
    assert.doesNotMatch(stderr, /SSL/);
  }
});

test('a refused client is told inside TLS, after an SSLRequest and with direct TLS', async () => {
  const { pgloom } = await full();
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const client = await encryptedClient(pgloom, { maxVersion });
    assert.equal(client.getProtocol(), maxVersion);
    assertTold(await answerTo(client, hello), tooMany);
    const direct = await directClient(pgloom, { maxVersion });
    assert.equal(direct.alpnProtocol, 'postgresql');
    assertTold(await answerTo(direct, hello), tooMany);
  }
});

test('direct TLS needs the ALPN protocol postgresql also where it is refused', async () => {
  const { pgloom } = await full();
  const without = await directClient(pgloom, { ALPNProtocols: [] });
  assert.equal((await answerTo(without, hello)).length, 0);
  await assert.rejects(directClient(pgloom, { ALPNProtocols: ['http/1.1'] }), /no application protocol/);
});

test('GSSAPI is answered N ahead of TLS, and a client that asks for no encryption is told in clear', async () => {
  const { pgloom } = await full();
  const client = await rawClient(pgloom);
  client.write(gssRequest);
  assert.equal(await firstByte(client), 'N');
  client.write(sslRequest);
  assert.equal(await firstByte(client), 'S');
  assertTold(await answerTo(await handshake(client, {}), hello), tooMany);
  assertTold(await answerTo(await rawClient(pgloom), hello), tooMany);
});

test('a Unix socket gets no TLS', async () => {
  const { pgloom } = await full();
  const client = connect(socketPath(pgloom));
  client.write(sslRequest);
  assert.equal(await firstByte(client), 'N');
  assertTold(await answerTo(client, hello), tooMany);
});

test('a CancelRequest inside TLS does its work although its client is refused', async () => {
  const { pgloom, session, cancel } = await full();
  for (const arrive of [encryptedClient, directClient]) {
    session.query('select pg_sleep(60)');
    const answer = session.readUntil('Z');
    // The query has to have begun for there to be anything to cancel.
    for (let ended = false; !ended;) {
      assert.equal((await answerTo(await arrive(pgloom), cancel)).length, 0);
      ended = await Promise.race([answer.then(() => true), sleep(200, false)]);
    }
    assert.equal(firstError(await answer)?.['C'], '57014');
  }
});

test('clients that wait, for TLS or in silence, are told of a shutdown inside TLS; on a Unix socket there is none', async () => {
  await withTlsPgloom(async (pgloom) => {
    const session = await WireClient.login(pgloom.port);
    // Longer than what is read of a client that waits.
    const longList = Array.from({ length: 200 }, (_, i) => `${i}`.padStart(100, 'x'));
    const direct = connectTls({ host: pgloom.host, port: pgloom.port, rejectUnauthorized: false, ALPNProtocols: ['postgresql', ...longList] });
    const asking = await rawClient(pgloom);
    asking.write(sslRequest);
    const silent = await rawClient(pgloom);
    silent.write(gssRequest);
    // Those who came before have been accepted by then.
    assert.equal(await firstByte(silent), 'N');
    const local = connect(socketPath(pgloom));
    local.write(sslRequest);
    assert.equal(await firstByte(local), 'N');

    const secured = once(direct, 'secureConnect');
    pgloom.signal('SIGTERM');
    await secured;
    silent.write(sslRequest);
    for (const client of [asking, silent]) assert.equal(await firstByte(client), 'S');
    for (const client of [direct, await handshake(asking, {}), await handshake(silent, {}), local]) {
      assertTold(await answerTo(client, hello), shuttingDown);
    }
    session.end();
  }, { settings: { num_init_children: 1, worker_threads: 1, listen_backlog_multiplier: 5 } });
});

test('bytes ahead of our answer and further encryption requests are refused as by a worker', async () => {
  const { pgloom } = await full();
  const violation = (text: string): { sqlstate: string; text: string } => ({ sqlstate: '08P01', text });
  for (const request of [sslRequest, gssRequest]) {
    assertTold(await answerTo(await rawClient(pgloom), Buffer.concat([request, hello])), violation('received unencrypted data after an encryption request'));
  }
  assertTold(await answerTo(await encryptedClient(pgloom), sslRequest), violation('encryption request inside of an encrypted connection'));
  assertTold(await answerTo(await directClient(pgloom), gssRequest), violation('encryption request inside of an encrypted connection'));

  const insisting = await rawClient(pgloom);
  for (let requests = 0; requests < 2; requests++) {
    insisting.write(gssRequest);
    assert.equal(await firstByte(insisting), 'N');
  }
  assertTold(await answerTo(insisting, gssRequest), violation('too many encryption requests'));
});

test('what is no handshake, a broken one and one that is never finished end without a word in clear', async () => {
  const { pgloom } = await full();
  const before = descriptors(pgloom);
  const attempts = [
    hello, Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), Buffer.alloc(300, 0xff), Buffer.from([0x16, 0x03, 0x01, 0xff, 0xff]), Buffer.from([0x16]),
    Buffer.concat([Buffer.from([0x16, 0x03, 0x01, 0x00, 0x40, 0x01, 0x00, 0x00, 0x3c]), Buffer.alloc(60)]), Buffer.alloc(0),
  ];
  const ends = attempts.flatMap((bytes) => [true, false].map(async (isAsked) => {
    const client = await rawClient(pgloom);
    if (isAsked) {
      client.write(sslRequest);
      assert.equal(await firstByte(client), 'S');
    } else if (bytes[0] !== 0x16) {
      client.destroy();
      return;
    }
    const answer = await answerTo(client, bytes);
    // Nothing, or an alert.
    assert.ok(answer.length === 0 || answer[0] === 0x15, answer.toString('latin1'));
  }));
  await Promise.all(ends);

  const resetting = await rawClient(pgloom);
  resetting.write(sslRequest);
  assert.equal(await firstByte(resetting), 'S');
  resetting.resetAndDestroy();

  // A record that nobody has encrypted, after a handshake.
  const plain = await rawClient(pgloom);
  const meddled = await handshake(plain, { ALPNProtocols: ['postgresql'] });
  meddled.on('error', () => undefined);
  plain.write(Buffer.concat([Buffer.from([0x17, 0x03, 0x03, 0x00, 0x20]), Buffer.alloc(32, 7)]));
  await untilClosed(meddled);

  await assertRefusedInTls(pgloom);
  await untilDescriptors(pgloom, before);
  assert.doesNotMatch(pgloom.stderr(), /\.js:\d+|PANIC|node:/);
});

test('a client that says nothing inside TLS is told all the same', async () => {
  const { pgloom } = await full();
  assertTold(await untilClosed(await encryptedClient(pgloom)), tooMany);
});

test('a client that has been told and talks on is cut off', async () => {
  const { pgloom } = await full();
  const client = connect({ host: pgloom.host, port: pgloom.port, allowHalfOpen: true });
  await once(client, 'connect');
  const ended = untilClosed(client);
  client.write(hello);
  const flood = Buffer.alloc(1 << 18);
  const talk = (): void => {
    while (client.writable && client.write(flood));
  };
  client.on('drain', talk);
  talk();
  await ended;
  // What fits into the kernel's buffers, and not all that can be sent in a second.
  assert.ok(client.bytesWritten < 1 << 26, `${client.bytesWritten} bytes`);
});

test('refused clients are shown the certificate of the last reload', async () => {
  const { pgloom, certificates: { authority, server } } = await full();
  const serial = async (): Promise<string | undefined> => {
    const client = await encryptedClient(pgloom);
    const shown = client.getPeerX509Certificate()?.serialNumber;
    assertTold(await answerTo(client, hello), tooMany);
    return shown;
  };
  assert.equal(await serial(), '01');
  const next = await authority.issueServer('localhost');
  for (const kind of ['cert', 'key'] as const) copyFileSync(next[kind], server[kind]);
  pgloom.signal('SIGHUP');
  for (let tries = 0; await serial() !== '04'; tries++) {
    assert.ok(tries < 200, 'the old certificate is still shown');
    await sleep(50);
  }
});

test('a crowd that asks for TLS and goes no further is bounded, and pgloom serves on', async () => {
  const { pgloom, session } = await full();
  const before = descriptors(pgloom);
  const crowd = await Promise.all(Array.from({ length: 260 }, () => rawClient(pgloom)));
  const answers = await Promise.all(crowd.map(async (client) => {
    client.on('error', () => undefined);
    client.write(sslRequest);
    return (await firstByte(client).catch(() => ''))[0];
  }));
  assert.ok(answers.includes('S') && answers.includes('N'), answers.join());
  session.query('select 1');
  await session.readUntil('Z');
  const turnedAway = crowd.find((client, i) => answers[i] === 'N' && !client.destroyed);
  if (turnedAway !== undefined) {
    turnedAway.write(hello);
    assert.match(await firstByte(turnedAway), /^E[^]*too many clients/);
  }
  for (const client of crowd) client.destroy();
  await untilDescriptors(pgloom, before);
  // Once the second is over whose handshakes have been used up.
  for (let tries = 0; ; tries++) {
    const client = await encryptedClient(pgloom).catch(() => null);
    if (client !== null) {
      assertTold(await answerTo(client, hello), tooMany);
      return;
    }
    assert.ok(tries < 200, 'no handshake is begun any more');
    await sleep(50);
  }
});

test('handshakes are bounded at a time and in a second', () => {
  const limit = new HandshakeLimit(2, 3);
  assert.deepEqual([limit.begin(0), limit.begin(1), limit.begin(2)], [true, true, false], 'two at a time');
  limit.end();
  assert.equal(limit.begin(3), true);
  limit.end();
  limit.end();
  assert.equal(limit.begin(999), false, 'three in a second');
  assert.equal(limit.begin(1000), true);
});
