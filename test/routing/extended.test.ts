/** The extended protocol, message by message, over two nodes. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Pgloom, startPgloom } from '../support/pgloom.js';
import { firstError, rowsOf } from '../support/wire-fields.js';
import { WireClient, type WireMessage, withWireClient } from '../support/wire.js';
import { nodeOfPort, readerIsNode1 } from './where.js';

let pgloom: Pgloom;
before(async () => {
  pgloom = await startPgloom({ settings: { num_init_children: 16, ...readerIsNode1, notice_per_node_statement: false } });
});
after(() => pgloom.stop());

const whereSql = "select current_setting('port')";

const session = (use: (client: WireClient) => Promise<void>): Promise<void> => withWireClient(pgloom.port, use);

/** One batch: the letters of the answer, without ParameterStatus and notices, and its rows. */
async function batch(client: WireClient, send: () => void): Promise<{ letters: string; rows: (string | null)[][]; messages: WireMessage[] }> {
  send();
  client.sync();
  return answer(client);
}

async function answer(client: WireClient): Promise<{ letters: string; rows: (string | null)[][]; messages: WireMessage[] }> {
  const messages = (await client.readUntil('Z')).filter(({ type }) => type !== 'S' && type !== 'N');
  return { letters: messages.map(({ type }) => type).join(''), rows: rowsOf(messages), messages };
}

async function simple(client: WireClient, sql: string): Promise<(string | null)[][]> {
  client.query(sql);
  const { messages, rows } = await answer(client);
  assert.equal(firstError(messages), undefined, sql);
  return rows;
}

function run(client: WireClient, statement = '', values: readonly string[] = []): void {
  client.bind(values, statement);
  client.describe('P');
  client.execute();
}

const nodeOf = (rows: readonly (readonly (string | null)[])[]): number => nodeOfPort(Number(rows[0]?.[0]));

test('a whole batch of reads goes to the reader, one with a write in it to the primary', async () => {
  await session(async (client) => {
    const reads = await batch(client, () => {
      client.parse(whereSql);
      run(client);
      client.parse('select 2');
      run(client);
    });
    assert.equal(reads.letters, '12TDC12TDCZ');
    assert.equal(nodeOf(reads.rows), 1);
    const mixed = await batch(client, () => {
      client.parse(whereSql);
      run(client);
      client.parse('insert into bumps default values');
      run(client);
      client.parse(whereSql);
      run(client);
    });
    assert.equal(mixed.letters, '12TDC12nC12TDCZ');
    assert.equal(nodeOf(mixed.rows), 0);
    assert.equal(nodeOf(mixed.rows.slice(1)), 0);
  });
});

test('a statement prepared on the reader runs on the primary after a write in a transaction, and back', async () => {
  await session(async (client) => {
    assert.equal((await batch(client, () => { client.parse(whereSql, 'w'); client.describe('S', 'w'); })).letters, '1tTZ');
    assert.equal(nodeOf((await batch(client, () => run(client, 'w'))).rows), 1);
    await simple(client, 'begin');
    assert.equal(nodeOf((await batch(client, () => run(client, 'w'))).rows), 1);
    await simple(client, 'insert into bumps default values');
    const onPrimary = await batch(client, () => run(client, 'w'));
    assert.equal(onPrimary.letters, '2TDCZ');
    assert.equal(nodeOf(onPrimary.rows), 0);
    await simple(client, 'commit');
    assert.equal(nodeOf((await batch(client, () => run(client, 'w'))).rows), 1);
    // Closed on one node, the name is free on both.
    await batch(client, () => client.close('S', 'w'));
    assert.equal((await batch(client, () => client.parse('select 1', 'w'))).letters, '1Z');
    await simple(client, 'begin');
    await simple(client, 'insert into bumps default values');
    assert.deepEqual((await batch(client, () => run(client, 'w'))).rows, [['1']]);
    await simple(client, 'rollback');
  });
});

test('a name in use is refused wherever it was prepared', async () => {
  await session(async (client) => {
    await batch(client, () => client.parse('select 1', 'a'));
    const again = await batch(client, () => client.parse('insert into bumps default values', 'a'));
    assert.equal(firstError(again.messages)?.['C'], '42P05');
    assert.deepEqual((await batch(client, () => run(client, 'a'))).rows, [['1']]);
  });
});

test('DEALLOCATE by SQL frees the name on both nodes', async () => {
  for (const sql of ['deallocate a', 'deallocate all', 'DEALLOCATE PREPARE "a"']) {
    await session(async (client) => {
      await batch(client, () => client.parse('select 1', 'a'));
      await batch(client, () => run(client, 'a'));
      await simple(client, 'begin');
      await simple(client, 'insert into bumps default values');
      await batch(client, () => run(client, 'a'));
      await simple(client, 'rollback');
      await simple(client, sql);
      assert.equal(firstError((await batch(client, () => run(client, 'a'))).messages)?.['C'], '26000', sql);
      const again = await batch(client, () => client.parse('select 2', 'a'));
      assert.equal(firstError(again.messages), undefined, sql);
      assert.deepEqual((await batch(client, () => run(client, 'a'))).rows, [['2']]);
    });
  }
});

test('DISCARD ALL frees all names on both nodes', async () => {
  await session(async (client) => {
    await batch(client, () => client.parse('select 1', 'a'));
    await simple(client, 'discard all');
    assert.equal(firstError((await batch(client, () => run(client, 'a'))).messages)?.['C'], '26000');
    assert.equal((await batch(client, () => client.parse('select 2', 'a'))).letters, '1Z');
    assert.deepEqual((await batch(client, () => run(client, 'a'))).rows, [['2']]);
  });
});

test('a statement prepared by SQL and run by the protocol is run where it was prepared', async () => {
  await session(async (client) => {
    await simple(client, 'prepare by_sql as insert into bumps default values returning 7');
    await simple(client, 'select 1');
    const { rows, messages } = await batch(client, () => run(client, 'by_sql'));
    assert.equal(firstError(messages), undefined);
    assert.deepEqual(rows, [['7']]);
  });
});

test('the unnamed statement by Parse, Describe, Flush and then Bind, Execute, Sync works for reads and writes', async () => {
  await session(async (client) => {
    for (const [sql, values, expected] of [
      [`${whereSql} where $1 = 1`, ['1'], 1], ['insert into notes values ($1::int, $2) returning id', ['5001', 'flush'], 5001],
      [`${whereSql} where $1 = 1`, ['1'], 1], ['delete from notes where id = $1 returning id', ['5001'], 5001],
    ] as const) {
      client.parse(sql);
      client.describe('S');
      client.flush();
      await client.readUntil('T');
      const { rows, messages } = await batch(client, () => { client.bind([...values]); client.execute(); });
      assert.equal(firstError(messages), undefined);
      assert.equal(expected === 1 ? nodeOf(rows) : Number(rows[0]?.[0]), expected);
    }
  });
});

test('a batch that began with a read on the reader goes on at the primary when a write comes', async () => {
  await session(async (client) => {
    client.parse(whereSql);
    run(client);
    client.flush();
    const first = await client.readUntil('C');
    assert.equal(nodeOf(rowsOf(first)), 1);
    const rest = await batch(client, () => {
      client.parse('insert into bumps default values returning 8');
      run(client);
    });
    assert.equal(rest.letters, '12TDCZ');
    assert.deepEqual(rest.rows, [['8']]);
  });
});

test('when the read of such a batch failed, the rest of the batch is not run, but the next one is', async () => {
  await session(async (client) => {
    const before = await simple(client, '/* primary */ select count(*) from bumps');
    client.parse('select 1 / (id - id) from items');
    run(client);
    client.flush();
    client.parse('insert into bumps default values');
    run(client);
    client.sync();
    const failed = await answer(client);
    assert.equal(failed.letters, '12TEZ');
    assert.deepEqual(await simple(client, '/* primary */ select count(*) from bumps'), before);
    assert.equal((await batch(client, () => { client.parse('insert into bumps default values'); run(client); })).letters, '12nCZ');
  });
});

test('an earlier batch that failed does not keep a later one from being run', async () => {
  await session(async (client) => {
    client.parse('select 1 / (id - id) from items');
    run(client);
    client.sync();
    client.parse('select 5');
    run(client);
    client.flush();
    client.parse('insert into bumps default values returning 9');
    run(client);
    client.sync();
    assert.equal((await answer(client)).letters, '12TEZ');
    const second = await answer(client);
    assert.equal(second.letters, '12TDC12TDCZ');
    assert.deepEqual(second.rows, [['5'], ['9']]);
  });
});

test('a portal that is not fetched to its end is fetched on where it is', async () => {
  await session(async (client) => {
    await simple(client, 'begin');
    const first = await batch(client, () => {
      client.parse('select id from items order by id');
      client.bind();
      client.execute('', 2);
    });
    assert.equal(first.letters, '12DDsZ');
    const second = await batch(client, () => client.execute('', 2));
    assert.deepEqual(second.rows, [['3'], ['4']]);
    await batch(client, () => {
      client.parse('select id from items order by id', 'n');
      client.bind([], 'n', 'named');
      client.execute('named', 1);
    });
    assert.deepEqual((await batch(client, () => client.execute('named', 2))).rows, [['2'], ['3']]);
    await simple(client, 'commit');
  });
});

test('pipelined batches that alternate between reads and writes are answered in order', async () => {
  await session(async (client) => {
    const rounds = 50;
    for (let i = 0; i < rounds; i++) {
      client.parse(`select ${i}, current_setting('port')`);
      run(client);
      client.sync();
      client.parse(`insert into bumps default values returning ${i}`, i % 7 === 0 ? `n${i}` : '');
      run(client, i % 7 === 0 ? `n${i}` : '');
      client.sync();
      client.query(`select 'simple ${i}'`);
    }
    for (let i = 0; i < rounds; i++) {
      const read = await answer(client);
      assert.equal(read.rows[0]?.[0], String(i));
      assert.equal(nodeOfPort(Number(read.rows[0]?.[1])), 1);
      assert.deepEqual((await answer(client)).rows, [[String(i)]]);
      assert.deepEqual((await answer(client)).rows, [[`simple ${i}`]]);
    }
  });
});

test('pipelined transactions over both nodes are answered in order, with the errors of those that fail', async () => {
  await session(async (client) => {
    const statements = ['begin', 'select 1', 'insert into bumps default values', 'select 2', 'commit', 'select 3', 'begin', 'select 1 / (id - id) from items', 'select 4', 'rollback', 'select 5'];
    for (const sql of statements) client.query(sql);
    const seen: string[] = [];
    for (const _ of statements) {
      const { letters, messages } = await answer(client);
      const status = String.fromCharCode(messages.at(-1)?.payload[0] ?? 0);
      seen.push(`${letters} ${status}`);
    }
    assert.deepEqual(seen, ['CZ T', 'TDCZ T', 'CZ T', 'TDCZ T', 'CZ I', 'TDCZ I', 'CZ T', 'TEZ E', 'EZ E', 'CZ I', 'TDCZ I']);
  });
});

test('a named statement that is used before its Parse is answered runs all the same', async () => {
  await session(async (client) => {
    client.parse('insert into bumps default values returning 6', 'early');
    client.sync();
    run(client, 'early');
    client.sync();
    assert.equal((await answer(client)).letters, '1Z');
    assert.deepEqual((await answer(client)).rows, [['6']]);
  });
});

test('relations that do not exist, several in a batch, get their errors', async () => {
  await session(async (client) => {
    client.parse('select * from not_here_1');
    run(client);
    client.parse('select * from not_here_2');
    run(client);
    client.sync();
    assert.equal(firstError((await answer(client)).messages)?.['C'], '42P01');
    await simple(client, 'create temp table t1 (n int); create temp table t2 (n int)');
    const { letters } = await batch(client, () => {
      client.parse('select * from t1');
      run(client);
      client.parse('select * from t2');
      run(client);
    });
    assert.equal(letters, '12TC12TCZ');
  });
});

test('COPY in and out by the extended protocol, with a Sync before and after the data', async () => {
  await session(async (client) => {
    await simple(client, 'create table if not exists copied (n int)');
    for (const syncFirst of [true, false]) {
      client.parse('copy copied from stdin');
      client.bind();
      client.execute();
      if (syncFirst) client.sync();
      else client.flush();
      await client.readUntil('G');
      client.copyData('1\n2\n');
      client.copyDone();
      client.sync();
      const { letters } = await answer(client);
      assert.equal(letters, 'CZ');
      // The session goes on, at both nodes.
      assert.deepEqual(await simple(client, 'select 1'), [['1']]);
      assert.deepEqual(await simple(client, 'insert into copied values (3) returning n'), [['3']]);
    }
    const out = await batch(client, () => { client.parse('copy (select 1) to stdout'); client.bind(); client.execute(); });
    assert.equal(out.letters, '12HdcCZ');
    assert.deepEqual(await simple(client, 'select 2'), [['2']]);
    await simple(client, 'drop table copied');
  });
});

test('a COPY that is sent blindly in one go, and one that fails, leave the session usable', async () => {
  await session(async (client) => {
    await simple(client, 'create temp table copied (n int)');
    client.parse('copy copied from stdin');
    client.bind();
    client.execute();
    client.copyData('1\n');
    client.copyDone();
    client.sync();
    assert.equal((await answer(client)).letters, '12GCZ');
    assert.deepEqual(await simple(client, 'select 1'), [['1']]);
    client.query('copy copied from stdin');
    await client.readUntil('G');
    client.copyFail('no more');
    assert.equal((await answer(client)).letters, 'EZ');
    client.query('copy copied from stdin');
    await client.readUntil('G');
    client.copyData('nonsense\n');
    client.copyDone();
    assert.equal((await answer(client)).letters, 'EZ');
    assert.deepEqual(await simple(client, 'select count(*) from copied'), [['1']]);
  });
});

test('a function call by the protocol goes to the primary', async () => {
  await session(async (client) => {
    await simple(client, 'select 1');
    // 1397 = pg_catalog.abs(int4)
    client.functionCall(1397, ['-5']);
    const messages = await client.readUntil('Z');
    assert.equal(messages.map(({ type }) => type).join(''), 'VZ');
    assert.deepEqual(await simple(client, 'select 1'), [['1']]);
  });
});
