/** SHOW POOL_POOLS of a large pgloom: given piece by piece, to clients that read slowly or not at all. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Pgloom, startPgloom, withClient } from '../support/pgloom.js';
import { WireClient } from '../support/wire.js';

let pgloom: Pgloom;
before(async () => {
  pgloom = await startPgloom({ settings: { num_init_children: 3000, worker_threads: 2, max_pool: 4, unix_socket_directories: '' } });
});
after(() => pgloom.stop());

const rowCount = 3000 * 4 * 3;

test('all rows come, and what is asked behind them is answered behind them', () => withClient(pgloom, async (client) => {
  const [pools, one] = await Promise.all([client.query('show pool_pools'), client.query('select 1 as one')]);
  assert.equal(pools.rows.length, rowCount);
  assert.deepEqual(one.rows, [{ one: 1 }]);
}));

test('a client that does not read holds up nobody, and gets the rest when it does', async () => {
  const slow = await WireClient.login(pgloom.port);
  slow.query('show pool_pools');
  slow.query('select 2');
  await sleep(300);
  await withClient(pgloom, (client) => client.query('select 1'));
  const messages = await slow.readUntil('Z');
  assert.equal(messages.filter(({ type }) => type === 'D').length, rowCount);
  assert.deepEqual((await slow.readUntil('Z')).map(({ type }) => type), ['T', 'D', 'C', 'Z']);
  slow.end();
});

test('clients that go away in the middle leave nothing behind', async () => {
  for (let i = 0; i < 5; i++) {
    const client = await WireClient.login(pgloom.port);
    client.query('show pool_pools');
    await client.readMessage();
    client.destroy();
  }
  await withClient(pgloom, (client) => client.query('select 1'));
});

test('in the extended protocol so many rows are refused, and the session goes on', () => withClient(pgloom, async (client) => {
  await assert.rejects(client.query({ text: 'show pool_pools', values: [], queryMode: 'extended' } as never), { code: '54000' });
  await client.query('select $1::int', [1]);
}));

test('a statement of another user is not shown', () => withClient(pgloom, async (owner) => {
  await owner.query('do $$ begin create role looker login; exception when duplicate_object then null; end $$');
  await owner.query("select 'a secret of mine'");
  const statements = async (user: string): Promise<string> => withClient(pgloom, async (client) => {
    const { rows } = await client.query<{ statement: string }>('show pool_pools');
    return rows.map(({ statement }) => statement).join('\n');
  }, { user });
  assert.match(await statements('postgres'), /a secret of mine/);
  assert.doesNotMatch(await statements('looker'), /a secret of mine/);
}));
