import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lex } from '../../src/main/config/lexer.js';

/** key=value pairs of a text that has no fault. */
function pairs(text: string): string[] {
  const { assignments, issues } = lex(text);
  assert.deepEqual(issues, []);
  return assignments.map(({ key, value }) => `${key}=${value}`);
}

const rows: readonly [title: string, text: string, expected: readonly string[]][] = [
  ['the equals sign is optional', 'port 1\npcp_port=2', ['port=1', 'pcp_port=2']],
  ['several assignments may share a line', "port=1 pcp_port=2 a 'x' b = y", ['port=1', 'pcp_port=2', 'a=x', 'b=y']],
  ['comments run to the end of the line, after a value too', "# all\nport = 1# rest\na = 'x # y' # z", ['port=1', 'a=x # y']],
  ['carriage returns, tabs and an empty file are fine', '\t port\t=\t1\r\n\r\n', ['port=1']],
  ['nothing at all is fine', '', []],
  ['a byte order mark is skipped', '\uFEFFport = 1', ['port=1']],
  ['words may hold dots, dashes, colons and slashes', 'a = x.y-z:9/b', ['a=x.y-z:9/b']],
  ['letters beyond ASCII make words', 'größe = ä', ['größe=ä']],
  ['numbers keep their sign, base and unit', 'a = -1 b = +0x1F c = 0600 d = 64MB e = 1.5 f = .5 g = 1.5e-3', ['a=-1', 'b=+0x1F', 'c=0600', 'd=64MB', 'e=1.5', 'f=.5', 'g=1.5e-3']],
  ['a doubled quote in a string is one quote', "a = 'it''s' b = '''' c = ''", ["a=it's", "b='", 'c=']],
  ['a backslash keeps a string open and stays in it', String.raw`a = 'x\'y' b = 'c:\\'`, [String.raw`a=x\'y`, String.raw`b=c:\\`]],
  ['keys are case-sensitive', 'Port = 1', ['Port=1']],
];
for (const [title, text, expected] of rows) {
  test(`in pgpool.conf ${title}`, () => assert.deepEqual(pairs(text), expected));
}

test('a fault is found on its line, with its key, and reading goes on with the next line', () => {
  const { assignments, issues } = lex("port = 1\na = /tmp/x y = 2\nb =\nc = 'open\nd = 10.0.0.1\n= 5\ne = 1");
  assert.deepEqual(assignments.map(({ key, line }) => [key, line]), [['port', 1], ['e', 7]]);
  assert.deepEqual(issues.map(({ line, key }) => [line, key]), [[2, 'a'], [3, 'b'], [4, 'c'], [5, 'd'], [6, '']]);
  assert.match(issues[0]?.message ?? '', /single quotes.*"\/tmp\/x y = 2"/);
  assert.match(issues[1]?.message ?? '', /value is missing/);
  assert.match(issues[2]?.message ?? '', /no end/);
});

test('a value on the next line is not the value', () => {
  assert.deepEqual(lex('port =\n1').issues.map(({ line }) => line), [1, 2]);
  assert.deepEqual(lex('port').issues.map(({ key }) => key), ['port']);
});

test('a fault behind a password shows nothing of the line', () => {
  for (const text of ["sr_check_password = 'hunter2", 'sr_chek_password = /hunter2', 'wd_authkey = x!hunter2', "health_check_password0 = 'a'!hunter2"]) {
    const { issues } = lex(text);
    assert.equal(issues.length, 1, text);
    assert.doesNotMatch(JSON.stringify(issues), /hunter2/);
  }
});

test('a NUL or a control character is a fault, not a value', () => {
  assert.equal(lex("a = 'x\0y'").issues.length, 1);
  assert.equal(lex('\u0001').issues.length, 1);
});
