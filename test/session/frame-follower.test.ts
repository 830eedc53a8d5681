/** The follower of message headers behind log_client_messages and log_backend_messages. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameFollower } from '../../src/workers/session/frame-follower.js';

const letters = new Map([...'QPBESXdc'].map((letter) => [letter.charCodeAt(0), letter]));

function message(letter: string, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(5);
  header.write(letter, 'latin1');
  header.writeInt32BE(payload.length + 4, 1);
  return Buffer.concat([header, payload]);
}

/** What the follower tells of the pieces, as text. */
function follow(pieces: readonly Buffer[], keepBytes: number): string[] {
  const told: string[] = [];
  const follower = new FrameFollower(letters, keepBytes, {
    message: (letter, payload, payloadBytes) => told.push(`${String.fromCharCode(letter)} ${payload.toString('latin1')} ${payloadBytes}`),
  });
  // Each piece from the middle of a larger buffer, as a read buffer would have it.
  for (const piece of pieces) {
    const around = Buffer.concat([Buffer.from('???'), piece, Buffer.from('!!')]);
    follower.read(around, 3, 3 + piece.length);
    around.fill(0x21);
  }
  return told;
}

/** A generator of its own, so that a failure can be repeated. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return (state >>> 8) % below;
  };
}

test('a stream tells the same messages wherever it is split', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = numbers(seed);
    const expected: string[] = [];
    const parts: Buffer[] = [];
    const keepBytes = random(3) * 10;
    for (let n = random(12); n >= 0; n--) {
      const letter = 'QPBESXdc'.charAt(random(8));
      const payload = Buffer.from(Array.from({ length: random(4) === 0 ? 0 : random(40) }, () => 0x61 + random(26)));
      parts.push(message(letter, payload));
      expected.push(`${letter} ${payload.toString('latin1', 0, keepBytes)} ${payload.length}`);
    }
    const stream = Buffer.concat(parts);
    const pieces: Buffer[] = [];
    for (let at = 0; at < stream.length;) {
      const next = Math.min(stream.length, at + random(1 + random(60)));
      pieces.push(stream.subarray(at, next));
      at = next;
    }
    assert.deepEqual(follow(pieces, keepBytes), expected, `seed ${seed}`);
    assert.deepEqual(follow([...stream].map((byte) => Buffer.from([byte])), keepBytes), expected, `seed ${seed}, byte by byte`);
  }
});

test('nothing is told of a message before its last byte has come', () => {
  assert.deepEqual(follow([message('Q', Buffer.from('select')).subarray(0, -1)], 100), []);
});

test('a letter that does not exist or an impossible length ends the following', () => {
  const sync = message('S', Buffer.alloc(0));
  for (const wrong of [message('p', Buffer.from('secret')), Buffer.from([0x51, 0, 0, 0, 3]), Buffer.from([0x51, 0xff, 0, 0, 0]), Buffer.from([0x51, 0x7f, 0xff, 0xff, 0xff])]) {
    assert.deepEqual(follow([sync, wrong, sync], 100), ['S  0']);
  }
});

test('random bytes do no harm', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = numbers(seed);
    follow(Array.from({ length: 20 }, () => Buffer.from(Array.from({ length: random(30) }, () => random(256)))), 16);
  }
});
