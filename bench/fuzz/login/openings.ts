/** What comes before the startup packet: requests for encryption, TLS whole and broken. */
import { Duplex } from 'node:stream';
import { connect as connectTls, createSecureContext } from 'node:tls';
import { startup } from '../../../test/protocol/messages.js';
import { int32 } from '../../../test/support/wire-fields.js';
import { pick, type Random } from '../grammar.js';
import { chance, flipped, misframed, noise, untyped, upTo } from './mutation.js';
import type { Peer } from './peer.js';

const sslRequest = untyped(int32(80_877_103));
const gssEncRequest = untyped(int32(80_877_104));
/** To make one costs as much as a handshake. */
const contexts = [createSecureContext(), createSecureContext(), createSecureContext({ maxVersion: 'TLSv1.2' }), createSecureContext({ minVersion: 'TLSv1.3' })];

/** What is left to do: 'plain' or 'tls', go on with the startup packet; 'over', nothing. */
export type Opened = 'plain' | 'tls' | 'over';

/** One ClientHello as Node writes it, with the protocol name of PostgreSQL in it or without. */
export function clientHello(alpn: readonly string[]): Promise<Buffer> {
  return new Promise((resolve) => {
    const wire = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _encoding, done) => {
        done();
        wire.destroy();
        resolve(chunk);
      },
    });
    wire.on('error', () => undefined);
    connectTls({ socket: wire, ALPNProtocols: [...alpn], servername: 'localhost' }).on('error', () => undefined);
  });
}

export interface OpeningOptions {
  readonly random: Random;
  readonly isTcp: boolean;
  /** ClientHellos to be spoilt. */
  readonly hellos: readonly Buffer[];
  /** How often one goes for TLS. */
  readonly tlsShare: number;
}

export async function open(peer: Peer, options: OpeningOptions): Promise<Opened> {
  const { random, isTcp, tlsShare } = options;
  if (isTcp && chance(random, tlsShare)) return tls(peer, random);
  const roll = random();
  if (roll < 0.82) return 'plain';
  if (roll < 0.88) return refusedRequests(peer, random);
  return broken(peer, options);
}

/** A whole handshake: after SSLRequest, or direct. */
async function tls(peer: Peer, random: Random): Promise<Opened> {
  const direct = chance(random, 0.3);
  if (!direct) {
    if (chance(random, 0.1) && await ask(peer, gssEncRequest) !== 'N') return 'over';
    if (await ask(peer, sslRequest) !== 'S') return 'over';
  }
  const names = direct ? pick(random, [['postgresql'], ['postgresql'], ['postgresql', 'http/1.1'], ['http/1.1'], []]) : pick(random, [[], ['postgresql']]);
  const isUp = await peer.upgrade({ servername: 'localhost', ...(names.length > 0 && { ALPNProtocols: names }), secureContext: pick(random, contexts) });
  if (!isUp) return 'over';
  if (direct && !names.includes('postgresql')) return refusedProtocol(peer);
  // Encryption inside encryption.
  if (chance(random, 0.05)) {
    peer.expect('byte');
    await peer.write(chance(random, 0.5) ? sslRequest : gssEncRequest);
    const answer = await peer.nextByte();
    if (answer === 'S') throw peer.fail('began TLS inside TLS');
    if (answer === null) return 'over';
    peer.expect('messages');
  }
  return 'tls';
}

/** With TLS 1.3 the client's side of the handshake is over before the server's: what counts is that nothing is answered. */
async function refusedProtocol(peer: Peer): Promise<Opened> {
  await peer.write(startup({ user: 'fuzz_md5', database: 'test' }));
  const message = await peer.next();
  if (message !== null && message.type !== 'E') throw peer.fail('took direct TLS without the protocol name of PostgreSQL');
  return 'over';
}

/** Requests whose answer is not followed up, or that come too often. */
async function refusedRequests(peer: Peer, random: Random): Promise<Opened> {
  for (let times = 1 + upTo(random, 3); times > 0; times--) {
    const answer = await ask(peer, chance(random, 0.8) ? gssEncRequest : sslRequest);
    if (answer === null) return 'over';
    if (answer === 'N') continue;
    // S: what comes now has to be TLS, and what we send is not.
    peer.expect('raw');
    await peer.write(pick(random, [noise(random, 100), sslRequest, Buffer.from('GET / HTTP/1.0\r\n\r\n'), Buffer.from([0x15, 3, 1, 0, 2, 2, 40])]));
    await peer.nextSoon(upTo(random, 20));
    return 'over';
  }
  return 'plain';
}

/** A request or a ClientHello that is cut, changed, or followed by what should not be there. */
async function broken(peer: Peer, { random, hellos }: OpeningOptions): Promise<Opened> {
  const hello = pick(random, hellos);
  peer.expect('raw');
  switch (upTo(random, 6)) {
    case 0: // bytes behind the request, ahead of the handshake, in one packet
      peer.expect('byte');
      peer.put(Buffer.concat([sslRequest, pick(random, [hello, Buffer.from('x'), Buffer.concat([noise(random, 30), Buffer.from([0])]), sslRequest, Buffer.from([0x16]), startup({ user: 'fuzz_md5', database: 'test' })])]));
      if (await peer.nextByte() !== null) throw peer.fail('answered an encryption request with bytes behind it');
      break;
    case 1:
      await peer.write(misframed(random, chance(random, 0.7) ? sslRequest : gssEncRequest, false));
      break;
    case 2:
      await peer.write(hello.subarray(0, upTo(random, hello.length)));
      break;
    case 3:
      await peer.write(flipped(random, hello));
      break;
    case 4:
      await peer.write(Buffer.concat([hello, noise(random, 200)]));
      break;
    default: // in answer to S
      peer.expect('byte');
      if (await ask(peer, sslRequest) !== 'S') return 'over';
      peer.expect('raw');
      await peer.write(pick(random, [flipped(random, hello), hello.subarray(0, upTo(random, hello.length)), Buffer.concat([hello, hello])]));
  }
  await peer.nextSoon(upTo(random, 20));
  return 'over';
}

async function ask(peer: Peer, request: Buffer): Promise<string | null> {
  peer.expect('byte');
  await peer.write(request);
  const answer = await peer.nextByte();
  if (answer !== null) peer.expect('messages');
  return answer;
}
