/** DISCARD ALL with other messages before or behind it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sharedCluster } from '../support/cluster.js';
import { type Pgloom, startPgloom } from '../support/pgloom.js';
import { WireClient, withWireClient } from '../support/wire.js';
import { answer, inOneWrite, settingAtPrimary, settingAtReader, simple } from './one-write.js';
import { readerIsNode1 } from './where.js';

let pgloom: Pgloom;
before(async () => {
  pgloom = await startPgloom({ settings: { num_init_children: 8, ...readerIsNode1, notice_per_node_statement: false } });
});
after(() => pgloom.stop());

const standard = '"$user", public';

const session = (use: (client: WireClient) => Promise<void>): Promise<void> => withWireClient(pgloom.port, use);

/** In a session with a SET that both nodes know: the messages in one write, and what each answer ends with. */
async function afterSetting(statements: readonly string[], extended: boolean, use: (client: WireClient, errors: (string | undefined)[]) => Promise<void>): Promise<void> {
  await session(async (client) => {
    await simple(client, 'set search_path = s2');
    assert.deepEqual(await settingAtReader(client, 'search_path'), { node: 1, value: 's2' });
    inOneWrite(client, () => {
      for (const sql of statements) {
        if (extended) {
          client.parse(sql);
          client.bind();
          client.execute();
          client.sync();
        } else {
          client.query(sql);
        }
      }
    });
    const errors: (string | undefined)[] = [];
    for (const _ of statements) errors.push((await answer(client)).error);
    await use(client, errors);
  });
}

for (const extended of [false, true]) {
  const protocol = extended ? 'extended' : 'simple';

  test(`DISCARD ALL by the ${protocol} protocol takes a SET back on the reader even if a statement pipelined behind it fails`, async () => {
    await afterSetting(['discard all', 'insert into nosuch values (1)'], extended, async (client, errors) => {
      assert.deepEqual(errors, [undefined, '42P01']);
      assert.deepEqual(await settingAtReader(client, 'search_path'), { node: 1, value: standard });
      assert.deepEqual(await settingAtPrimary(client, 'search_path'), { node: 0, value: standard });
    });
  });

  test(`what is set behind a DISCARD ALL by the ${protocol} protocol and cannot be repeated keeps reads on the primary`, async () => {
    await afterSetting(['discard all', "do $$ begin perform set_config('search_path', 'pinned', false); end $$"], extended, async (client, errors) => {
      assert.deepEqual(errors, [undefined, undefined]);
      assert.deepEqual(await settingAtReader(client, 'search_path'), { node: 0, value: 'pinned' });
    });
  });

  test(`a SET in a transaction behind a DISCARD ALL by the ${protocol} protocol holds on both nodes`, async () => {
    await afterSetting(['discard all', 'begin', 'set search_path = s3', 'commit'], extended, async (client, errors) => {
      assert.deepEqual(errors, [undefined, undefined, undefined, undefined]);
      assert.deepEqual(await settingAtReader(client, 'search_path'), { node: 1, value: 's3' });
      assert.deepEqual(await settingAtPrimary(client, 'search_path'), { node: 0, value: 's3' });
    });
  });
}

test('DISCARD ALL behind a batch without Sync is answered as the server does, and the session goes on', async () => {
  const primary = sharedCluster().nodes[0]?.port ?? 0;
  const shapes: readonly ((client: WireClient) => void)[] = [
    (client) => client.parse('select 1'),
    (client) => { client.parse('select 1'); client.flush(); },
    (client) => { client.parse('select 1', 'named'); client.bind([], 'named'); client.execute(); },
    (client) => { client.parse('insert into bumps default values'); client.bind(); client.execute(); },
  ];
  const outcome = async (port: number, shape: (client: WireClient) => void, together: boolean): Promise<string[]> => {
    const client = await WireClient.login(port);
    try {
      const seen: string[] = [];
      if (!together) shape(client);
      inOneWrite(client, () => {
        if (together) shape(client);
        client.query('discard all');
        client.query('select 2');
      });
      // A Query behind a batch that fails is skipped by the server, up to a Sync.
      client.sync();
      for (let left = 3; left > 0; left--) seen.push((await answer(client)).letters);
      return seen;
    } finally {
      client.end();
    }
  };
  for (const [index, shape] of shapes.entries()) {
    for (const together of [true, false]) {
      assert.deepEqual(await outcome(pgloom.port, shape, together), await outcome(primary, shape, together), `shape ${index}, together: ${together}`);
    }
  }
});

test('DISCARD ALL behind a batch without Sync that runs on the reader is answered', async () => {
  await session(async (client) => {
    await simple(client, 'set search_path = s2');
    client.parse("select current_setting('port')");
    client.bind();
    client.execute();
    client.flush();
    await client.readUntil('C');
    client.query('discard all');
    // The primary has no part in that batch, so nothing keeps it from obeying.
    assert.equal((await answer(client)).letters, 'CZ');
    assert.deepEqual(await settingAtReader(client, 'search_path'), { node: 1, value: standard });
  });
});
