/** Calls of pgpool_adm's functions in a text: found, replaced, and their passwords masked. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { callSpan } from '../../src/workers/sql/call-span.js';
import { classify } from '../../src/workers/sql/classify.js';
import { withoutPasswords } from '../../src/workers/sql/masked-text.js';
import type { PcpCommand } from '../../src/workers/sql/own-command.js';
import { loadParser } from '../../src/workers/sql/parse.js';
import { pcpText } from '../../src/workers/sql/pcp-text.js';
import { plainPlan } from '../../src/workers/sql/plain-plan.js';
import { PlanCache } from '../../src/workers/sql/plan-cache.js';

before(() => loadParser());

function commandOf(text: string): PcpCommand {
  const { own } = classify(text);
  assert.ok(own?.type === 'pcp', text);
  return own;
}

const spans: readonly (readonly [text: string, span: string])[] = [
  ['f()', '()'], ['f (1, (2), \'a)\')x', '(1, (2), \'a)\')'], ['f/* ( /* ) */ */(1) )', '(1)'], ["f(E'\\')', ')')", "(E'\\')', ')')"], ["f('\\', 1)", "('\\', 1)"],
  ['f($a$)$a$, $$)$$)', '($a$)$a$, $$)$$)'], ['f("a)""", 1 -- )\n)', '("a)""", 1 -- )\n)'], ["f(a$b$, ')')$b$)", "(a$b$, ')')"], ['f($1, 2)', '($1, 2)'],
];

test('a call ends at its own parenthesis', () => {
  for (const [text, expected] of spans) {
    const span = callSpan(text, 1);
    assert.equal(span === null ? null : text.slice(span.open, span.end), expected, text);
  }
  for (const text of ['f', 'f + (1)', "f('a", 'f(1', 'f("a)', 'f(/* )']) assert.equal(callSpan(text, 1), null, text);
});

const masked: readonly (readonly [text: string, shown: string])[] = [
  ["select pcp_node_count('h', 1, 'u', 'secret')", "select pcp_node_count('h', 1, 'u', '*****')"],
  ["select * from PCP_NODE_INFO(0,'h',1,'u','sec)''ret') n, pcp_pool_status('h', 1, 'u', E'sec\\'ret')", "select * from PCP_NODE_INFO(0,'h',1,'u', '*****') n, pcp_pool_status('h', 1, 'u', '*****')"],
  ['select public."pcp_node_count" (\'h\', 1, \'u\', $$secret$$)', 'select public."pcp_node_count" (\'h\', 1, \'u\', \'*****\')'],
  ["select pcp_node_count(password => 'secret', host => 'h', port => 1, username => 'u')", "select pcp_node_count('*****', host => 'h', port => 1, '*****')"],
  ["select pcp_attach_node(1, 'h', 1, 'u', 'sec", "select pcp_attach_node('*****'"],
  ["select pcp_attach_node /* a */", 'select pcp_attach_node /* a */'],
  ["select pcp_attach_node /* (", "select pcp_attach_node /* ('*****'"],
  ["select pcp_node_info(0), 'pcp_node_count'", "select pcp_node_info(0), 'pcp_node_count'"],
  ["select pcp_node_info(0, 'server')", "select pcp_node_info(0, 'server')"],
];

test('passwords are masked, in texts that were cut and in those that are no SQL too', () => {
  for (const [text, shown] of masked) {
    assert.equal(withoutPasswords(text), shown);
    assert.ok(!shown.includes('secret'));
  }
  const whole = "select 'ü', pcp_detach_node ( 1, false, 'h', 9898, 'u', E'secret' ) -- end";
  for (let length = 0; length <= whole.length; length++) assert.ok(!/se?c?r?e?t?'/.test(withoutPasswords(whole.slice(0, length)).replace('select \'', '')), whole.slice(0, length));
});

test('a text full of calls takes no time', () => {
  const nested = `select ${'pcp_node_info('.repeat(4000)}'secret'${')'.repeat(4000)}`;
  assert.ok(!withoutPasswords(nested).includes('secret'));
  assert.equal(classify(`select ${'pcp_node_count(), '.repeat(60)} 1`).own, null);
});

test('passwords of roles are not shown either', () => {
  for (const [text, shown] of [
    ["alter role ann password 'sec''ret'", "alter role ann password '*****'"],
    ["CREATE USER ann LOGIN PASSWORD'secret' VALID UNTIL 'infinity'; select 1", "CREATE USER ann LOGIN PASSWORD'*****' VALID UNTIL 'infinity'; select 1"],
    ["create user mapping for ann server s options (user 'ann', password 'secret'); alter role ben password 'secret'", "create user mapping for ann server s options (user 'ann', password '*****'); alter role ben password '*****'"],
    ["create user mapping for ann server s options (\"password\" 'secret')", "create user mapping for ann server s options (\"password\" '*****')"],
    ["alter role ann password 'secret'\n  login", "alter role ann password '*****'\n  login"],
    ["alter role ann password 'secr", "alter role ann password '*****'"],
    ['alter role ann password null', 'alter role ann password null'],
    ["select password 'x'", "select password 'x'"],
    ["alter table t rename password to word", 'alter table t rename password to word'],
  ] as const) assert.equal(withoutPasswords(text), shown);
  for (const value of ["E'a\\'secret'", "U&'secret'", '$$secret$$', '$a$secret$a$', '$é$secret$é$', "'se'\n  'cret'", "'se'\r'cret'", "'a'--c\n'secret'", "''secret''", "/* 'x' */ 'secret'", "-- a\n 'secret'", "'a\\' secret'"]) {
    assert.equal(withoutPasswords(`alter role ann password ${value}`), "alter role ann password '*****'");
  }
  assert.ok(!withoutPasswords("do $$ begin execute 'alter role ann password ''secret'' login'; end $$").includes('secret'));
  for (const hostile of [`/* alter password 'x'${'\n'.repeat(2_000_000)}y */`, `alter password '${"''".repeat(8_000_000)}x`, `alter${' password \'a\' '.repeat(200_000)}`, `alter password${' '.repeat(2_000_000)}`]) {
    withoutPasswords(hostile);
  }
  const many = `alter role ann password 'secret' ${'password /* '.repeat(100_000)}`;
  assert.ok(!withoutPasswords(many).includes('secret'));
});

test('what is put in has the types of the columns, and nothing of the text around it changes', () => {
  const text = "select 'é', n.port from pcp_node_info(0) as n, pcp_node_count() where 'ü' = 'pcp_node_count()'";
  const own = commandOf(text);
  assert.deepEqual(own.sites.map(({ name, place }) => [name, place]), [['pcp_node_info', 'aliased'], ['pcp_node_count', 'from']]);
  const made = Buffer.from(pcpText(own.text, own.sites, [[['h$\'é', 1]], [[2]]]), 'latin1').toString('utf8');
  assert.match(made, /^select 'é', n\.port from \(SELECT r\.c1 AS "host", .* as n, \(SELECT r\.c1 AS "node_count" .*\) AS pcp_node_count where 'ü' = 'pcp_node_count\(\)'$/);
  assert.ok(made.includes('$pgloom$[{"c1":"h\\u0024\'\\u00e9","c2":1}]$pgloom$'));
  assert.equal(own.rest.kind, classify(made).kind);
});

test('what a statement does beside is known', () => {
  assert.deepEqual(commandOf('insert into items select pcp_node_count()').rest.writes, [{ schema: '', name: 'items' }]);
  assert.deepEqual(commandOf('select pcp_node_count() from items').rest.relations, [{ schema: '', name: 'items' }]);
  assert.equal(commandOf('select pcp_node_count()').rest.countsAsSelect, true);
});

test('statements that keep their text are not touched', () => {
  for (const text of ['create view v as select * from pcp_node_info(0)', 'prepare p as select pcp_node_count()', 'create function f() returns int begin atomic select pcp_node_count(); end',
    'select other.pcp_node_count()', "select pcp_node_count('server')", 'select pcp_node_count from t', "select 'pcp_node_count()'"]) {
    assert.equal(classify(text).own, null, text);
  }
});

test('each text has its own plan, whatever its literals', () => {
  const plans = new PlanCache();
  for (const node of [0, 1, 0]) {
    const { own } = plans.planOf(`select * from pcp_node_info(${node})`);
    assert.ok(own?.type === 'pcp');
    assert.equal(own.sites[0]?.call.node, node);
  }
  // Latin1, in which the parser would count other offsets than the server.
  assert.equal(plans.planOf("select '\xe9', pcp_node_count()").own, null);
});

test('where nothing else is looked at, such a text is', () => {
  for (const [text, isPlain] of [['select pcp_node_count()', false], ['select  Pcp_NODE_info(1)', false], ['begin; select 1, pcp_pool_status()', false], ['select pcp', true],
    ['select p_c_p_', true], ['select ppcp_', false], ['select cpcp_x', false], ['insert into xpcp_ values (1)', false], ['pcp', true]] as const) {
    const data = Buffer.from(text);
    if (text !== 'pcp') assert.equal(plainPlan(data, 0, data.length) !== null, isPlain, text);
  }
});
