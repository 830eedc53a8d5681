/** Which statements leave the primary, outside transactions. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from 'pg';
import { type Pgloom, startPgloom, withClient } from '../support/pgloom.js';
import { nodesOf, readerIsNode1, where, withPgloom } from './where.js';

let pgloom: Pgloom;
before(async () => {
  pgloom = await startPgloom({ settings: { num_init_children: 16, ...readerIsNode1 } });
});
after(() => pgloom.stop());

const session = <T>(use: (client: Client) => Promise<T>): Promise<T> => withClient(pgloom, use);

const balanced: readonly string[] = [
  'select 1', 'SELECT count(*) FROM items', 'select name from items where id = 1', 'with a as (select * from items) select count(*) from a',
  'table items', 'copy items to stdout', 'copy (select 1) to stdout', 'show search_path', 'select immutable_one(), stable_one()', '  \n select 1',
  'select * from item_names limit 1', 'select upper(name), now() from items limit 1', '(select 1) union (select 2)', ';', '',
];

const primary: readonly string[] = [
  'values (1)', 'select * from items for update', 'select * from items where id = 1 for share', 'select volatile_one()', 'select bump()',
  'select nextval(\'ticket\')', 'select random()', 'select clock_timestamp()', 'select * from pg_class limit 1', 'select count(*) from pg_catalog.pg_proc',
  'select count(*) from information_schema.tables', 'select * from unlogged_items', 'explain select 1', '/* a comment */ select 1', '-- a comment\nselect 1',
  'insert into bumps default values', 'update items set name = name where id = -1', 'delete from items where id = -1', 'lock table bumps',
  'vacuum bumps', 'select 1; select 2', 'with w as (insert into bumps default values returning 1) select * from w', 'select pg_advisory_lock(77), pg_advisory_unlock(77)',
  'declare c cursor with hold for select 1', 'fetch all from c', 'close c', 'listen channel_a', 'notify channel_a', 'checkpoint',
  'prepare by_sql as select 1', 'execute by_sql', 'deallocate by_sql', 'select txid_current()',
];

test('plain reads go to the reader', async () => {
  for (const sql of balanced) {
    await session(async (client) => {
      if (sql.startsWith('copy')) return; // the pg driver knows no COPY; test/drivers has it
      assert.deepEqual(await nodesOf(client, sql), [1], sql);
    });
  }
});

test('everything that is not proven read-only goes to the primary', async () => {
  await session(async (client) => {
    for (const sql of primary) {
      if (sql.startsWith('lock')) await client.query('begin');
      assert.deepEqual(await nodesOf(client, sql), [0], sql);
      if (sql.startsWith('lock')) await client.query('rollback');
    }
  });
});

test('each of these statements goes to the primary from a new session, too', async () => {
  const alone = primary.filter((sql) => !/^(fetch|close|execute|deallocate|lock|vacuum|checkpoint)/.test(sql));
  for (const sql of alone) {
    await session(async (client) => {
      assert.deepEqual(await nodesOf(client, sql), [0], sql);
    });
  }
});

test('a built-in volatile function leaves later reads balanced, a volatile function of a user does not', async () => {
  await session(async (client) => {
    await client.query('select random()');
    assert.equal(await where(client), 1);
    await client.query('select volatile_one()');
    assert.equal(await where(client), 0);
    await client.query('discard all');
    assert.equal(await where(client), 1);
  });
});

test('a relation that does not exist is asked for at the primary, alone or several in one batch', async () => {
  await session(async (client) => {
    await assert.rejects(client.query('select * from nowhere_to_be_found'), /nowhere_to_be_found.*does not exist/);
    await assert.rejects(client.query('select * from nowhere_a, nowhere_b where 1 = $1', [1]), /does not exist/);
    assert.equal(await where(client), 1);
  });
});

test('a temporary table and a view over it are read on the primary, where they are', async () => {
  await session(async (client) => {
    await client.query('create temp table mine (n int)');
    await client.query('insert into mine values (1)');
    assert.deepEqual((await client.query('select n from mine')).rows, [{ n: 1 }]);
    await client.query('create temp view mine_too as select n from mine');
    assert.deepEqual((await client.query('select n from mine_too')).rows, [{ n: 1 }]);
  });
  await session(async (client) => {
    await client.query('select 1 as one into temp table selected_into');
    assert.deepEqual((await client.query('select one from selected_into')).rows, [{ one: 1 }]);
  });
});

test('a temporary table that hides a table of the same name is the one that is read', async () => {
  await session((client) => client.query('select count(*) from items'));
  await session(async (client) => {
    await client.query('create temp table items (id int)');
    assert.deepEqual((await client.query('select count(*)::int as n from items')).rows, [{ n: 0 }]);
  });
  await session(async (client) => {
    assert.deepEqual((await client.query('select count(*)::int as n from items')).rows, [{ n: 100 }]);
  });
});

test('views over unlogged tables, temporary tables and volatile functions are read on the primary', async () => {
  await session(async (client) => {
    await client.query(`create schema views_test;
      create view views_test.of_unlogged as select * from unlogged_items;
      create view views_test.of_view as select * from views_test.of_unlogged;
      create view views_test.of_volatile as select bump() as n;
      create view views_test.of_catalog as select relname from pg_class;
      create view views_test.harmless as select name from item_names`);
  });
  try {
    for (const view of ['of_unlogged', 'of_view', 'of_volatile', 'of_catalog']) {
      await session(async (client) => assert.deepEqual(await nodesOf(client, `select * from views_test.${view}`), [0], view));
    }
    await session(async (client) => {
      // The view is new: the reader may not have it yet.
      for (let tries = 0; tries < 100; tries++) {
        const found = await client.query("select to_regclass('views_test.harmless') is not null as here");
        if ((found.rows[0] as { here: boolean }).here) break;
      }
      assert.deepEqual(await nodesOf(client, 'select count(*) from views_test.harmless'), [1]);
    });
  } finally {
    await session((client) => client.query('drop schema views_test cascade'));
  }
});

test('a table that becomes unlogged, and a function that becomes volatile, are noticed', async () => {
  await session((client) => client.query(`create table changing (n int);
    create function changes() returns int language sql immutable as 'select 1'`));
  try {
    await session(async (client) => {
      await client.query('select count(*) from changing where n = 1').catch(() => undefined);
      await client.query('select changes()').catch(() => undefined);
    });
    await session(async (client) => {
      await client.query('alter table changing set unlogged');
      await client.query('alter function changes() volatile');
    });
    await session(async (client) => {
      assert.deepEqual(await nodesOf(client, 'select count(*) from changing where n = 1'), [0]);
      assert.deepEqual(await nodesOf(client, 'select changes()'), [0]);
    });
  } finally {
    await session((client) => client.query('drop table changing; drop function changes()'));
  }
});

test('with allow_sql_comments a comment does not keep a read on the primary', async () => {
  await withPgloom({ ...readerIsNode1, allow_sql_comments: true }, (own) => withClient(own, async (client) => {
    assert.deepEqual(await nodesOf(client, '/* a comment */ select 1'), [1]);
    assert.deepEqual(await nodesOf(client, '-- a comment\nselect 1'), [1]);
    assert.deepEqual(await nodesOf(client, '/* a comment */ insert into bumps default values'), [0]);
  }));
});

test('ignore_leading_white_space and primary_routing_query_pattern_list are obeyed', async () => {
  const settings = { ...readerIsNode1, ignore_leading_white_space: false, primary_routing_query_pattern_list: 'select .*items.*;select 42' };
  await withPgloom(settings, (own) => withClient(own, async (client) => {
    assert.deepEqual(await nodesOf(client, '  \n select 1'), [0]);
    assert.deepEqual(await nodesOf(client, 'SELECT 42'), [0]);
    assert.deepEqual(await nodesOf(client, 'select 421'), [1]);
    assert.deepEqual(await nodesOf(client, 'select count(*) from items'), [0]);
    assert.deepEqual(await nodesOf(client, 'select count(*) from items where id = $1', [1]), [0]);
  }));
});

test('without load_balance_mode everything goes to the primary', async () => {
  await withPgloom({ ...readerIsNode1, load_balance_mode: false }, (own) => withClient(own, async (client) => {
    for (const sql of ['select 1', 'insert into bumps default values', 'begin', 'select 2', 'commit']) {
      assert.deepEqual(await nodesOf(client, sql), [0], sql);
    }
  }));
});

test('in raw mode everything goes to the lowest node', async () => {
  await withPgloom({ ...readerIsNode1, backend_clustering_mode: 'raw' }, (own) => withClient(own, async (client) => {
    for (const sql of ['select 1', 'insert into bumps default values', 'begin', 'select 2', 'commit', 'select 3']) {
      assert.deepEqual(await nodesOf(client, sql), [0], sql);
    }
  }));
});
