/** Answers that carry the session's tag: a row of another session, or of another question, is seen at once. */
import { bind, execute, parse, query, sync } from '../../test/protocol/messages.js';
import { firstError } from '../../test/support/wire-fields.js';
import { below, type Scenario } from './scenario.js';
import type { Rows } from './session.js';

const names = ['one', 'two', 'three'] as const;

/** All sessions use the same names, each for texts of its own. */
export const prepared: Scenario = async ({ session, random }) => {
  const known = new Map<string, string>();
  for (let n = 3 + below(random, 8); n > 0; n--) {
    const name = names[below(random, names.length)] ?? 'one';
    let mark = known.get(name);
    const isPrepared = mark !== undefined;
    mark ??= session.unique();
    const onTable = name === 'three';
    const text = onTable ? `select '${mark}', $1::text from accounts where id = $2` : `select '${mark}', $1::text, $2::int`;
    const value = session.unique();
    const number = String(1 + below(random, 200));
    const rows = await session.askWith(text, [value, number], name, isPrepared);
    session.equal(rows, [onTable ? [mark, value] : [mark, value, number]], `EXECUTE of ${name}`);
    known.set(name, mark);
    // In between on the primary, where the statement has to be known as well.
    if (random() < 0.3) {
      await session.begin();
      await session.ask("update accounts set version = version where id = -1");
      session.equal((await session.askWith(text, [value, number], name, true))[0]?.slice(0, 2), [mark, value], `EXECUTE of ${name} on the primary`);
      await session.ask('commit');
    }
  }
  for (const name of known.keys()) await session.ask(`deallocate ${name}`);
};

/** Many rows, all of them the session's own. */
export const manyRows: Scenario = async ({ session, random }) => {
  const mark = session.unique();
  const length = 1 + below(random, random() < 0.1 ? 3000 : 100);
  const sql = `select '${mark}', n from generate_series(1, ${length}) n`;
  const expected = Array.from({ length }, (_, n) => [mark, String(n + 1)]);
  if (random() < 0.3) session.equal(await session.copyOut(`copy (${sql}) to stdout`), expected.map((row) => [row.join('\t')]), 'the lines of a COPY');
  else session.equal(await session.ask(sql), expected, 'the rows of a long answer');
};

interface Step {
  readonly bytes: Buffer;
  readonly rows: Rows;
  readonly sqlState?: string;
}

/** Reads and writes one behind the other without waiting: the answers come in order. */
export const pipeline: Scenario = async ({ session, random }) => {
  const steps: Step[] = [];
  for (let n = 3 + below(random, 12); n > 0; n--) steps.push(step(below(random, 6), session.tag, session.unique(), below(random, 1e6)));
  steps.push({ bytes: query(`delete from notes where session = '${session.tag}'`), rows: [] });
  const bytes = Buffer.concat(steps.map((one) => one.bytes));
  const cut = random() < 0.5 ? bytes.length : below(random, bytes.length);
  session.write(bytes.subarray(0, cut));
  if (cut < bytes.length) session.write(bytes.subarray(cut));
  for (const [n, { rows, sqlState }] of steps.entries()) {
    const messages = await session.messages();
    session.equal(session.rows(messages), rows, `answer ${n} of a pipeline`);
    session.equal(firstError(messages)?.['C'], sqlState, `the error of answer ${n} of a pipeline`);
  }
};

function step(kind: number, tag: string, mark: string, number: number): Step {
  switch (kind) {
    case 0:
      return { bytes: query(`select '${mark}', ${number}`), rows: [[mark, String(number)]] };
    case 1:
      return { bytes: Buffer.concat([parse('insert into notes values ($1, $2, $3) returning v, k'), bind([tag, String(number), mark]), execute(), sync]), rows: [[mark, String(number)]] };
    case 2: // one implicit transaction that sees its own row
      return {
        bytes: Buffer.concat([
          parse('insert into notes values ($1, 0, $2)'), bind([tag, mark]), execute(),
          parse('select count(*), max(v) from notes where session = $1 and v = $2'), bind([tag, mark]), execute(), sync,
        ]),
        rows: [['1', mark]],
      };
    case 3: // what follows the error is skipped
      return { bytes: Buffer.concat([parse('select $1::text, 1 / $2::int'), bind([mark, '0']), execute(), parse('select 1'), bind(), execute(), sync]), rows: [], sqlState: '22012' };
    case 4:
      return { bytes: query(`begin; insert into notes values ('${tag}', 1, '${mark}'); select v from notes where session = '${tag}' and v = '${mark}'; rollback`), rows: [[mark]] };
    default:
      return { bytes: Buffer.concat([parse('select $1::text, $2::int'), bind([mark, String(number)]), execute(), sync]), rows: [[mark, String(number)]] };
  }
}
