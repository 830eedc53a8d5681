/** PREPARE and EXECUTE by SQL: the primary has every statement, and what only reads is run on the reader. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Client } from 'pg';
import { type Pgloom, startPgloom, withClient } from '../support/pgloom.js';
import { nodesOf, readerIsNode1, where } from './where.js';

let pgloom: Pgloom;
before(async () => {
  pgloom = await startPgloom({ settings: { num_init_children: 16, ...readerIsNode1 } });
});
after(() => pgloom.stop());

const session = (use: (client: Client) => Promise<void>): Promise<void> => withClient(pgloom, use);

test('EXECUTE of a read goes to the reader, of a write to the primary', () => session(async (client) => {
  assert.deepEqual(await nodesOf(client, 'prepare one (int) as select name from items where id = $1'), [0]);
  assert.deepEqual(await nodesOf(client, 'execute one (7)'), [1]);
  assert.deepEqual(await nodesOf(client, 'execute one (8)'), [1]);
  assert.deepEqual((await client.query('execute one (9)')).rows, [{ name: 'item 9' }]);
  await client.query('prepare bumping as insert into bumps default values');
  assert.deepEqual(await nodesOf(client, 'execute bumping'), [0]);
  await client.query('prepare volatile as select volatile_one()');
  assert.deepEqual(await nodesOf(client, 'execute volatile'), [0]);
}));

test('in a transaction EXECUTE reads where its query would be read', () => session(async (client) => {
  await client.query('prepare counted as select count(*)::int as n from bumps');
  await client.query('begin');
  const before = (await client.query<{ n: number }>('execute counted')).rows[0]?.n ?? 0;
  await client.query('insert into bumps default values');
  assert.deepEqual((await client.query('execute counted')).rows, [{ n: before + 1 }]);
  await client.query('rollback');
  assert.deepEqual(await nodesOf(client, 'execute counted'), [1]);
}));

test('a function among the arguments keeps EXECUTE on the primary', () => session(async (client) => {
  await client.query('prepare echo (int) as select $1');
  assert.deepEqual(await nodesOf(client, 'execute echo (volatile_one())'), [0]);
}));

test('a statement prepared again under its name is the new one on the reader, too', () => session(async (client) => {
  await client.query('prepare changing as select 1 as n');
  assert.deepEqual((await client.query('execute changing')).rows, [{ n: 1 }]);
  await assert.rejects(client.query('prepare changing as select 2 as n'), { code: '42P05' });
  assert.deepEqual((await client.query('execute changing')).rows, [{ n: 1 }]);
  await client.query('deallocate changing');
  await assert.rejects(client.query('execute changing'), { code: '26000' });
  await client.query('prepare changing as select 3 as n');
  assert.deepEqual((await client.query('execute changing')).rows, [{ n: 3 }]);
  await client.query('deallocate all');
  await assert.rejects(client.query('execute changing'), { code: '26000' });
  await client.query('prepare changing as select 4 as n');
  await client.query('discard all');
  await assert.rejects(client.query('execute changing'), { code: '26000' });
}));

test('a PREPARE that fails, alone or among others, is not remembered', () => session(async (client) => {
  await assert.rejects(client.query('prepare broken as select nothing_of_that_name'), { code: '42703' });
  await assert.rejects(client.query('execute broken'), { code: '26000' });
  const several = await Promise.allSettled(['prepare a as select 1 as n', 'select 1/0', 'prepare b as select 2 as n'].map((sql) => client.query(sql)));
  assert.deepEqual(several.map(({ status }) => status), ['fulfilled', 'rejected', 'fulfilled']);
  assert.deepEqual((await client.query('execute a')).rows, [{ n: 1 }]);
  assert.deepEqual((await client.query('execute b')).rows, [{ n: 2 }]);
}));

test('a statement of the protocol runs by EXECUTE, and one of SQL by Bind, on either node', () => session(async (client) => {
  const named = { name: 'of_protocol', text: 'select $1::int as n', values: [1] };
  await client.query(named);
  assert.deepEqual((await client.query('execute of_protocol (5)')).rows, [{ n: 5 }]);
  await client.query('begin');
  await client.query('insert into bumps default values');
  assert.deepEqual((await client.query('execute of_protocol (6)')).rows, [{ n: 6 }]);
  await client.query('rollback');
  assert.equal(await where(client), 1);
}));

test('what was SET holds for EXECUTE on the reader', () => session(async (client) => {
  await client.query("prepare shown as select current_setting('search_path') as path");
  await client.query('execute shown');
  await client.query("set search_path = 'elsewhere'");
  assert.deepEqual((await client.query('execute shown')).rows, [{ path: 'elsewhere' }]);
}));

test('EXECUTE of a name that executes itself is answered by the server', () => session(async (client) => {
  await client.query({ name: 'itself', text: 'select $1::int', values: [1] });
  await assert.rejects(client.query('execute itself (1, 2)'), { code: '42601' });
  await assert.rejects(client.query({ name: 'circle', text: 'execute circle' }), { code: '54001' });
}));
