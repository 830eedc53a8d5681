/**
 * The relation cache of a real pgloom with two workers. The servers are this file's own: they log every statement, so
 * that it shows who is asked what, and one test stops their replay.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { type Cluster, startCluster } from '../../src/main/demo/cluster.js';
import { eventually } from '../support/eventually.js';
import { type Pgloom, withClient } from '../support/pgloom.js';
import { nodesOf, readerIsNode1, withPgloom } from './where.js';

const database = 'cached';
let cluster: Cluster;

before(async () => {
  cluster = await startCluster({ standbys: 1, settings: { log_statement: 'all' } });
  await cluster.query(0, `create database ${database}`);
});
after(() => cluster.stop());

/** Runs DDL on the primary, past pgloom, and waits until the standby has it. */
async function define(sql: string): Promise<void> {
  await cluster.query(0, sql, database);
  await cluster.waitForReplay();
}

/** How often the catalog of the node has been asked about the name. */
function questions(node: number, name: string): number {
  const lines = readFileSync(cluster.nodes[node]!.logFile, 'utf8').split('\n');
  return lines.filter((line) => line.includes('FROM (VALUES') && line.includes(`E'${name}'`)).length;
}

const { backend_weight2: _, ...reader } = readerIsNode1;

/** Two clients of one pgloom; as each worker has one child, they are served by different workers. */
async function withTwoWorkers(
  settings: Parameters<typeof withPgloom>[0], use: (one: Client, two: Client, pgloom: Pgloom) => Promise<void>,
): Promise<void> {
  await withPgloom({ ...reader, num_init_children: 2, worker_threads: 2, ...settings }, async (pgloom) => {
    await withClients(pgloom, (one, two) => use(one, two, pgloom));
  }, { nodes: cluster.nodes });
}

async function withClients(pgloom: Pgloom, use: (one: Client, two: Client) => Promise<void>): Promise<void> {
  await withClient(pgloom, (one) => withClient(pgloom, (two) => use(one, two), { database }), { database });
}

for (const shared of [true, false]) {
  const times = shared ? 'once' : 'once for each worker';
  test(`with enable_shared_relcache = ${shared ? 'on' : 'off'} the primary is asked ${times}`, async () => {
    const name = shared ? 'asked_once' : 'asked_twice';
    await define(`create table ${name} (id int); create view v_${name} as select * from ${name}`);
    await withTwoWorkers({ enable_shared_relcache: shared }, async (one, two) => {
      for (const client of [one, two, one, two]) {
        assert.deepEqual(await nodesOf(client, `select * from v_${name}`), [1]);
        assert.deepEqual(await nodesOf(client, `select count(*) from ${name} where id = $1`, [1]), [1]);
      }
    });
    assert.equal(questions(0, name), shared ? 1 : 2);
    assert.equal(questions(0, `v_${name}`), shared ? 1 : 2);
    assert.equal(questions(1, name), 0);
  });
}

const changes: readonly { readonly what: string; readonly before: string; readonly read: string; readonly change: string }[] = [
  { what: 'a table that becomes unlogged', before: 'create table turning (id int)', read: 'select * from turning', change: 'alter table turning set unlogged' },
  {
    what: 'a function that becomes volatile', before: "create function f_turning() returns int language sql stable as 'select 1'",
    read: 'select f_turning()', change: 'alter function f_turning() volatile',
  },
  {
    what: 'a view that now reads pg_class', before: "create view v_turning as select 'x'::text collate \"C\" as x",
    read: 'select * from v_turning', change: 'create or replace view v_turning as select relname::text as x from pg_class',
  },
  {
    what: 'a table under a view that is made anew, unlogged', before: 'create table base (id int); create view v_base as select * from base',
    read: 'select * from v_base', change: 'drop table base cascade; create unlogged table base (id int); create view v_base as select * from base',
  },
  {
    what: 'a table that gets a policy with a volatile function',
    before: "create function f_policy() returns int language sql volatile as 'select 1'; create table guarded (id int)",
    read: 'select * from guarded', change: 'create policy p on guarded using (f_policy() = 1); alter table guarded enable row level security',
  },
];


test('DDL through one worker changes the routes of another at once', async () => {
  for (const { before: definition } of changes) await define(definition);
  await withPgloom({ ...reader, num_init_children: 2, worker_threads: 2 }, async (pgloom) => {
    for (const { what, read, change } of changes) {
      await withClients(pgloom, async (one, two) => {
        for (const client of [one, two]) assert.deepEqual(await nodesOf(client, read), [1], `${what}, before`);
        for (const statement of change.split('; ')) await one.query(statement);
        assert.deepEqual(await nodesOf(two, read), [0], what);
      });
      // Neither worker has kept it elsewhere: whichever serves the next clients.
      await withClients(pgloom, async (one, two) => {
        for (const client of [one, two]) assert.deepEqual(await nodesOf(client, read), [0], what);
      });
    }
  }, { nodes: cluster.nodes });
});

test('DDL in a transaction changes the routes of others when it is committed, and not when it is rolled back', async () => {
  // Not of a table: its lock would keep others waiting, on the standby too.
  await define("create function f_pending() returns int language sql stable as 'select 1'");
  await withTwoWorkers({}, async (one, two) => {
    for (const [end, node] of [['rollback', 1], ['commit', 0]] as const) {
      await one.query('begin');
      await one.query('alter function f_pending() volatile');
      assert.deepEqual(await nodesOf(two, 'select f_pending()'), [1], `before ${end}`);
      await one.query(end);
      assert.deepEqual(await nodesOf(two, 'select f_pending()'), [node], end);
    }
  });
});

for (const [mode, nodeOfOthers] of [['catalog', 0], ['on', 0], ['trace', 1], ['none', 1], ['off', 1]] as const) {
  test(`check_temp_table = ${mode}: a temporary table is read where it is, others read the permanent one of its name on node ${nodeOfOthers}`, async () => {
    const name = `twin_${mode}`;
    await define(`create table ${name} (who text); insert into ${name} values ('permanent')`);
    await withTwoWorkers({ check_temp_table: mode }, async (one, two) => {
      const read = `select who from ${name}`;
      for (const client of [one, two]) assert.deepEqual(await nodesOf(client, read), [1]);
      await one.query(`create temp table ${name} as select 'temporary' as who`);
      assert.deepEqual((await one.query(read)).rows, [{ who: 'temporary' }]);
      assert.deepEqual(await nodesOf(one, read), [0]);
      // Both workers have to find out again what the name is now.
      await two.query(`create table other_${name} (id int)`);
      assert.deepEqual(await nodesOf(two, read), [nodeOfOthers]);
      assert.deepEqual((await two.query(read)).rows, [{ who: 'permanent' }]);
      assert.deepEqual(await nodesOf(one, read), [0]);
      await one.query('discard all');
      for (const client of [one, two]) assert.deepEqual(await nodesOf(client, read), [1], 'when the temporary table is gone');
    });
  });
}

for (const mode of ['catalog', 'trace', 'none'] as const) {
  test(`check_temp_table = ${mode}: a temporary table made by way of search_path is read where it is`, async () => {
    const name = `hidden_${mode}`;
    await define(`create table ${name} (who text)`);
    await withTwoWorkers({ check_temp_table: mode }, async (one) => {
      await one.query('set search_path = pg_temp, public');
      await one.query(`create table ${name} as select 'temporary' as who`);
      assert.deepEqual((await one.query(`select who from ${name}`)).rows, [{ who: 'temporary' }]);
    });
  });
}

test('relcache_query_target = load_balance_node asks the standby, and the primary about what the standby does not know', async () => {
  const names = Array.from({ length: 40 }, (_, i) => `elsewhere_${i}`);
  await define(names.map((name) => `create table ${name} (id int)`).join('; '));
  await withTwoWorkers({ relcache_query_target: 'load_balance_node' }, async (one) => {
    let asked = 0;
    for (const name of names) {
      assert.deepEqual(await nodesOf(one, `select * from ${name}`), [1]);
      assert.equal(questions(0, name) + questions(1, name), 1);
      asked += questions(1, name);
      if (asked >= 3) break;
      // Until the standby has what the primary had written when it was asked first, the primary answers.
      if (asked === 0) await sleep(100);
    }
    assert.ok(asked >= 3, `the standby answered ${asked} times`);
    await assert.rejects(one.query('select * from nowhere_at_all'), /does not exist/);
    assert.deepEqual([questions(0, 'nowhere_at_all'), questions(1, 'nowhere_at_all')], [1, 1]);
  });
});

test('with relcache_query_target = load_balance_node a standby that has not seen the DDL yet is not believed', async () => {
  await define("create table late (id int); create table early (id int); create function f_late() returns int language sql stable as 'select 1'");
  await withTwoWorkers({ relcache_query_target: 'load_balance_node', delay_threshold: 0 }, async (one, two) => {
    for (const client of [one, two]) assert.deepEqual(await nodesOf(client, 'select f_late() from late'), [1]);
    await cluster.query(1, 'select pg_wal_replay_pause()');
    try {
      await one.query('alter table late set unlogged');
      await one.query('alter function f_late() volatile');
      const before = questions(1, 'late');
      for (const client of [one, two]) {
        assert.deepEqual(await nodesOf(client, 'select * from late'), [0]);
        assert.deepEqual(await nodesOf(client, 'select * from early'), [1]);
        assert.deepEqual(await nodesOf(client, 'select f_late()'), [0]);
      }
      assert.equal(questions(1, 'late'), before);
    } finally {
      await cluster.query(1, 'select pg_wal_replay_resume()');
      await cluster.waitForReplay();
    }
  });
});

test('a reload makes all workers forget what they know, so that DDL that went past pgloom is noticed', async () => {
  await define('create table passed_by (id int)');
  await withTwoWorkers({}, async (one, two, pgloom) => {
    const read = 'select * from passed_by';
    for (const client of [one, two]) assert.deepEqual(await nodesOf(client, read), [1]);
    await define('alter table passed_by set unlogged');
    pgloom.signal('SIGHUP');
    for (const client of [one, two]) {
      // Until the reload has come through the standby is asked for it, and cannot read it.
      const node = async (): Promise<number | undefined> => (await nodesOf(client, read).catch(() => []))[0];
      await eventually('the table is read at the primary', async () => await node() === 0);
    }
  });
});
