import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { classify } from '../../src/workers/sql/classify.js';
import { loadParser } from '../../src/workers/sql/parse.js';
import { StatementKind, type Plan } from '../../src/workers/sql/plan.js';
import { shapeOf } from '../../src/workers/sql/shape.js';

before(loadParser);

const equalPairs: readonly (readonly [string, string])[] = [
  ['select 1', 'select 25'], ['select 1', ' select\n\t1 '], ['select 1', 'select /* a /* b */ */ 1 -- c'], ["select 'a'", "select 'it''s'"],
  ["select 'a'", "select E'it\\'s'"], ["select 'a'", 'select $$a$$'], ["select 'a'", 'select $t$ $$ $x$ $t$'], ['select 1.5', 'select .5e-3'],
  ['select 1e5', 'select 99999999999'], ["select b'0'", "select B'101'"], ["select x'0f'", "select X'a'"], ["select n'a'", "select N'b'"],
  ['select -1', 'select -20'], ['select a-1', 'select a-2'], ["select '--', 1", "select '/*', 2"], ['/* c */ select 1', 'select 1'],
];

const differentPairs: readonly (readonly [string, string])[] = [
  ['select 1', "select '1'"], ['select 1', 'select 1.0'], ['select $1', 'select $2'], ['select $1', 'select 1'], ['select a', 'select "a"'],
  ['select a', 'select A'], ['select 1;', 'select 1'], ['select 1; select 1', 'select 1'], ["select b'1'", "select x'1'"], ['select - -1', 'select --1'],
  ['select a1', 'select a2'], ['select a$1', 'select a$2'], ['select "1"', 'select "2"'], ['select "a--b"', 'select "a--c"'],
  ["select ';' ", 'select 1; '], ['select true', 'select false'], ["select 'a", "select 'b"], ['select a/*x*/b', 'select ab'], ['select null', "select ''"],
  ["select set_config('a','b',true)", "select set_config('a','b','true')"],
];

const shapeless = [
  "select 'a' 'b'", "select 'a'\n'b'", "select 'a' -- x\n 'b'", "select 'a'E'b'", "select 'a\\'", "select U&'a'", 'select U&"a"', 'select u&a', 'select 0x1f',
  'select 1_000', 'select 1..2', 'select 1.2.3', 'select 123abc', 'select 1a', 'select $1a', 'select a.5', "select 'open", 'select "open', 'select $$open',
  'select $a$ $b$', 'select /* open', 'select /* /* */', 'select \\ 1', 'select \0', 'select 1e', 'select 1e+', "copy t to 'x'", 'copy t to stdout', "select E'\xe9'",
  'select \u20ac', 'select 1$$a$$', '$', "select E'a\\",
];

test('texts that differ in literals, comments and white space only have one shape', () => {
  for (const [a, b] of equalPairs) {
    assert.notEqual(shapeOf(a), null, a);
    assert.equal(shapeOf(a), shapeOf(b), `${a} / ${b}`);
  }
});

test('texts that differ in anything else have different shapes or none', () => {
  for (const [a, b] of differentPairs) assert.ok(shapeOf(a) === null || shapeOf(a) !== shapeOf(b), `${a} / ${b}: ${shapeOf(a)}`);
});

test('what is unusual has no shape', () => {
  for (const text of shapeless) assert.equal(shapeOf(text), null, text);
});

/** A small generator with a seed of its own, so that a failure can be run again. */
function randomizer(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const pieces = [
  'select', 'from', 'where', 'insert into', 'values', 't', 'u', '"t"', '"a""b"', 'f(', 'g(', ')', '(', ',', ' ', ' ', ' ', '\n', '\t', '/*', '*/', '--', '\n', '-', '+', '*', '/', '.', '..',
  "'", "'", "''", '"', '\\', 'E', 'e', 'b', 'x', 'n', 'U&', '$', '$$', '$a$', '$1', '1', '2', '10', '1.5', '.5', '1e5', '0x1', '_', ';', 'for update', 'into', 'temp', 'set_config(',
  'true', 'null', '::', ':=', 'and', '=', 'as', 'with', 'union', 'é', 'copy', 'to', 'stdout', 'explain', 'analyze', 'do',
];

function summary(plan: Plan): string {
  const { kind, statements, relations, functions, opaque, ddl, countsAsSelect } = plan;
  return JSON.stringify({ kind, statements, relations, functions, opaque, ddl, countsAsSelect });
}

function isKeptByShape({ kind, opaque, ddl }: Plan): boolean {
  return (kind === StatementKind.read || kind === StatementKind.write) && !opaque && !ddl;
}

function randomText(random: (below: number) => number): string {
  let text = ['select ', 'insert into t ', 'select * from t where ', 'with a as (select 1) select ', ''][random(5)] ?? '';
  for (let n = 1 + random(9); n > 0; n--) text += (pieces[random(pieces.length)] ?? '') + (random(3) === 0 ? ' ' : '');
  return text;
}

test('a shape is a statement with the same plan as its text, and its own shape', () => {
  const random = randomizer(20261122);
  let parsed = 0;
  for (let i = 0; i < 20_000; i++) {
    const text = randomText(random);
    const shape = shapeOf(Buffer.from(text).toString('latin1'));
    if (shape === null) continue;
    assert.equal(shapeOf(shape), shape, text);
    const ofShape = classify(Buffer.from(shape, 'latin1').toString());
    const ofText = classify(text);
    if (!isKeptByShape(ofShape) && !isKeptByShape(ofText)) continue;
    parsed++;
    assert.equal(summary(ofShape), summary(ofText), `${JSON.stringify(text)} has the shape ${JSON.stringify(shape)}`);
  }
  assert.ok(parsed > 300, `only ${parsed} texts could be parsed`);
});

test('texts of one shape have one plan', () => {
  const random = randomizer(42);
  const literals = ['1', '22', "'a'", "'it''s'", "E'\\''", '$$x$$', '$q$ select $q$', "'--'", "'/*'", '1.5', '2e3', "b'1'", "x'f'", "n'z'", '1234567890', "';'", "'pg_temp'"];
  const frames = [
    (a: string, b: string) => `select * from t where a = ${a} and f(${b}) > 0`, (a: string, b: string) => `insert into t values (${a}, ${b})`,
    (a: string, b: string) => `select set_config(${a}, ${b}, true)`, (a: string, b: string) => `select set_config('a', ${a}, ${b})`,
    (a: string, b: string) => `update t set a=${a} where b=${b};`, (a: string, b: string) => `select ${a} -- ${b}`, (a: string, b: string) => `select ${a}/* ${b} */,2`,
    (a: string, b: string) => `select ${a} ${b}`, (a: string, b: string) => `select ${a}${b}`, (a: string, b: string) => `copy t to ${a} ${b}`,
    (a: string, b: string) => `explain (analyze ${a}) select ${b}`, (a: string, b: string) => `create table x as select ${a}, ${b}`,
  ];
  const plans = new Map<string, string>();
  for (let i = 0; i < 5_000; i++) {
    const text = frames[random(frames.length)]!(literals[random(literals.length)]!, literals[random(literals.length)]!);
    const shape = shapeOf(text);
    const plan = classify(text);
    if (shape === null || !isKeptByShape(plan)) continue;
    assert.equal(plans.get(shape) ?? summary(plan), summary(plan), text);
    plans.set(shape, summary(plan));
  }
  assert.ok(plans.size > 40);
});
