/** The same table against Debian's Pgpool-II: where it sends a statement elsewhere, the row has to say so, and why. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { noPgpool2, type Pgpool2 } from '../../support/pgpool2.js';
import { allRows, describeStart, starts, type Start } from './all-rows.js';
import { createRowDatabase, dropRowDatabase } from './fixtures.js';
import { logLines, startLoggingPgpool2 } from './pgpool2.js';
import { applicationOf, logIn, nameOf, play } from './play.js';
import { describeRow, sqlOf, type Row } from './row.js';

const database = 'row_oracle';
const skip = noPgpool2;
/** A session that it leaves hanging holds locks for which rows of other starts wait. */
const silentMs = 5000;

describe('Pgpool-II sends', { concurrency: 2, skip }, () => {
  before(() => createRowDatabase(database));
  after(() => dropRowDatabase(database));
  for (const start of starts) {
    const unknown = start.newerThanOracle ? 'Pgpool-II 4.3 does not have these settings' : false;
    describe(describeStart(start), { concurrency: 2, skip: unknown }, () => testStart(start));
  }
});

it('has a reason for each difference', () => {
  for (const row of allRows) {
    assert.equal(row.pgpool === null, row.because === null, describeRow(row));
    assert.notEqual(row.pgpool, row.nodes, describeRow(row));
  }
});

function testStart({ settings, groups }: Start): void {
  let pgpool: Pgpool2;
  before(async () => {
    pgpool = await startLoggingPgpool2(settings);
  });
  after(() => pgpool.stop());
  let sessions = 0;
  for (const { topic, rows } of groups) {
    describe(topic, { concurrency: 3 }, () => {
      for (const row of rows.filter(({ pgpool: answer }) => answer !== 'never answers')) {
        it(describeRow(row), async () => {
          assert.equal(nameOf(await nodesOfRow(pgpool, row, ++sessions)), row.pgpool ?? row.nodes);
        });
      }
    });
  }
}

async function nodesOfRow(pgpool: Pgpool2, row: Row, number: number): Promise<number[]> {
  const client = await logIn(pgpool.port, database, row, number);
  try {
    for (const step of row.before) await play(client, step);
    const from = pgpool.logLength();
    // It may end the session over a statement, or not answer: where it sent it is in the log all the same.
    await Promise.race([play(client, row.statement).catch(() => undefined), sleep(silentMs, undefined, { ref: false })]);
    const lines = logLines(pgpool, applicationOf(row, number), from);
    if (typeof row.statement === 'string') return nodesInLines(lines, '', row.statement);
    const sql = sqlOf(row.statement);
    // What is refused when it is parsed is not executed.
    const executed = nodesInLines(lines, 'Execute: ', sql);
    return executed.length > 0 ? executed : nodesInLines(lines, 'Parse: ', sql);
  } finally {
    client.end();
  }
}

/** The nodes that log_per_node_statement tells of this statement; the other lines are Pgpool-II's own questions. */
function nodesInLines(lines: readonly string[], prefix: string, sql: string): number[] {
  const wanted = `${prefix}${sql.split('\n')[0] ?? ''}`.trim();
  const nodes: number[] = [];
  for (const line of lines) {
    const found = /^LOG: {2}DB node id: (\d+) backend pid: \d+ statement: ([^]*)$/.exec(line);
    if (found === null) continue;
    const said = (found[2] ?? '').trim();
    // A reader gets a bare BEGIN in place of one with READ WRITE or SERIALIZABLE; a long text is cut.
    const bareBegin = said === `${prefix}BEGIN` && /^\s*(begin|start)\b/i.test(sql);
    const cut = said.length > 500 && wanted.startsWith(said);
    if (said === wanted || bareBegin || cut) nodes.push(Number(found[1]));
  }
  return nodes;
}
