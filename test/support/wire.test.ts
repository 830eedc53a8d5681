/** The raw client against PostgreSQL itself, so that a failing protocol test points at pgloom and not at its tool. */
import { strict as assert } from 'node:assert';
import { describe, it } from 'node:test';
import { sharedCluster } from './cluster.js';
import { firstError, rowsOf } from './wire-fields.js';
import { WireClient, type WireMessage, withWireClient } from './wire.js';

async function withServer(use: (client: WireClient, port: number) => Promise<void>): Promise<void> {
  const { port } = sharedCluster().nodes[0]!;
  const client = await WireClient.login(port);
  try {
    await use(client, port);
  } finally {
    client.destroy();
  }
}

async function untilAsleep(port: number, pid: number): Promise<void> {
  await withWireClient(port, async (client) => {
    for (let state = ''; state !== 'PgSleep';) {
      client.query(`select coalesce(wait_event, '') from pg_stat_activity where pid = ${pid}`);
      state = rowsOf(await client.readUntil('Z'))[0]?.[0] ?? 'gone';
      assert.notEqual(state, 'gone');
    }
  });
}

function letters(messages: readonly WireMessage[]): string {
  return messages.map((message) => message.type).join('');
}

describe('the raw protocol client', () => {
  it('runs a simple query and ends politely', () => withServer(async (client) => {
    client.query('select id, name from items where id = 7');
    const messages = await client.readUntil('Z');
    assert.equal(letters(messages), 'TDCZ');
    assert.deepEqual(rowsOf(messages), [['7', 'item 7']]);
    client.end();
    assert.deepEqual(await client.expectClose(), []);
  }));

  it('runs a prepared statement with a NULL parameter, in parts of a portal', () => withServer(async (client) => {
    client.parse('select n, $1::text from generate_series(1, 3) n', 'three');
    client.bind([null], 'three', 'p');
    client.describe('S', 'three');
    client.execute('p', 2);
    client.execute('p');
    client.close('S', 'three');
    client.sync();
    const messages = await client.readUntil('Z');
    assert.equal(letters(messages), '12tTDDsDC3Z');
    assert.deepEqual(rowsOf(messages), [['1', null], ['2', null], ['3', null]]);
  }));

  it('reads an error field by field', () => withServer(async (client) => {
    client.query('select nothing');
    const error = firstError(await client.readUntil('Z'));
    assert.equal(error?.['S'], 'ERROR');
    assert.equal(error?.['C'], '42703');
  }));

  it('copies in both directions and fails a copy', () => withServer(async (client) => {
    client.query('create temp table copied (n int)');
    await client.readUntil('Z');
    client.query('copy copied from stdin');
    await client.readUntil('G');
    client.copyData('1\n2\n');
    client.copyDone();
    assert.equal(letters(await client.readUntil('Z')), 'CZ');
    client.query('copy copied from stdin');
    await client.readUntil('G');
    client.copyFail('no more');
    assert.equal(firstError(await client.readUntil('Z'))?.['C'], '57014');
    client.query('copy copied to stdout');
    assert.equal(letters(await client.readUntil('Z')), 'HddcCZ');
  }));

  it('calls a function', () => withServer(async (client) => {
    // int4pl
    client.functionCall(177, ['40', '2']);
    const [answer] = await client.readUntil('Z');
    assert.equal(answer?.type, 'V');
    assert.equal(answer?.payload.toString('utf8', 4), '42');
  }));

  it('cancels a query from another connection', () => withServer(async (_, port) => {
    const client = await WireClient.connect(port);
    try {
      client.startup({ user: 'postgres', database: 'test' });
      const key = (await client.readUntil('Z')).find((message) => message.type === 'K')!.payload;
      client.query('select pg_sleep(60)');
      // A cancel that overtakes its query does nothing.
      await untilAsleep(port, key.readInt32BE(0));
      const other = await WireClient.connect(port);
      other.cancelRequest(key.readInt32BE(0), key.subarray(4));
      await other.expectClose();
      assert.equal(firstError(await client.readUntil('Z'))?.['C'], '57014');
    } finally {
      client.destroy();
    }
  }));

  it('asks for TLS and reads the one byte of the answer', async () => {
    const client = await WireClient.connect(sharedCluster().nodes[0]!.port);
    client.sslRequest();
    assert.equal((await client.readBytes(1)).toString(), 'N');
    client.destroy();
  });

  it('fails loudly when nothing comes', async () => {
    const client = await WireClient.login(sharedCluster().nodes[0]!.port, {}, 200);
    await assert.rejects(client.readMessage(), /did not come within 200 ms/);
    client.destroy();
  });
});
