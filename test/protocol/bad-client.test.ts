/** Clients that break the protocol, vanish or stay silent: they harm only themselves. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { allChildrenFree } from '../../bench/fuzz/fuzz.js';
import { sharedCluster } from '../support/cluster.js';
import { startPgloom, type Pgloom } from '../support/pgloom.js';
import { body, firstError, int16, int32, rowsOf } from '../support/wire-fields.js';
import { WireClient } from '../support/wire.js';
import { bind, copyData, execute, flush, lying, message, parse, query, startup, sync, terminate } from './messages.js';

const user = { user: 'postgres', database: 'test' };
const startupPackets: Readonly<Record<string, Buffer>> = {
  'a length of 0': int32(0),
  'a length of 3': int32(3),
  'a length of 4 and nothing else': int32(4),
  'a length of 7': Buffer.concat([int32(7), Buffer.from('xyz')]),
  'a negative length': Buffer.concat([int32(-1), int32(196_608)]),
  'a length of 2 GB': Buffer.concat([int32(2 ** 31 - 1), int32(196_608)]),
  'a length just too large': Buffer.concat([int32(10_001), int32(196_608)]),
  'an HTTP request': Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'),
  'a TLS hello': Buffer.from('160301020001000001fc0303', 'hex'),
  'no terminator': Buffer.concat([int32(8 + 5), int32(196_608), Buffer.from('user\0')]),
  'text behind the terminator': Buffer.concat([int32(8 + 17), int32(196_608), Buffer.from('user\0postgres\0\0ab')]),
  'no user': startup({ database: 'test' }),
  'an empty packet': Buffer.concat([int32(8), int32(196_608)]),
  'a cancel request without a key': Buffer.concat([int32(12), int32(80_877_102), int32(1)]),
};

const lengths = [0, 3, -1, -(2 ** 31), 2 ** 31 - 1, 0x4000_0000];
const letters = 'QPBDECSHXFdcf';

/** What is sent, and what the client is told: its SQLSTATE. The server's own errors keep the session. */
const badMessages: Readonly<Record<string, readonly [Buffer, string]>> = {
  'an unknown letter': [message('y', body('what')), '08P01'],
  'a NUL as letter': [message('\0'), '08P01'],
  'a server letter': [message('T', int16(0)), '08P01'],
  'a password out of place': [message('p', body('secret')), '08P01'],
  'a Query without its NUL': [message('Q', Buffer.from('select 1')), '08P01'],
  'an empty Query': [message('Q'), '08P01'],
  'a Parse without NULs': [message('P', Buffer.from('abc')), '08P01'],
  'a Parse without its text': [message('P', body('name')), '08P01'],
  'a Parse without its types': [Buffer.concat([message('P', body('', 'select 1')), sync]), '08P01'],
  'a Bind without NULs': [message('B', Buffer.from('abc')), '08P01'],
  'a Bind that ends early': [Buffer.concat([parse('select $1::text'), message('B', body('', '', int16(0), int16(1), int32(50))), sync]), '08P01'],
  'a Bind with a negative count': [Buffer.concat([parse('select 1'), message('B', body('', '', int16(-5))), sync]), '08P01'],
  'a Describe without its name': [message('D', Buffer.from('S')), '08P01'],
  'a Describe without its NUL': [Buffer.concat([message('D', Buffer.from('Sname')), sync]), '08P01'],
  'a Describe of nothing known': [Buffer.concat([message('D', body('Xname')), sync]), '08P01'],
  'an Execute without NUL': [message('E', Buffer.from('abcdef')), '08P01'],
  'an Execute without its count': [Buffer.concat([message('E', body('')), sync]), '08P01'],
  'a Close without its NUL': [Buffer.concat([message('C', Buffer.from('Sname')), sync]), '08P01'],
  'a function call that ends early': [message('F', int32(1397)), '08P01'],
};

/** The beginning of something, after which the client is gone. */
const phases: Readonly<Record<string, readonly Buffer[]>> = {
  'nothing': [],
  'half a startup packet': [startup(user).subarray(0, 11)],
  'a startup packet': [startup(user)],
  'half a Query': [startup(user), query('select 1').subarray(0, 8)],
  'a Query': [startup(user), query('select * from generate_series(1, 100000)')],
  'a long Query': [startup(user), query('select pg_sleep(0.5)')],
  'half a large Query': [startup(user), lying('Q', 500_000, Buffer.alloc(100_000, 0x20))],
  'half a batch': [startup(user), parse('select 1'), bind()],
  'a flushed half batch': [startup(user), parse('select 1'), bind(), flush],
  'a pipeline': [startup(user), ...Array.from({ length: 50 }, (_, n) => query(`select ${n}`))],
  'a pipeline over two nodes': [startup(user), ...Array.from({ length: 50 }, (_, n) => query(n % 2 === 0 ? 'select 1' : "do ''"))],
  'COPY data': [startup(user), query('create temp table c (t text); copy c from stdin'), copyData('half')],
  'half of COPY data': [startup(user), query('create temp table c (t text); copy c from stdin'), lying('d', 100_000, Buffer.from('x'))],
  'a transaction': [startup(user), query('begin'), query('select 1')],
  'questions during COPY': [startup(user), query('copy items from stdin'), query('select 1'), query('show pool_nodes')],
  'a batch and SHOW POOL_NODES': [startup(user), parse('select 1'), bind(), execute(), query('show pool_nodes')],
};

describe('bad clients', () => {
  let pgloom: Pgloom;
  let witness: WireClient;
  before(async () => {
    pgloom = await startPgloom({ settings: { num_init_children: 8, worker_threads: 2, authentication_timeout: 2 } });
    witness = await WireClient.login(pgloom.port);
  });
  after(() => pgloom.stop());
  afterEach(async () => {
    witness.query("select 'still here'");
    assert.deepEqual(rowsOf(await witness.readUntil('Z')), [['still here']]);
    await cleanNewcomer(pgloom.port);
    assert.doesNotMatch(pgloom.stderr(), /internal error/);
  });

  for (const [name, packet] of Object.entries(startupPackets)) {
    it(`a startup packet with ${name} is answered with an error at once`, async () => {
      const client = await WireClient.connect(pgloom.port);
      client.write(packet);
      const error = firstError(await client.expectClose());
      assert.equal(error?.['S'], 'FATAL');
      assert.match(error?.['C'] ?? '', /^(08P01|28000|0A000)$/);
    });
  }

  for (const letter of letters) {
    it(`wrong lengths of ${letter} end the session with 08P01`, async () => {
      for (const length of lengths) {
        const client = await WireClient.login(pgloom.port);
        client.write(lying(letter, length, Buffer.alloc(64)));
        assert.equal(firstError(await client.expectClose())?.['C'], '08P01', `length ${length}`);
      }
    });
  }

  for (const [name, [bytes, sqlstate]] of Object.entries(badMessages)) {
    it(`${name} is answered with ${sqlstate}`, async () => {
      const client = await WireClient.login(pgloom.port);
      client.write(bytes);
      const first = await client.readUntil('E');
      assert.equal(firstError(first)?.['C'], sqlstate);
      client.end();
    });
  }

  for (const [name, messages] of Object.entries(phases)) {
    for (const way of ['FIN', 'RST'] as const) {
      it(`a client that vanishes with ${way} after ${name} leaves its child free and no link unclean`, async () => {
        for (const waitMs of [0, 5, 40]) {
          const client = await WireClient.connect(pgloom.port);
          client.socket.on('error', () => {});
          if (messages.length > 0) client.write(Buffer.concat(messages));
          await sleep(waitMs);
          if (way === 'FIN') client.socket.end();
          else client.reset();
        }
        await onlyWitness(pgloom);
      });
    }
  }

  it('a client that never says anything is told so when authentication_timeout is over', async () => {
    const silent = await Promise.all([WireClient.connect(pgloom.port), WireClient.connect(pgloom.port)]);
    silent[1]!.write(startup(user).subarray(0, 10));
    for (const client of silent) assert.equal(firstError(await client.expectClose())?.['C'], '57014');
    await onlyWitness(pgloom);
  });

  it('a client that says good-bye in the same breath gets all its answers', async () => {
    for (const port of [sharedCluster().nodes[0]!.port, pgloom.port]) {
      const client = await WireClient.login(port);
      client.write(Buffer.concat([query('select 1'), query('select pg_sleep(0.1)'), query('select 3'), terminate]));
      const types = (await client.expectClose()).map(({ type }) => type).join('');
      assert.equal(types, 'TDCZTDCZTDCZ', `port ${port}`);
    }
    await onlyWitness(pgloom);
  });

  it('a client that goes on sending after its session has ended is cut off', async () => {
    const client = await WireClient.login(pgloom.port);
    client.socket.on('error', () => {});
    client.write(lying('Q', 3));
    while (!client.socket.destroyed) {
      client.write(Buffer.alloc(1000));
      await sleep(100);
    }
    await onlyWitness(pgloom);
  });
});

/** The witness and whoever asks are all that are served. */
async function onlyWitness(pgloom: Pgloom): Promise<void> {
  await allChildrenFree(pgloom, 2);
}

/** Whoever comes next gets its own answers, several times, so that it meets links from the pool. */
async function cleanNewcomer(port: number): Promise<void> {
  for (let visit = 0; visit < 3; visit++) {
    const client = await WireClient.login(port);
    client.query(`select 'read ${visit}'`);
    client.query(`begin; select 'write ${visit}'; commit`);
    assert.deepEqual(rowsOf(await client.readUntil('Z')), [[`read ${visit}`]]);
    assert.deepEqual(rowsOf(await client.readUntil('Z')), [[`write ${visit}`]]);
    client.end();
  }
}
