/**
 * A session sees in its transaction what it has just written, in every way of writing. Before its first write a transaction may read
 * on a standby, where earlier transactions of its own need not have arrived: that is not checked.
 */
import { below, type Scenario } from './scenario.js';
import type { Session } from './session.js';

async function count(session: Session, expected: number, after: string, table = 'notes'): Promise<void> {
  const rows = await session.ask(`select count(*), count(distinct session) from ${table} where session = '${session.tag}'`);
  session.equal(rows, [[String(expected), expected > 0 ? '1' : '0']], `own rows after ${after}`);
}

async function insert(session: Session, table = 'notes'): Promise<void> {
  await session.askWith(`insert into ${table} values ($1, $2, $3)`, [session.tag, '1', 'inserted']);
}

export const ownWrites: Scenario = async ({ session, random }) => {
  const { tag } = session;
  await session.begin();
  await insert(session);
  await count(session, 1, 'INSERT');
  const lines = Array.from({ length: 1 + below(random, 20) }, (_, n) => `${tag}\t${n + 2}\tcopied`);
  await session.copyIn('copy notes from stdin', lines);
  await count(session, 1 + lines.length, 'COPY');
  const text = session.unique();
  await session.ask(`update notes set v = '${text}' where session = '${tag}' and k = 1`);
  session.equal(await session.askWith('select v from notes where session = $1 and k = $2', [tag, '1']), [[text]], 'own row after UPDATE');
  await session.ask('savepoint before_delete');
  await session.ask(`delete from notes where session = '${tag}' and k > 1`);
  await count(session, 1, 'DELETE');
  await session.ask('rollback to before_delete');
  await count(session, 1 + lines.length, 'ROLLBACK TO');
  session.equal(await session.copyOut(`copy (select k from notes where session = '${tag}' order by k) to stdout`), [...lines.keys(), lines.length].map((n) => [String(n + 1)]), 'COPY TO of own rows');
  if (random() < 0.1) {
    await session.fail('select 1 / 0', '22012');
    await session.fail(`select count(*) from notes where session = '${tag}'`, '25P02');
  }
  await session.ask('rollback');
};

/** Committed, and deleted again: reads that follow in a transaction that has written see it. */
export const committedWrites: Scenario = async ({ session }) => {
  const { tag } = session;
  await session.begin();
  await insert(session);
  await session.ask('commit');
  await session.begin();
  await session.ask(`update notes set v = 'again' where session = '${tag}'`);
  session.equal(await session.ask(`select k, v from notes where session = '${tag}'`), [['1', 'again']], 'a committed row, seen in the next transaction');
  await session.ask(`delete from notes where session = '${tag}'`);
  await count(session, 0, 'DELETE');
  await session.ask('commit');
};

/** A temporary table is the session's own, whatever the others call theirs. */
export const temporaryTable: Scenario = async ({ session, random }) => {
  const inTransaction = random() < 0.5;
  if (inTransaction) await session.begin();
  await session.ask('create temp table mine (session text, k int, v text)');
  await insert(session, 'mine');
  await count(session, 1, 'INSERT into a temporary table', 'mine');
  await session.copyIn('copy mine from stdin', [`${session.tag}\t2\tx`]);
  await count(session, 2, 'COPY into a temporary table', 'mine');
  if (inTransaction && random() < 0.5) {
    await session.ask('rollback');
    await session.fail('select count(*) from mine', '42P01');
  } else {
    if (inTransaction) await session.ask('commit');
    await count(session, 2, 'the end of the transaction', 'mine');
    await session.ask('drop table mine');
  }
  if (random() < 0.7) await session.ask('discard all');
};
