/** Reads and writes inside transactions. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client, type ClientConfig } from 'pg';
import { sharedCluster } from '../support/cluster.js';
import { eventuallyEqual } from '../support/eventually.js';
import { type Pgloom, startPgloom, withClient } from '../support/pgloom.js';
import { nodesOf, readerIsNode1, where, withPgloom } from './where.js';

let pgloom: Pgloom;
before(async () => {
  pgloom = await startPgloom({ settings: { num_init_children: 16, ...readerIsNode1 } });
});
after(() => pgloom.stop());

const session = <T>(use: (client: Client) => Promise<T>, config: ClientConfig = {}): Promise<T> => withClient(pgloom, use, config);

/** What the reader's backends of this application do, asked at the reader itself. */
async function statesAtReader(application: string): Promise<string[]> {
  const node = sharedCluster().nodes[1];
  assert.ok(node !== undefined);
  return withClient(node, async (client) => {
    const { rows } = await client.query<{ state: string }>('select state from pg_stat_activity where application_name = $1', [application]);
    return rows.map((row) => row.state);
  });
}

/** The coming statement ends a transaction on the reader a moment after the client has its answer. */
async function waitForStates(application: string, expected: readonly string[]): Promise<void> {
  await eventuallyEqual(expected, () => statesAtReader(application));
}

test('a read before the first write of a transaction goes to the reader, reads after it to the primary', async () => {
  await session(async (client) => {
    await client.query('begin');
    assert.equal(await where(client), 1);
    await client.query('insert into bumps default values');
    assert.equal(await where(client), 0);
    await client.query('commit');
    assert.equal(await where(client), 1);
  });
});

for (const end of ['commit', 'rollback', 'end', 'abort']) {
  test(`the transaction that the reader was given is over there after ${end}`, async () => {
    const application = `tx-${end}`;
    await session(async (client) => {
      await client.query('begin');
      assert.equal(await where(client), 1);
      await waitForStates(application, ['idle in transaction']);
      await client.query('insert into bumps default values');
      await client.query(end);
      await waitForStates(application, ['idle']);
      assert.equal(await where(client), 1);
    }, { application_name: application });
  });
}

test('a client that vanishes in a transaction leaves none open on the reader', async () => {
  const client = new Client({ host: pgloom.host, port: pgloom.port, user: 'postgres', database: 'test', application_name: 'tx-vanish' });
  client.on('error', () => undefined);
  await client.connect();
  await client.query('begin');
  assert.equal(await where(client), 1);
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
  await waitForStates('tx-vanish', []);
});

test('a read that fails on the reader fails the transaction, and nothing of it remains', async () => {
  await session(async (client) => {
    const before = await client.query<{ n: string }>('select count(*) as n from bumps');
    await client.query('begin');
    await assert.rejects(client.query('select 1 / (id - id) from items'), /division by zero/);
    await assert.rejects(client.query('select 1'), { code: '25P02' });
    await assert.rejects(client.query('insert into bumps default values'), { code: '25P02' });
    assert.equal((await client.query('commit')).command, 'ROLLBACK');
    assert.deepEqual((await client.query('/* at the primary */ select count(*) as n from bumps')).rows, before.rows);
    assert.equal(await where(client), 1);
  });
});

test('a write that fails on the primary fails the reads after it, too', async () => {
  await session(async (client) => {
    await client.query('begin');
    assert.equal(await where(client), 1);
    await assert.rejects(client.query('insert into items values (1, $1)', ['twice']), { code: '23505' });
    await assert.rejects(client.query('select 1'), { code: '25P02' });
    await client.query('rollback');
    assert.equal(await where(client), 1);
  });
});

for (const begin of ['begin isolation level repeatable read', 'start transaction isolation level serializable', 'begin isolation level repeatable read read only']) {
  test(`all of a transaction stays on the primary after ${begin}`, async () => {
    await session(async (client) => {
      assert.deepEqual(await nodesOf(client, begin), [0]);
      assert.equal(await where(client), 0);
      await client.query('commit');
      assert.equal(await where(client), 1);
    });
  });
}

for (const set of ['set transaction isolation level repeatable read', 'set transaction_isolation = serializable']) {
  test(`all of a transaction stays on the primary after ${set}`, async () => {
    await session(async (client) => {
      await client.query('begin');
      await client.query(set);
      assert.equal(await where(client), 0);
      await client.query('commit');
    });
  });
}

for (const set of [
  "set default_transaction_isolation = 'serializable'", "set default_transaction_isolation to 'repeatable read'",
  'set session characteristics as transaction isolation level serializable',
]) {
  test(`no read leaves the primary after ${set}`, async () => {
    await session(async (client) => {
      await client.query(set);
      assert.equal(await where(client), 0);
      await client.query('begin');
      assert.equal(await where(client), 0);
      await client.query('commit');
    });
  });
}

test('a session that starts with a default isolation above read committed reads from the primary', async () => {
  await session(async (client) => {
    assert.equal(await where(client), 0);
    await client.query('discard all');
    assert.equal(await where(client), 0);
  }, { options: '-c default_transaction_isolation=serializable' });
});

test('after a savepoint the transaction stays on the primary, and rolling back to it works', async () => {
  await session(async (client) => {
    await client.query('begin');
    assert.equal(await where(client), 1);
    await client.query('savepoint a');
    assert.equal(await where(client), 0);
    await client.query("insert into items values (1001, 'saved')");
    await assert.rejects(client.query('select 1 / (id - id) from items'));
    await client.query('rollback to a');
    assert.equal((await client.query('select * from items where id = 1001')).rowCount, 0);
    await client.query('release a');
    await client.query('commit');
    assert.equal(await where(client), 1);
  });
});

test('a transaction that was opened in a longer string stays on the primary', async () => {
  await session(async (client) => {
    await client.query('begin; select 1');
    assert.equal(await where(client), 0);
    await client.query('commit');
    assert.equal(await where(client), 1);
    await client.query('begin');
    await client.query('commit and chain');
    assert.equal(await where(client), 0);
    await client.query('rollback');
    assert.equal(await where(client), 1);
  });
});

test('a transaction that is prepared for two phases leaves none open on the reader', async () => {
  await session(async (client) => {
    await client.query('begin');
    assert.equal(await where(client), 1);
    await assert.rejects(client.query("prepare transaction 'p'"), /prepared transactions are disabled/);
    await client.query('rollback');
    await waitForStates('tx-prepare', ['idle']);
  }, { application_name: 'tx-prepare' });
});

test('a function that writes, a lock and set_config keep the rest of the transaction on the primary', async () => {
  for (const sql of ["select nextval('ticket')", 'select pg_advisory_xact_lock(5)', "select set_config('search_path', 'pg_catalog', true)", 'set local search_path = pg_catalog']) {
    await session(async (client) => {
      await client.query('begin');
      await client.query(sql);
      assert.equal(await where(client), 0, sql);
      await client.query('commit');
      assert.equal(await where(client), 1, sql);
    });
  }
});

test('BEGIN READ ONLY is read only on the reader as well', async () => {
  await session(async (client) => {
    await client.query('begin read only');
    assert.equal(await where(client), 1);
    await assert.rejects(client.query('insert into bumps default values'), { code: '25006' });
    await client.query('rollback');
  });
});

async function readsAfterWrites(mode: string): Promise<number[]> {
  return withPgloom({ ...readerIsNode1, disable_load_balance_on_write: mode }, (own) => withClient(own, async (client) => {
    const seen: number[] = [];
    const next = async (): Promise<void> => { seen.push(await where(client)); };
    await client.query('begin');
    await next(); // 0: in a transaction, before its first write
    await client.query('insert into bumps default values');
    await next(); // 1: after it
    await client.query('commit');
    await next(); // 2: outside
    await client.query('begin');
    await next(); // 3: in the transaction after that
    await client.query('commit');
    await client.query('insert into bumps default values');
    await next(); // 4: after a write of its own
    return seen;
  }));
}

for (const [mode, expected] of [
  ['off', [1, 1, 1, 1, 1]], ['transaction', [1, 0, 1, 1, 1]], ['trans_transaction', [1, 0, 1, 0, 1]], ['always', [1, 0, 0, 0, 0]],
] as const) {
  test(`disable_load_balance_on_write = ${mode} does what it says`, async () => {
    assert.deepEqual(await readsAfterWrites(mode), expected);
  });
}

test('with disable_load_balance_on_write = off, what is set for the transaction alone still holds for its reads', async () => {
  await withPgloom({ ...readerIsNode1, disable_load_balance_on_write: 'off' }, (own) => withClient(own, async (client) => {
    for (const sql of ["set local search_path = 'of_transaction'", "set search_path = 'of_transaction'", "select set_config('search_path', 'of_transaction', true)"]) {
      await client.query('begin');
      await client.query(sql);
      assert.deepEqual((await client.query("select current_setting('search_path') as path")).rows, [{ path: 'of_transaction' }], sql);
      await client.query('rollback');
      assert.deepEqual((await client.query("select current_setting('search_path') as path")).rows, [{ path: '"$user", public' }], sql);
    }
    await client.query('begin');
    await client.query('set transaction isolation level repeatable read');
    assert.equal(await where(client), 0);
    await client.query('commit');
  }));
});
