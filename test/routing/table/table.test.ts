/** The table of rows-*.ts against pgloom: each statement reaches the node or nodes that its row names. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Pgloom, startPgloom } from '../../support/pgloom.js';
import type { WireClient } from '../../support/wire.js';
import { readerIsNode1 } from '../where.js';
import { createRowDatabase, dropRowDatabase } from './fixtures.js';
import { firstValue, logIn, nameOf, nodesNoticed, play } from './play.js';
import { allRows, describeStart, starts, type Start } from './all-rows.js';
import { describeRow, type Row } from './row.js';

const database = 'row_pgloom';

before(() => createRowDatabase(database));
after(() => dropRowDatabase(database));

it('has at least 400 statements', () => {
  assert.ok(allRows.length >= 400);
});

describe('pgloom sends', { concurrency: 2 }, () => {
  for (const start of starts) describe(describeStart(start), { concurrency: 2 }, () => testStart(start));
});

function testStart({ settings, groups }: Start): void {
  let pgloom: Pgloom;
  before(async () => {
    pgloom = await startPgloom({ settings: { num_init_children: 8, worker_threads: 1, ...readerIsNode1, ...settings } });
  });
  after(() => pgloom.stop());
  for (const { topic, rows } of groups) {
    describe(topic, { concurrency: 3 }, () => {
      for (const [number, row] of rows.entries()) {
        it(describeRow(row), row.todo === null ? {} : { todo: row.todo }, () => testRow(pgloom, row, number));
      }
    });
  }
}

async function testRow(pgloom: Pgloom, row: Row, number: number): Promise<void> {
  const client = await logIn(pgloom.port, database, row, number);
  try {
    for (const step of row.before) await play(client, step);
    const nodes = nodesNoticed(await play(client, row.statement));
    if (row.nodes !== 'both') return assert.equal(nameOf(nodes), row.nodes);
    assert.notEqual(nodes.length, 0);
    await assertHeld(client, row.held ?? '');
  } finally {
    client.end();
  }
}

/** A read on the reader finds the state that one on the primary finds. */
async function assertHeld(client: WireClient, expression: string): Promise<void> {
  const atReader = await play(client, `select (${expression})::text`);
  assert.equal(nameOf(nodesNoticed(atReader)), 'reader', 'where the next read goes');
  const atPrimary = await play(client, `/* for the primary */ select (${expression})::text`);
  assert.equal(nameOf(nodesNoticed(atPrimary)), 'primary');
  assert.notEqual(firstValue(atPrimary), undefined, 'the state cannot be read');
  assert.equal(firstValue(atReader), firstValue(atPrimary), 'what the reader has');
}
