/** Statements that are longer, deeper or have more items than is good for a worker. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { classify } from '../../src/workers/sql/classify.js';
import { canParse } from '../../src/workers/sql/grammar.js';
import { loadParser } from '../../src/workers/sql/parse.js';
import { PlanCache } from '../../src/workers/sql/plan-cache.js';
import { StatementKind, type Plan } from '../../src/workers/sql/plan.js';
import { shapeOf } from '../../src/workers/sql/shape.js';
import { roughTokenCount } from '../../src/workers/sql/token-count.js';
import { deepStatements, largeStatements, listOf } from '../../bench/routing/large-texts.js';
import { sharedCluster } from '../support/cluster.js';
import { startPgloom } from '../support/pgloom.js';
import { firstError, rowsOf } from '../support/wire-fields.js';
import { withWireClient } from '../support/wire.js';

before(loadParser);

/** More than this no single statement may take of the cache, however large it is. */
const mostBytes = 128_000;
/** Most take no more than this. */
const smallBytes = 20_000;
const defaultMaxBytes = 2 * (8 << 20) + (2 << 20);

function isOpaqueWrite(plan: Plan): boolean {
  return plan.kind === StatementKind.write && plan.opaque;
}

test('a statement of 1 MB or more than 64 kB of syntax is a write of which nothing is known, and is not kept', () => {
  for (const [name, text] of Object.entries(largeStatements)) {
    const cache = new PlanCache();
    const plan = cache.planOf(text);
    if (text.length > 600_000) assert.ok(isOpaqueWrite(plan) && cache.usage.entries === 0, name);
    assert.ok(cache.usage.sizeBytes < mostBytes, `${name}: ${cache.usage.sizeBytes} bytes kept`);
  }
});

test('deep and long chains neither crash the parser nor the classifier', async () => {
  for (const [name, text] of Object.entries(deepStatements)) {
    await loadParser();
    const cache = new PlanCache();
    const { kind } = cache.planOf(text);
    assert.ok(kind === StatementKind.read || kind === StatementKind.write, name);
    assert.ok(cache.usage.sizeBytes < mostBytes, name);
  }
  await loadParser();
  assert.equal(classify('select 1').kind, StatementKind.read);
});

test('in a worker thread, whose stack is larger, not even the largest that is parsed costs the parser', async () => {
  const source = new URL('./deep-statements-worker.js', import.meta.url);
  const worker = new Worker(source);
  const outcome = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  assert.deepEqual(outcome, []);
});

test('IN lists of all lengths have one plan, which takes the room of a short one', () => {
  const cache = new PlanCache();
  const plan = cache.planOf('select * from t where a in (1)');
  assert.equal(plan.kind, StatementKind.read);
  assert.deepEqual(plan.relations, [{ schema: '', name: 't' }]);
  for (const length of [2, 10, 1000, 30_000]) {
    assert.equal(cache.planOf(`select * from t where a in (${listOf(length, String)})`), plan, `${length} numbers`);
  }
  const strings = cache.planOf("select * from t where a in ('x')");
  for (const length of [2, 10, 1000, 10_000]) {
    assert.equal(cache.planOf(`select * from t where a in (${listOf(length, (n) => `'item ${n}'`)})`), strings, `${length} strings`);
  }
  const parameters = cache.planOf('select * from t where a in ($1)');
  assert.equal(cache.planOf(`select * from t where a in (${listOf(1000, (n) => `$${n + 1}`)})`), parameters);
  assert.ok(cache.usage.sizeBytes < smallBytes);
});

test('INSERTs of any number of rows of constants have one plan', () => {
  const cache = new PlanCache();
  const plan = cache.planOf("insert into t (a, b, c) values (1, 'x', NULL)");
  assert.equal(plan.kind, StatementKind.write);
  assert.ok(!plan.opaque);
  for (const length of [2, 10, 1000, 5000]) {
    assert.equal(cache.planOf(`insert into t (a, b, c) values ${listOf(length, (n) => `(${n}, 'it''s ${n}', NULL)`)}`), plan, `${length} rows`);
  }
});

const lists: readonly (readonly [string, string | null])[] = [
  ['select a in (1,2,3)', 'select a in (0)'], ['select a IN(1, 2 /* c */, 3 ) and b', 'select a IN(0) and b'], ["select a in ('x', 'y')", "select a in ('')"],
  ["select a in ('x', 2, -3.5, $4, $$z$$)", "select a in ('')"], ['select a in (-1, -2)', 'select a in (-0)'], ['select a in ($3, $4)', 'select a in ($3)'],
  ['select a in (1, f(), 3)', 'select a in (0, f(), 0)'], ['select a in (1, 2+3)', 'select a in (0, 0+0)'], ['select a in (1, b)', 'select a in (0, b)'],
  ['select a in (1, 2::int)', 'select a in (0, 0::int)'], ['select a in (select 1)', 'select a in (select 0)'], ['select f(1,2)', 'select f(0,0)'],
  ["select a in ('x' 'y', 'z')", null], ['select a in (1, 0x1f)', null], ["select a in ('x', 'y\\')", null], ['select a in (1, /* open', null], ['select a in (1, 2', 'select a in (0, 0'],
  ['select min (1, 2)', 'select min (0, 0)'], ['values (1, 2), (3, 4), (5)', 'values (0, 0)'], ['values (1), (now()), (3), (4)', 'values (0), (now()), (0), (0)'],
  ['values (1), (null), (default), (TRUE), ($1)', 'values (0)'], ['values (1), (2) returning a', 'values (0) returning a'], ['values (1), (nullable), (2)', 'values (0), (nullable), (0)'],
  ['values (1), ((2))', 'values (0), ((0))'], ['values (now()), (now())', 'values (now()), (now())'], ["values (1), (t'x'), (2)", "values (0), (t''), (0)"],
  ['values (1, (select bump())), (2, 3)', 'values (0, (select bump())), (0, 0)'], ['values (- 1), (2)', 'values (- 0), (0)'], ['values (1), (2', 'values (0), (0'],
];

test('of a list only constants are left out of the shape', () => {
  for (const [text, shape] of lists) {
    assert.equal(shapeOf(text), shape, text);
    if (shape !== null) assert.equal(shapeOf(shape), shape, text);
  }
});

test('functions and relations in lists are in the plan wherever they stand', () => {
  const cache = new PlanCache();
  const plan = cache.planOf(`select * from t where a in (${listOf(500, String)}, volatile_one()) or b in (select c from u where d in (1, 2, 3))`);
  assert.deepEqual(plan.functions.map(({ name }) => name), ['volatile_one']);
  assert.deepEqual(plan.relations.map(({ name }) => name).sort(), ['t', 'u']);
  const insert = cache.planOf(`insert into t values ${listOf(500, (n) => `(${n})`)}, (bump()), (1), (2)`);
  assert.deepEqual(insert.functions.map(({ name }) => name), ['bump']);
  const local = cache.planOf("select set_config('a', 'b', true) where 1 in (1, 2)");
  assert.ok(local.transactionLocal && !local.opaque);
});

const listItems = ['1', "'a'", '$1', '-2', 'null', 'default', 'now()', 'b', '(2)', '1.5', "e'x'", '/*c*/ 3', '4 -- x\n', 'true', "'a' 'b'", '0x1', '(select 1 from u)', "t'1'", '1::int', 'f(1, 2)'] as const;

test('a shape with lists cut down has the plan of its text', () => {
  let state = 20_261_123;
  const below = (limit: number): number => Math.floor(((state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32) * limit);
  const items = (): string => Array.from({ length: 1 + below(5) }, () => listItems[below(below(3) === 0 ? listItems.length : 4)] ?? '1').join(below(2) === 0 ? ',' : ' , ');
  const rows = (): string => Array.from({ length: 1 + below(4) }, () => `(${items()})`).join(', ');
  const frames = [
    () => `select * from t where a in (${items()})`, () => `insert into t values ${rows()}`, () => `values ${rows()}`, () => `select s.values(${items()}), (${items()}) from t`,
    () => `select * from t where a not in (${items()}) and b in(${items()}) for update`, () => `select * from (values ${rows()}) v where a in (${items()})`,
  ];
  let compared = 0;
  for (let i = 0; i < 5000; i++) {
    const text = frames[below(frames.length)]?.() ?? '';
    const shape = shapeOf(text);
    if (shape === null) continue;
    const [ofText, ofShape] = [classify(text), classify(shape)];
    // What the grammar refuses as it stands (mostly DEFAULT at a wrong place) may be readable without it: the server refuses it.
    if (ofText.opaque) continue;
    compared++;
    assert.deepEqual(essence(ofShape), essence(ofText), `${text} has the shape ${shape}`);
  }
  assert.ok(compared > 2000, `only ${compared} compared`);
});

function essence({ kind, statements, relations, functions, opaque, ddl, countsAsSelect }: Plan): unknown {
  return { kind, statements, relations, functions, opaque, ddl, countsAsSelect };
}

test('a long function body is one token, and is read', () => {
  const text = `create function f() returns int language sql as $body$ ${'select 1, 2, 3; '.repeat(3500)} $body$`;
  assert.ok(text.length > 50_000 && roughTokenCount(text, 1e6) < 30);
  const plan = new PlanCache().planOf(text);
  assert.ok(plan.ddl && !plan.opaque);
});

test('what goes beyond the tokens that are parsed is a write of which nothing is known', () => {
  const long = `select ${'a, '.repeat(8000)}b from t`;
  assert.equal(new PlanCache().planOf(`select ${'a, '.repeat(1000)}b from t`).kind, StatementKind.read);
  assert.ok(isOpaqueWrite(new PlanCache().planOf(long)));
  assert.equal(new PlanCache({ maxParsedTokens: 100_000 }).planOf(long).kind, StatementKind.read);
});

test('a thousand long statements, all different, leave the cache within its limit', () => {
  const cache = new PlanCache();
  for (let i = 0; i < 1000; i++) {
    cache.planOf(`select c${i}, '${'x'.repeat(16_000)}', ${'a, '.repeat(100)} b from t${i}`);
    if (i % 50 === 0) cache.planOf(`savepoint s${'x'.repeat(15_000)}${i}`);
    assert.ok(cache.usage.sizeBytes <= defaultMaxBytes);
  }
  assert.ok(canParse());
});

test('a long read is given the same plan again while it waits for facts', () => {
  const cache = new PlanCache();
  const long = `select ${'abc, '.repeat(4000)}b from t`;
  assert.equal(cache.planOf(long), cache.planOf(long));
  for (let n = 0; n < 500; n++) cache.planOf(`select ${'abc, '.repeat(4000)}b${n} from t`);
  assert.ok(cache.usage.sizeBytes <= 2 << 20, `${cache.usage.sizeBytes} bytes kept`);
});

test('large statements are answered through pgloom as by the server itself', async () => {
  const pgloom = await startPgloom({ settings: { num_init_children: 8, worker_threads: 1 } });
  try {
    for (const [name, text] of Object.entries({ ...largeStatements, ...deepStatements })) {
      const [direct, through] = [await answerOf(sharedCluster().nodes[0]?.port ?? 0, text), await answerOf(pgloom.port, text)];
      assert.deepEqual(through, direct, name);
    }
  } finally {
    await pgloom.stop();
  }
});

/** SQLSTATE or rows; always in a transaction that is rolled back. */
async function answerOf(port: number, text: string): Promise<unknown> {
  return withWireClient(port, async (client) => {
    client.query('begin');
    await client.readUntil('Z');
    client.query(text);
    const inside = await client.readUntil('Z');
    client.query('rollback');
    await client.readUntil('Z');
    // The same by itself, when that leaves nothing behind.
    if (!/^(select|with|values)/.test(text)) return [firstError(inside)?.['C'], rowsOf(inside).length];
    client.query(text);
    const alone = await client.readUntil('Z');
    return [firstError(inside)?.['C'], rowsOf(inside).length, firstError(alone)?.['C'], rowsOf(alone).length];
  });
}
