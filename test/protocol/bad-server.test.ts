/** Servers that break the protocol: the session that meets one ends cleanly, and its link is never used again. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Socket } from 'node:net';
import { allChildrenFree } from '../../bench/fuzz/fuzz.js';
import { startPgloom, type Pgloom } from '../support/pgloom.js';
import { body, firstError, int32, rowsOf } from '../support/wire-fields.js';
import { WireClient } from '../support/wire.js';
import { answer, complete, fakeServer, greeting, type FakeServer, ready, row } from './fake-server.js';
import { lying, message } from './messages.js';

type OnQuery = (sql: string, socket: Socket) => Uint8Array | undefined;

const nowhere = { health_check_period: 0, sr_check_period: 0, num_init_children: 4, worker_threads: 1, backend_clustering_mode: 'raw', failover_on_backend_error: false };

/** The right answer to whatever pgloom itself asks; `evil` answers the client's `select evil`. */
const mostlyRight = (evil: OnQuery): OnQuery => (sql, socket) => {
  if (sql.includes('evil')) return evil(sql, socket);
  const number = /^select '(\w+)'$/.exec(sql)?.[1];
  if (number !== undefined) return answer(number);
  return Buffer.concat([complete('SELECT 0'), ready]);
};

const noEvil: OnQuery = () => undefined;
/** What the one server of these tests does now. */
const now: { onQuery: OnQuery; onStartup: Uint8Array } = { onQuery: mostlyRight(noEvil), onStartup: greeting };

/** The next clients get what they ask for. */
async function newcomersAreServed(port: number): Promise<void> {
  for (const word of ['one', 'two', 'three']) {
    const client = await WireClient.login(port);
    client.query(`select '${word}'`);
    assert.deepEqual(rowsOf(await client.readUntil('Z')), [[word]]);
    client.end();
  }
}

const half = row('x'.repeat(1000)).subarray(0, 300);

/** What the server says to a query that goes wrong. */
const evils: Readonly<Record<string, OnQuery>> = {
  'vanishes instead of answering': (_sql, socket) => { socket.destroy(); return undefined; },
  'vanishes in the middle of a message': (_sql, socket) => { socket.end(half); return undefined; },
  'vanishes between two messages': (_sql, socket) => { socket.end(row('first')); return undefined; },
  'resets the connection': (_sql, socket) => { socket.resetAndDestroy(); return undefined; },
  'sends garbage': () => Buffer.from('this is not the protocol you are looking for, is it?'),
  'sends garbage behind an answer': () => Buffer.concat([row('first'), Buffer.from('\0\0\0\0\0\0\0\0\0\0\0')]),
  'sends a length of 0': () => lying('D', 0),
  'sends a negative length': () => lying('D', -5, Buffer.alloc(30)),
  'sends an error of a negative length': () => lying('E', -1, Buffer.alloc(30)),
  'sends a login message': () => message('R', int32(0)),
  'sends a message letter that does not exist': () => message('?', body('x')),
};

describe('bad servers', () => {
  let server: FakeServer;
  let pgloom: Pgloom;
  before(async () => {
    server = await fakeServer((sql, socket) => now.onQuery(sql, socket), () => now.onStartup);
    // By a rule, for in relay mode the client would be asked in the server's place.
    pgloom = await startPgloom({ nodes: [server], hba: 'host all all all trust\n', poolPasswd: 'postgres:TEXTsecret\n', settings: nowhere });
  });
  after(async () => {
    await pgloom.stop();
    await server.stop();
  });
  afterEach(async () => {
    Object.assign(now, { onQuery: mostlyRight(noEvil), onStartup: greeting });
    await newcomersAreServed(pgloom.port);
    await allChildrenFree(pgloom);
    assert.doesNotMatch(pgloom.stderr(), /internal error|PANIC/);
  });

  for (const [name, evil] of Object.entries(evils)) {
    it(`a server that ${name} costs the client that asked its session`, async () => {
      now.onQuery = mostlyRight(evil);
      const client = await WireClient.login(pgloom.port);
      client.socket.on('error', () => {});
      client.query('select evil');
      await ended(client);
      await allChildrenFree(pgloom);
      await newcomersAreServed(pgloom.port);
    });
  }

  const unasked: Readonly<Record<string, Buffer>> = {
    'a second answer': answer('not yours'),
    'a second ReadyForQuery': ready,
    'a row behind the ReadyForQuery': row('not yours'),
    'half a message behind the ReadyForQuery': half,
    'a CopyInResponse behind the ReadyForQuery': message('G', Buffer.from([0, 0, 0])),
    'a ParseComplete behind the ReadyForQuery': message('1'),
  };
  for (const [name, bytes] of Object.entries(unasked)) {
    for (const late of [false, true]) {
      it(`${name} ${late ? 'that comes later ' : ''}never reaches another client`, async () => {
        let saidLate: Promise<void> = Promise.resolve();
        const evil: OnQuery = (_sql, socket) => {
          if (!late) return Buffer.concat([answer('first'), bytes]);
          saidLate = sleep(30).then(() => { if (!socket.destroyed) socket.write(bytes); }).then(() => sleep(30));
          return answer('first');
        };
        now.onQuery = mostlyRight(evil);
        for (let round = 0; round < 3; round++) {
          const client = await WireClient.login(pgloom.port);
          client.socket.on('error', () => {});
          client.query('select evil');
          assert.deepEqual(rowsOf(await client.readUntil('Z'))[0], ['first']);
          client.end();
          // A server that lies while the next client waits for its answer cannot be told from one that does not.
          if (late) await saidLate;
          await newcomersAreServed(pgloom.port);
        }
      });
    }
  }

  it('a server that answers the reset wrongly, or never, loses its link', async () => {
    let resets = 0;
    now.onQuery = (sql, socket) => {
      if (!/discard/i.test(sql)) return mostlyRight(noEvil)(sql, socket);
      resets++;
      return resets % 2 === 0 ? Buffer.concat([message('E', Buffer.from('SERROR\0C42501\0Mno\0\0')), ready]) : message('Z', Buffer.from('T'));
    };
    for (let round = 0; round < 4; round++) await newcomersAreServed(pgloom.port);
    assert.ok(resets > 4, 'links were reset');
  });

  const startups: Readonly<Record<string, Buffer>> = {
    'garbage': Buffer.from('SSH-2.0-OpenSSH_9.9\r\n'),
    'a wrong SCRAM message': Buffer.concat([message('R', Buffer.concat([int32(10), body('SCRAM-SHA-256', '')])), message('R', Buffer.concat([int32(11), Buffer.from('r=evil,s=AAAA,i=0')]))]),
    'a SCRAM final message without the exchange': message('R', Buffer.concat([int32(12), Buffer.from('v=AAAA')])),
    'an unknown authentication method': message('R', int32(99)),
    'a truncated authentication request': message('R', Buffer.from([0])),
    'ReadyForQuery without authentication': ready,
    'a huge message': lying('R', 0x3fff_ffff, Buffer.alloc(100)),
    'truncated key data': Buffer.concat([message('R', int32(0)), message('K', Buffer.from([1])), ready]),
    'rows': Buffer.concat([message('R', int32(0)), row('x'), ready]),
  };
  for (const [name, bytes] of Object.entries(startups)) {
    it(`a server that answers the login with ${name} is refused, and the client told`, async () => {
      now.onStartup = bytes;
      // The pool must have no link left.
      const clients: WireClient[] = [];
      let error: Record<string, string> | undefined;
      while (error === undefined) {
        const client = await WireClient.connect(pgloom.port);
        clients.push(client);
        client.startup({ user: 'postgres', database: 'test' });
        const first = await client.readMessage();
        if (first.type === 'E') error = firstError([first]);
      }
      assert.equal(error['S'], 'FATAL');
      for (const client of clients) client.destroy();
    });
  }
});

/** The connection ends, with an error or without a word (in the middle of a message nothing can be said). */
async function ended(client: WireClient): Promise<void> {
  for (;;) {
    try {
      const message = await client.readMessage();
      if (message.type === 'E') return;
      assert.notEqual(message.type, 'Z');
    } catch (error) {
      assert.match((error as Error).message, /the connection ended/);
      return;
    }
  }
}
