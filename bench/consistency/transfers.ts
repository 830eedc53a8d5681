/** Money moves between accounts; no statement anywhere ever sees a sum that is not the total. */
import { accounts, balance } from './schema.js';
import { below, type Scenario, type Setting } from './scenario.js';

const total = String(accounts * balance);
const sumSql = 'select sum(balance), count(*) from accounts';

/** One statement on any node. */
export const sumUp: Scenario = async ({ session, random }) => {
  const rows = random() < 0.5 ? await session.ask(sumSql) : await session.askWith(`${sumSql} where id <> $1`, ['-1']);
  session.equal(rows, [[total, String(accounts)]], 'the sum of all accounts');
};

function twoAccounts({ random }: Setting): [number, number] {
  const first = 1 + below(random, accounts - 1);
  return [first, first + 1 + below(random, accounts - first)];
}

const updateSql = (amount: number, id: number): string => `update accounts set balance = balance + ${amount}, version = version + 1 where id = ${id}`;

/** In a transaction, the sum being looked at between the halves as well: it sees its own first half and nobody else's. */
export const transfer: Scenario = async (setting) => {
  const { session, random } = setting;
  const [from, to] = twoAccounts(setting);
  const amount = 1 + below(random, 50);
  await session.begin();
  await session.ask(updateSql(-amount, from));
  if (random() < 0.5) session.equal(await session.ask(sumSql), [[String(accounts * balance - amount), String(accounts)]], 'the sum in the middle of a transfer');
  if (random() < 0.3) {
    await session.ask('savepoint half');
    await session.ask(updateSql(amount * 2, to));
    session.equal(await session.ask(sumSql), [[String(accounts * balance + amount), String(accounts)]], 'the sum behind a savepoint');
    await session.ask('rollback to half');
  }
  await session.askWith('update accounts set balance = balance + $1, version = version + 1 where id = $2', [String(amount), String(to)]);
  session.equal(await session.ask(sumSql), [[total, String(accounts)]], 'the sum at the end of a transfer');
  await session.ask(random() < 0.8 ? 'commit' : 'rollback');
  await sumUp(setting);
};

/** The whole in one string, which is a transaction of its own. */
export const quickTransfer: Scenario = async (setting) => {
  const { session, random } = setting;
  const [from, to] = twoAccounts(setting);
  const amount = 1 + below(random, 50);
  session.ledger.transactions++;
  session.equal(await session.ask(`${updateSql(-amount, from)}; ${updateSql(amount, to)}; ${sumSql}`), [[total, String(accounts)]], 'the sum in a string of statements');
  await sumUp(setting);
};

/** With REPEATABLE READ the same question has the same answer until the end. */
export const repeatedRead: Scenario = async ({ session, random }) => {
  await session.begin('begin isolation level repeatable read');
  const sql = `select id, balance, version from accounts where id in (${below(random, accounts)}, ${below(random, accounts)}, 7) order by id`;
  const first = await session.ask(sql);
  session.equal(await session.ask(sumSql), [[total, String(accounts)]], 'the sum with REPEATABLE READ');
  session.equal(await session.ask(sql), first, 'a repeated read');
  await session.ask('commit');
};
