import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { startsLikeSelect } from '../../src/workers/sql/first-character.js';
import { classify } from '../../src/workers/sql/classify.js';
import { loadParser } from '../../src/workers/sql/parse.js';
import { PlanCache } from '../../src/workers/sql/plan-cache.js';
import { StatementKind, type NameInPlan, type Plan } from '../../src/workers/sql/plan.js';
import { statements } from './statements.js';

before(loadParser);

const kindNames = Object.fromEntries(Object.entries(StatementKind).map(([name, kind]) => [kind, name]));

/** A plan in the words of statements.ts. */
function describePlan(plan: Plan): string {
  const words = [kindNames[plan.kind] ?? '?'];
  if (plan.statements > 1) words.push(String(plan.statements));
  const flags = (plan.opaque ? 'o' : '') + (plan.ddl ? 'd' : '') + (plan.countsAsSelect ? 's' : '') + (plan.chain ? 'c' : '')
    + (plan.beginAs.includes('READ ONLY') ? 'r' : '') + (plan.beginIsolated ? 'i' : '') + (plan.discardAll ? 'a' : '');
  if (flags !== '') words.push(flags);
  if (plan.setting !== null) words.push(plan.setting.key);
  if (plan.kind === StatementKind.read && plan.relations.length > 0) words.push('|', namesOf(plan.relations));
  if (plan.functions.length > 0) words.push('>', namesOf(plan.functions));
  return words.join(' ');
}

function namesOf(names: readonly NameInPlan[]): string {
  return names.map(({ schema, name }) => (schema === '' ? name : `${schema}.${name}`)).sort().join(',');
}

test('every kind of statement is taken for what it is', () => {
  for (const [sql, expected] of statements) assert.equal(describePlan(classify(sql)), expected, sql);
  assert.ok(statements.length >= 150);
});

test('a plan from the cache is the plan of the text itself, met first or again', () => {
  const cache = new PlanCache();
  for (const round of [1, 2]) {
    for (const [sql, expected] of statements) {
      const latin1 = Buffer.from(sql, 'utf8').toString('latin1');
      assert.equal(describePlan(cache.planOf(latin1)), expected, `${sql}, round ${round}`);
    }
  }
});

test('SHOW POOL_ commands name what they ask for', () => {
  assert.deepEqual(classify('SHOW POOL_NODES').own, { type: 'report', report: 'pool_nodes' });
  assert.deepEqual(classify('show pool_version;').own, { type: 'report', report: 'pool_version' });
  assert.deepEqual(classify('show pool_cache').own, { type: 'report', report: 'pool_cache' });
});

test('a setting keeps its text', () => {
  assert.deepEqual(classify('SET  Search_Path = a').setting, { key: 'search_path', text: 'SET  Search_Path = a' });
});

test('without allow_sql_comments only a text that starts like a SELECT may leave the primary', () => {
  for (const text of ['select 1', 'SELECT', '(select 1)', 'with x', 'WITH', 'table t', 'TABLE t', 'show x', ';', '', ' \t\r\n\f\vselect 1', '   ']) {
    assert.ok(startsLikeSelect(text, true), text);
  }
  for (const text of ['/*NO LOAD BALANCE*/ select 1', '-- x\nselect 1', 'values (1)', 'copy t to stdout', '\u00a0select']) {
    assert.ok(!startsLikeSelect(text, true), text);
  }
  assert.ok(!startsLikeSelect(' select 1', false));
  assert.ok(startsLikeSelect('select 1', false));
});

test('a statement nested too deeply for the parser is refused, and the parser works again soon', async () => {
  const hostile = `select 1${'+1'.repeat(15_000)}`;
  const cache = new PlanCache({ maxParsedTokens: Infinity });
  for (let i = 0; i < 40; i++) {
    const plan = cache.planOf(`${hostile} -- ${'x'.repeat(i)}`);
    assert.equal(plan.kind, StatementKind.write);
    assert.ok(plan.opaque);
    await loadParser();
    assert.equal(describePlan(classify('select f(1) from t')), 'read s | t > f');
  }
});

test('what could not be parsed while the parser was away is parsed later', async () => {
  const cache = new PlanCache({ maxParsedTokens: Infinity });
  cache.planOf(`select 1${'+1'.repeat(15_000)}`);
  assert.equal(cache.planOf('select 1').kind, StatementKind.write);
  await loadParser();
  assert.equal(cache.planOf('select 1').kind, StatementKind.read);
});

test('PGPOOL … is known behind blanks and comments, and ends with its statement', () => {
  const show = { type: 'show', name: 'max_pool' };
  for (const sql of ['PGPOOL SHOW max_pool', ';; pgpool show max_pool', '/* a /* nested */ one */ pgpool show max_pool', 'pgpool show max_pool -- said behind',
    'pgpool show max_pool--said behind', 'pgpool /* in between */ show max_pool; select 1', '-- a line\npgpool show MAX_POOL;', 'pgpool show "max_pool"']) {
    assert.deepEqual(classify(sql).own, show, sql);
  }
  assert.deepEqual(classify("pgpool set log_line_prefix to 'it''s'").own, { type: 'set', name: 'log_line_prefix', value: "it's" });
  assert.deepEqual(classify('pgpool set client_idle_limit = default').own, { type: 'set', name: 'client_idle_limit', value: null });
  assert.deepEqual(classify("pgpool set cache delete 'select 1'").own, { type: 'deleteCache', statement: 'select 1' });
  for (const sql of ['pgpool', 'pgpool show', 'pgpool show max_pool 1', 'pgpool set x', 'pgpool set x to', 'pgpool reset', 'pgpool /* open']) assert.equal(classify(sql).own?.type, 'wrong', sql);
  for (const sql of ['pgpools show max_pool', 'pgpoolé show max_pool', 'select pgpool show']) assert.equal(classify(sql).own, null, sql);
});
