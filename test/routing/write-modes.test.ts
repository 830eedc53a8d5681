/** disable_load_balance_on_write in the modes that look at tables. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { withClient } from '../support/pgloom.js';
import { nodesOf, readerIsNode1, withPgloom } from './where.js';

const adaptive = { ...readerIsNode1, disable_load_balance_on_write: 'dml_adaptive' };

/** Which node reads this. */
async function nodeOf(client: Client, sql: string): Promise<number | undefined> {
  return (await nodesOf(client, sql))[0];
}

test('dml_adaptive keeps only the tables written in the transaction on the primary, until its end', async () => {
  await withPgloom(adaptive, (pgloom) => withClient(pgloom, async (client) => {
    for (const write of ['insert into bumps default values', 'update bumps set at = at where false', 'delete from public.bumps where false',
      'with w as (delete from bumps where false returning 1) select count(*) from w', 'merge into bumps b using (select 1) s on false when matched then delete']) {
      for (const end of ['commit', 'rollback']) {
        await client.query('begin');
        assert.equal(await nodeOf(client, 'select count(*) from bumps'), 1, write);
        await client.query(write);
        assert.equal(await nodeOf(client, 'select count(*) from bumps'), 0, write);
        assert.equal(await nodeOf(client, 'select count(*) from items i where exists (select from public.bumps)'), 0, write);
        assert.equal(await nodeOf(client, 'select count(*) from items'), 1, write);
        await client.query(end);
        assert.equal(await nodeOf(client, 'select count(*) from bumps'), 1, write);
      }
    }
  }));
});

test('dml_adaptive does not keep what was only read by a write', async () => {
  await withPgloom(adaptive, (pgloom) => withClient(pgloom, async (client) => {
    await client.query('begin');
    await client.query('insert into bumps (at) select now() from items where false');
    assert.equal(await nodeOf(client, 'select count(*) from items'), 1);
    await client.query('rollback');
  }));
});

test('dml_adaptive keeps every read after a write that cannot be named', async () => {
  await withPgloom(adaptive, (pgloom) => withClient(pgloom, async (client) => {
    for (const write of ['select bump()', 'create table dml_unknown (n int)', 'alter table bumps set (fillfactor = 90)']) {
      await client.query('begin');
      await client.query(write);
      assert.equal(await nodeOf(client, 'select count(*) from items'), 0, write);
      await client.query('rollback');
      await client.query('discard all');
    }
  }));
});

test('dml_adaptive follows dml_adaptive_object_relationship_list, by any number of steps and for functions', async () => {
  const settings = { ...adaptive, dml_adaptive_object_relationship_list: 'bumps:item_names,item_names:"pgbench_branches",clock_timestamp():pgbench_tellers,items:stable_one()' };
  await withPgloom(settings, (pgloom) => withClient(pgloom, async (client) => {
    await client.query('begin');
    await client.query('insert into bumps default values');
    assert.equal(await nodeOf(client, 'select count(*) from item_names'), 0);
    assert.equal(await nodeOf(client, 'select count(*) from pgbench_branches'), 0);
    assert.equal(await nodeOf(client, 'select count(*) from pgbench_tellers'), 1);
    await client.query('select clock_timestamp()');
    assert.equal(await nodeOf(client, 'select count(*) from pgbench_tellers'), 0);
    assert.equal(await nodeOf(client, 'select stable_one()'), 1);
    await client.query('update items set name = name where false');
    assert.equal(await nodeOf(client, 'select stable_one()'), 0);
    await client.query('rollback');
    assert.equal(await nodeOf(client, 'select count(*) from item_names'), 1);
  }));
});

test('dml_adaptive holds in the extended protocol, also for what was prepared before', async () => {
  await withPgloom(adaptive, (pgloom) => withClient(pgloom, async (client) => {
    const read = { name: 'read_bumps', text: 'select count(*) from bumps where id > $1', values: [0] };
    await client.query(read);
    await client.query('begin');
    const before = Number((await client.query<{ count: string }>(read)).rows[0]?.count);
    await client.query({ name: 'write_bumps', text: 'insert into bumps (at) values ($1)', values: ['2020-01-01'] });
    assert.equal(Number((await client.query<{ count: string }>(read)).rows[0]?.count), before + 1);
    await client.query('rollback');
  }));
});

test('dml_adaptive_global keeps tables that anybody wrote on the primary for a while', async () => {
  const settings = {
    ...readerIsNode1, disable_load_balance_on_write: 'dml_adaptive_global', track_table_mutation_cold_start_duration: 0,
    track_table_mutation_ttl_factor: 1, worker_threads: 2,
  };
  await withPgloom(settings, async (pgloom) => {
    await withClient(pgloom, (writer) => withClient(pgloom, async (reader) => {
      await reader.query('select count(*) from bumps'); // its facts are known from here on
      await writer.query('insert into bumps default values');
      assert.equal(await nodeOf(reader, 'select count(*) from bumps'), 0);
      assert.equal(await nodeOf(reader, 'select count(*) from items'), 1);
      while (await nodeOf(reader, 'select count(*) from bumps') !== 1) await sleep(20);
    }));
  });
});

test('dml_adaptive_global: a row is never missed by another session, however fast it asks', async () => {
  const settings = { ...readerIsNode1, disable_load_balance_on_write: 'dml_adaptive_global', track_table_mutation_cold_start_duration: 0, worker_threads: 2 };
  await withPgloom(settings, async (pgloom) => {
    await withClient(pgloom, (writer) => withClient(pgloom, async (reader) => {
      for (let round = 0; round < 100; round++) {
        const { rows } = await writer.query<{ id: number }>('insert into bumps default values returning id');
        const found = await reader.query('select 1 from bumps where id = $1', [rows[0]?.id]);
        assert.equal(found.rowCount, 1, `round ${round}`);
      }
    }));
  });
});

test('dml_adaptive_global: after the start all reads of tables go to the primary for a while', async () => {
  const settings = { ...readerIsNode1, disable_load_balance_on_write: 'dml_adaptive_global', track_table_mutation_cold_start_duration: '60s' };
  await withPgloom(settings, (pgloom) => withClient(pgloom, async (client) => {
    assert.equal(await nodeOf(client, 'select count(*) from items'), 0);
    assert.equal(await nodeOf(client, 'select 1'), 1);
  }));
});

test('a write whose session is gone before it commits is nobody’s reason to read there for ever', async () => {
  const settings = { ...readerIsNode1, disable_load_balance_on_write: 'dml_adaptive_global', track_table_mutation_cold_start_duration: 0 };
  await withPgloom(settings, async (pgloom) => {
    await withClient(pgloom, async (writer) => {
      await writer.query('begin');
      await writer.query('insert into bumps default values');
    });
    await withClient(pgloom, async (reader) => {
      while (await nodeOf(reader, 'select count(*) from bumps') !== 1) await sleep(20);
    });
  });
});
