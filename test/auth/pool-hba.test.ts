import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { AccessFileError } from '../../src/main/access/access-file.js';
import { parsePoolHba } from '../../src/main/access/pool-hba.js';
import type { HbaRule } from '../../src/shared/auth/hba.js';

const directory = mkdtempSync(join(tmpdir(), 'pgloom-hba-'));
after(() => rmSync(directory, { recursive: true, force: true }));
const file = join(directory, 'pool_hba.conf');

function one(line: string): HbaRule {
  const { rules } = parsePoolHba(line, file);
  assert.equal(rules.length, 1, line);
  return rules[0] as HbaRule;
}

function problem(text: string): string {
  try {
    parsePoolHba(text, file);
  } catch (error) {
    assert.ok(error instanceof AccessFileError);
    return error.message;
  }
  return assert.fail(`accepted: ${text}`);
}

test('a rule is read with all its fields and its line', () => {
  const { rules, warnings } = parsePoolHba('# comment\n\n  host\tdb1,"all", sameuser  all 10.0.0.0/8 md5 # more\r\n', file);
  assert.deepEqual(warnings, []);
  assert.deepEqual(rules, [{
    type: 'host',
    databases: [{ name: 'db1', keyword: false }, { name: 'all', keyword: false }, { name: 'sameuser', keyword: true }],
    users: [{ name: 'all', keyword: true }],
    address: { kind: 'network', family: 4, bytes: [10, 0, 0, 0], mask: [255, 0, 0, 0] },
    method: 'md5', options: {}, file, line: 3,
  }]);
});

test('quotes take the meaning out of keywords, blanks, commas and comment signs', () => {
  const rule = one('local "a b,c#d""e" "+group","@file",re"pl"ica trust');
  assert.deepEqual(rule.databases, [{ name: 'a b,c#d"e', keyword: false }]);
  assert.deepEqual(rule.users, ['+group', '@file', 'replica'].map(name => ({ name, keyword: false })));
  assert.deepEqual(one('host all all "samehost" trust').address, { kind: 'name', name: 'samehost' });
});

test('addresses are understood in every form', () => {
  const network = (line: string): unknown => {
    const { address } = one(`host all all ${line} trust`);
    return address?.kind === 'network' ? [address.family, Buffer.from(address.bytes).toString('hex'), Buffer.from(address.mask).toString('hex')] : address;
  };
  assert.deepEqual(network('127.0.0.1/32'), [4, '7f000001', 'ffffffff']);
  assert.deepEqual(network('0.0.0.0/0'), [4, '00000000', '00000000']);
  assert.deepEqual(network('192.168.5.0/21'), [4, 'c0a80500', 'fffff800']);
  assert.deepEqual(network('192.168.5.0 255.255.248.0'), [4, 'c0a80500', 'fffff800']);
  assert.deepEqual(network('::1/128'), [6, `${'00'.repeat(15)}01`, 'ff'.repeat(16)]);
  assert.deepEqual(network('2001:db8::/33'), [6, `20010db8${'00'.repeat(12)}`, `ffffffff80${'00'.repeat(11)}`]);
  assert.deepEqual(network('::ffff:1.2.3.4/128'), [6, `${'00'.repeat(10)}ffff01020304`, 'ff'.repeat(16)]);
  assert.deepEqual(network('fe80::1 ffff::'), [6, `fe80${'00'.repeat(13)}01`, `ffff${'00'.repeat(14)}`]);
  for (const kind of ['all', 'samehost', 'samenet']) assert.deepEqual(network(kind), { kind });
  assert.deepEqual(network('db.example.org'), { kind: 'name', name: 'db.example.org' });
  assert.deepEqual(network('.example.org'), { kind: 'name', name: '.example.org' });
});

test('options are read and belong to their method', () => {
  assert.deepEqual(one('host all all all pam pamservice=pgpool pam_use_hostname=1').options, { pamservice: 'pgpool', pam_use_hostname: '1' });
  assert.deepEqual(one('host all all all ldap ldapserver=x "ldapsuffix=, dc=a" ldapport=389').options, { ldapserver: 'x', ldapsuffix: ', dc=a', ldapport: '389' });
  assert.equal(one('hostssl all all all cert').method, 'cert');
});

test('every error names file, line and field', () => {
  const table: [string, RegExp][] = [
    ['localhost all all trust', /:1: type field: invalid connection type "localhost"/],
    ['"local,host" all all trust', /:1: type field/],
    ['local,host all all trust', /:1: type field: more than one/],
    ['local', /:1: database field: end of line/],
    ['local all', /:1: user field: end of line/],
    ['local all all', /:1: method field: end of line/],
    ['host all all', /:1: address field: end of line/],
    ['host all all all', /:1: method field: end of line/],
    ['host all all 10.0.0.1 trust', /:1: mask field: invalid IP mask "trust"/],
    ['host all all 10.0.0.1', /:1: mask field: end of line/],
    ['host all all 10.0.0.1 ffff:: trust', /:1: mask field: .*different families/],
    ['host all all 10.0.0.0/33 trust', /:1: address field: invalid CIDR mask/],
    ['host all all ::/129 trust', /:1: address field: invalid CIDR mask/],
    ['host all all 10.0.0.0/ trust', /:1: address field: invalid CIDR mask/],
    ['host all all 10.0.0.0/-1 trust', /:1: address field: invalid CIDR mask/],
    ['host all all 10.0.0.256/32 trust', /:1: address field/],
    ['host all all 10.0.0 trust', /:1: address field/],
    ['host all all ex.org/24 trust', /:1: address field/],
    ['host all all a,b trust', /:1: address field: more than one/],
    ['host all all all peer', /:1: method field: invalid authentication method "peer"/],
    ['host all all all TRUST', /:1: method field/],
    ['host all all all cert', /:1: method field: cert is only possible on hostssl/],
    ['host all all all trust map=x', /:1: option field: unrecognized authentication option "map"/],
    ['host all all all trust __proto__=x', /:1: option field: unrecognized/],
    ['host all all all trust junk', /:1: option field: an option must be written name=value/],
    ['host all all all md5 pamservice=x', /:1: option field: option "pamservice" belongs to method "pam"/],
    ['host all all all pam pam_use_hostname=2', /:1: option field: value of "pam_use_hostname" must be 0 or 1/],
    ['host all all all ldap ldapserver=x ldapport=70000', /:1: option field: value of "ldapport"/],
    ['host all all all ldap ldapbindpasswd=hush', /:1: option field: method "ldap" needs/],
    ['local "all all trust', /:1: a double quote is not closed/],
    ['local all a\0b trust', /:1: the line holds a NUL/],
    ['local @nowhere all trust', /:1: database field: "@nowhere": there is no file/],
  ];
  for (const [line, expected] of table) {
    const message = problem(line);
    assert.match(message, expected);
    assert.ok(message.startsWith(`${file}:1: `), message);
    assert.ok(!message.includes('hush'));
  }
});

test('one bad line refuses the file, and all bad lines are told at once', () => {
  const message = problem('local all all trust\nbad\nlocal all all trust\nlocal all all nonsense\n');
  assert.deepEqual(message.split('\n').map(line => line.slice(file.length, file.length + 3)), [':2:', ':4:']);
});

test('group words match nobody and are warned about', () => {
  const { rules, warnings } = parsePoolHba('local samegroup,samerole,db +admins,u trust', file);
  assert.deepEqual(rules[0]?.databases.map(name => name.keyword), [true, true, false]);
  assert.deepEqual(rules[0]?.users.map(name => name.keyword), [true, false]);
  assert.equal(warnings.length, 3);
  for (const warning of warnings) assert.ok(warning.startsWith(`${file}:1: `));
});

test('included files give their names to a list, relative to the file they stand in', () => {
  writeFileSync(join(directory, 'users'), 'alice, bob # comment\n"all"\n@more\n');
  writeFileSync(join(directory, 'more'), 'carol\n');
  assert.deepEqual(one('local all @users,dave trust').users.map(name => name.name), ['alice', 'bob', 'all', 'carol', 'dave']);
  assert.ok(one('local all @users trust').users.every(name => !name.keyword));
});

test('a file that includes itself, and a bad included file, are errors that name the place', () => {
  writeFileSync(join(directory, 'self'), 'x @self\n');
  assert.match(problem('local all @self trust'), /:1: user field: "@self": files include each other more than 10 deep/);
  writeFileSync(join(directory, 'broken'), 'x\n"y\n');
  assert.match(problem('local all @broken trust'), /:1: user field: .*broken:2: a double quote is not closed/);
  assert.match(problem('local @/dev/zero all trust'), /:1: database field: \/dev\/zero: is not a plain file/);
});
