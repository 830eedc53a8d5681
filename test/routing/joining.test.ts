/** Statements that have to be known on the link which a batch joins. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Pgloom, startPgloom } from '../support/pgloom.js';
import { WireClient, withWireClient } from '../support/wire.js';
import { answer, inOneWrite, settingAtPrimary, settingAtReader, simple } from './one-write.js';
import { nodeOfPort, readerIsNode1 } from './where.js';

let pgloom: Pgloom;
before(async () => {
  pgloom = await startPgloom({ settings: { num_init_children: 8, ...readerIsNode1, notice_per_node_statement: false } });
});
after(() => pgloom.stop());

const whereSql = "select current_setting('port')";

const session = (use: (client: WireClient) => Promise<void>): Promise<void> => withWireClient(pgloom.port, use);

function run(client: WireClient, statement = ''): void {
  client.bind([], statement);
  client.execute();
}

/** Parses, runs and waits; the rows. */
async function runOnce(client: WireClient, sql: string, name = ''): Promise<(string | null)[][]> {
  client.parse(sql, name);
  run(client, name);
  client.sync();
  const { rows, error } = await answer(client);
  assert.equal(error, undefined, sql);
  return rows;
}

test('a SET that is parsed in one batch over an unnamed read, and run in the next of the same write, runs on the primary and holds on the reader', async () => {
  await session(async (client) => {
    await runOnce(client, 'select 1');
    inOneWrite(client, () => {
      client.parse('set search_path to s2');
      client.sync();
      run(client);
      client.sync();
    });
    assert.equal((await answer(client)).letters, '1Z');
    assert.equal((await answer(client)).letters, '2CZ');
    assert.deepEqual(await settingAtReader(client, 'search_path'), { node: 1, value: 's2' });
    assert.deepEqual(await settingAtPrimary(client, 'search_path'), { node: 0, value: 's2' });
  });
});

test('a named read that is closed and parsed again as a write, all in one write, runs on the primary', async () => {
  for (const syncs of [[false, true], [true, true], [false, false]] as const) {
    await session(async (client) => {
      await runOnce(client, 'select 1', 's1');
      inOneWrite(client, () => {
        client.close('S', 's1');
        if (syncs[0]) client.sync();
        client.parse('insert into bumps default values returning 5', 's1');
        if (syncs[1]) client.sync();
        run(client, 's1');
        client.sync();
      });
      const letters: string[] = [];
      let rows: (string | null)[][] = [];
      for (const _ of [...syncs.filter(Boolean), true]) {
        const part = await answer(client);
        letters.push(part.letters);
        rows = part.rows;
      }
      assert.equal(letters.join('').replaceAll('Z', ''), '312DC', String(syncs));
      assert.deepEqual(rows, [['5']]);
      assert.deepEqual(await runOnce(client, whereSql).then(([row]) => nodeOfPort(Number(row?.[0]))), 1);
    });
  }
});

test('a named write that is closed and parsed again as a read, all in one write, runs what was parsed last', async () => {
  await session(async (client) => {
    await runOnce(client, 'insert into bumps default values returning 5', 's1');
    inOneWrite(client, () => {
      client.close('S', 's1');
      client.sync();
      client.parse(whereSql, 's1');
      client.sync();
      run(client, 's1');
      client.sync();
    });
    assert.equal((await answer(client)).letters, '3Z');
    assert.equal((await answer(client)).letters, '1Z');
    const { letters, rows } = await answer(client);
    assert.equal(letters, '2DCZ');
    assert.ok([0, 1].includes(nodeOfPort(Number(rows[0]?.[0]))));
  });
});

test('a statement that the reader does not have is prepared there once when a batch under way binds it twice', async () => {
  await session(async (client) => {
    await simple(client, 'begin');
    await simple(client, 'insert into bumps default values');
    // After the write it is prepared on the primary only.
    assert.deepEqual(await runOnce(client, `${whereSql}, 's1'`, 's1').then(([row]) => nodeOfPort(Number(row?.[0]))), 0);
    await simple(client, 'commit');
    inOneWrite(client, () => {
      client.parse(whereSql);
      run(client);
      client.flush();
      run(client, 's1');
      run(client, 's1');
      client.sync();
    });
    const { letters, rows, error } = await answer(client);
    assert.equal(error, undefined);
    assert.equal(letters, '12DC2DC2DCZ');
    assert.deepEqual(rows.map(([port]) => nodeOfPort(Number(port))), [1, 1, 1]);
  });
});

test('DEALLOCATE by the extended protocol frees a name on both nodes while the reader is the one that answers', async () => {
  await session(async (client) => {
    const where = async (): Promise<number> => {
      run(client, 's1');
      client.sync();
      const { rows, error } = await answer(client);
      assert.equal(error, undefined);
      return nodeOfPort(Number(rows[0]?.[0]));
    };
    await runOnce(client, whereSql, 's1');
    await simple(client, 'begin');
    await simple(client, 'insert into bumps default values');
    assert.equal(await where(), 0);
    await simple(client, 'commit');
    assert.equal(await where(), 1);
    client.parse('deallocate s1');
    run(client);
    client.sync();
    assert.equal((await answer(client)).letters, '12CZ');
    // The servers refuse a name that they still have.
    const rows = await runOnce(client, `${whereSql}, 'again'`, 's1');
    assert.equal(rows[0]?.[1], 'again');
    assert.equal(await where(), 1);
    await simple(client, 'begin');
    await simple(client, 'insert into bumps default values');
    assert.equal(await where(), 0);
    await simple(client, 'rollback');
    assert.deepEqual(await simple(client, "/* primary */ select count(*) from pg_prepared_statements where name = 's1'"), [['1']]);
    client.parse('deallocate s1');
    run(client);
    client.sync();
    assert.equal((await answer(client)).letters, '12CZ');
    run(client, 's1');
    client.sync();
    assert.equal((await answer(client)).error, '26000');
  });
});
