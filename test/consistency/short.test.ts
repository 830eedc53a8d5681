/** The short form of bench/consistency. */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ledger } from '../../bench/consistency/ledger.js';
import { createSchema, dropSchema, type RunSql } from '../../bench/consistency/schema.js';
import type { Rows, Tamper } from '../../bench/consistency/session.js';
import { Sightings } from '../../bench/consistency/sightings.js';
import { Soak, scenarioNames, type SoakOptions } from '../../bench/consistency/soak.js';
import { queryServer } from '../../src/main/demo/sql.js';
import { sharedCluster } from '../support/cluster.js';
import { startPgloom, type Pgloom } from '../support/pgloom.js';

const limitMs = 10_000;
const { nodes } = sharedCluster();
const primary = nodes[0] as (typeof nodes)[number];
let pgloom: Pgloom;

function ask(node: number, sql: string, database = 'postgres'): Promise<Record<string, unknown>[]> {
  const { host, port } = nodes[node] as (typeof nodes)[number];
  return queryServer({ host, port, user: 'postgres', database }, sql);
}

const runSql: RunSql = (sql, database) => ask(0, sql, database);

async function waitForReplay(): Promise<void> {
  const [row] = await ask(0, 'select pg_current_wal_lsn()::text as lsn');
  for (let node = 1; node < nodes.length; node++) {
    while ((await ask(node, `select pg_last_wal_replay_lsn() >= '${String(row?.['lsn'])}' as done`))[0]?.['done'] !== true) await sleep(50);
  }
}

before(async () => {
  await createSchema(runSql);
  await waitForReplay();
  pgloom = await startPgloom({ settings: { num_init_children: 40, worker_threads: 2 } });
});

after(async () => {
  await pgloom.stop();
  await dropSchema(runSql);
});

function soak(options: Partial<SoakOptions>): Promise<Ledger> {
  return new Soak({ port: pgloom.port, primaryPort: primary.port, queries: 1e9, limitMs, ...options }).run();
}

it('writers and readers that come and go get no wrong row', async (t) => {
  const long = new Soak({ port: pgloom.port, primaryPort: primary.port, queries: 1e9, limitMs, clients: 12 });
  const ledger = await long.run();
  t.diagnostic(JSON.stringify({ queries: ledger.queries, transactions: ledger.transactions, checks: ledger.checks, sessions: ledger.sessions }));
  assert.deepEqual(ledger.wrong, []);
  assert.deepEqual([...ledger.errors], []);
  for (const { id, port } of nodes) assert.ok((long.readsByPort.get(port) ?? 0) > 0, `no read went to node ${id}`);
  for (const name of scenarioNames) assert.ok((ledger.byScenario.get(name) ?? 0) > 0, `${name} was not run`);
});

/** Every third answer is the one before it, whoever got that. */
function mixUp(): Tamper {
  let last: Rows = [];
  let count = 0;
  return (rows) => {
    const given = count++ % 3 === 2 ? last : rows;
    last = rows;
    return given;
  };
}

for (const name of scenarioNames) {
  it(`an answer that belongs to another question is noticed by ${name}`, async () => {
    const ledger = await soak({ only: [name], clients: 3, queries: 400, tamper: mixUp() });
    assert.ok(ledger.wrong.length > 0, `${ledger.checks} checks found nothing`);
  });
}

it('rows that go back, are late on the primary or come too early are noticed', () => {
  const sightings = new Sightings(1);
  for (let n = 0; n < 3; n++) sightings.beginWrite(1);
  sightings.endWrite(1, 3);
  const least = sightings.beginRead();
  assert.equal(least(1)[0], 3, 'the primary has what was acknowledged');
  assert.equal(least(2)[0], 0, 'a standby may be behind');
  assert.equal(sightings.endRead(2, [2])[0], 3, 'nobody can see more than was begun');
  assert.equal(sightings.beginRead()(2)[0], 2, 'a standby never goes back');
  assert.equal(least(2)[0], 0, 'what was seen meanwhile does not count');
});
