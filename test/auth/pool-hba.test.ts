import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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

test('a line with IPv4 addresses in IPv6 form, which nobody matches, is told', () => {
  const warnings = (address: string): string[] => parsePoolHba(`# comment\nhost all all ${address} reject`, file).warnings;
  for (const address of ['::ffff:10.0.0.1/128', '::ffff:0:0/96', '::FFFF:a00:1 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff']) {
    assert.match(warnings(address).join(), new RegExp(`^${file}:2: address field: no client matches IPv4 addresses in IPv6 form`));
  }
  for (const address of ['10.0.0.1/32', '::1/128', '::/0', '::ffff:0:0/95', '::fffe:10.0.0.1/128', 'all']) assert.deepEqual(warnings(address), [], address);
});

test('options are read and belong to their method', () => {
  assert.deepEqual(one(`host all all all pam pamservice=${'a'.repeat(255)}`).options, { pamservice: 'a'.repeat(255) });
  assert.deepEqual(one('host all all all pam pamservice=pgpool pam_use_hostname=1').options, { pamservice: 'pgpool', pam_use_hostname: '1' });
  assert.deepEqual(one('host all all all ldap ldapserver="x y" "ldapsuffix=, dc=a" ldapport=389').options, { ldapserver: 'x y', ldapsuffix: ', dc=a', ldapport: '389' });
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
    ['host all all all peer', /:1: method field: method "peer" is not supported by pgloom \(nor by Pgpool-II\)/],
    ['host all all all gss include_realm=1', /:1: method field: method "gss" is not supported/],
    ['host all all all nonsense', /:1: method field: invalid authentication method "nonsense"/],
    ['hostgssenc all all all trust', /:1: type field: hostgssenc can match no connection/],
    ['host all +admins all reject', /:1: user field: \+admins is not supported.*@FILE/],
    ['host samegroup all all reject', /:1: database field: samegroup is not supported.*sameuser/],
    ['host db,samerole all all reject', /:1: database field: samerole is not supported/],
    ['host /^db all all reject', /:1: database field: regular expressions are not supported/],
    ['host all /^u all reject', /:1: user field: regular expressions are not supported/],
    ['host all all all TRUST', /:1: method field/],
    ['host all all all cert', /:1: method field: cert is only possible on hostssl/],
    ['host all all all trust mapp=x', /:1: option field: unrecognized authentication option "mapp"/],
    ['hostssl all all all cert map=x', /:1: option field: "map" is not supported, pgloom has no user name maps/],
    ['host all all all md5 clientcert=verify-ca', /:1: option field: option "clientcert" is only possible on hostssl lines/],
    ['hostssl all all all md5 clientcert=1', /:1: option field: value of "clientcert" must be verify-ca or verify-full/],
    ['hostssl all all all cert clientcert=verify-ca', /:1: option field: value of "clientcert" must be verify-full with method "cert"/],
    ['hostssl all all all md5 clientname=DN', /:1: option field: option "clientname" needs method "cert" or clientcert=verify-full/],
    ['hostssl all all all cert clientname=dn', /:1: option field: value of "clientname" must be CN or DN/],
    ['host all all all trust __proto__=x', /:1: option field: unrecognized/],
    ['host all all all trust junk', /:1: option field: an option must be written name=value/],
    ['host all all all md5 pamservice=x', /:1: option field: option "pamservice" belongs to method "pam"/],
    ...['../../etc/x', 'a/b', '..', 'a'.repeat(256), '"a b"', '""'].map((name): [string, RegExp] => [`host all all all pam pamservice=${name}`, /:1: option field: value of "pamservice" must be the name of a PAM service/]),
    ['host all all all pam pam_use_hostname=2', /:1: option field: value of "pam_use_hostname" must be 0 or 1/],
    ['host all all all ldap ldapserver=x ldapport=70000', /:1: option field: value of "ldapport"/],
    ['host all all all ldap ldapbindpasswd=hush', /:1: option field: method "ldap" needs ldapserver/],
    ['host all all all ldap ldapserver=x ldapbindpasswd=hush', /:1: option field: method "ldap" needs ldapbasedn/],
    ['host all all all ldap ldapserver=x ldapprefix=a ldapbindpasswd=hush', /:1: option field: ldapprefix and ldapsuffix .* cannot be mixed/],
    ['host all all all ldap "ldapurl=ldap://x/dc=a?uid" ldapsuffix=b', /:1: option field: .* cannot be mixed/],
    ['host all all all ldap ldapserver=x ldapbasedn=a ldapsearchattribute=b ldapsearchfilter=(c=d)', /:1: option field: ldapsearchattribute and ldapsearchfilter/],
    ['host all all all ldap ldapserver=x ldapbasedn=a ldapsearchattribute=b)(c', /:1: option field: ldapsearchattribute is not the name/],
    ['host all all all ldap ldapserver=x ldapprefix=a ldaptls=1 ldapscheme=ldaps', /:1: option field: ldaptls=1 and scheme ldaps/],
    ['host all all all ldap ldapserver=x:99999 ldapprefix=a', /:1: option field: the port of the LDAP server/],
    ['host all all all ldap ldapserver=x/y ldapprefix=a', /:1: option field: the LDAP server must be a host name/],
    ['host all all all ldap ldapurl=http://x/dc=a', /:1: option field: scheme "http" of ldapurl is not supported/],
    ['host all all all ldap ldapurl=nonsense', /:1: option field: ldapurl must be written/],
    ['host all all all ldap ldapurl=ldap://x', /:1: option field: method "ldap" needs ldapbasedn/],
    ['host all all all ldap ldapurl=ldap:///dc=a', /:1: option field: method "ldap" needs ldapserver, or ldapurl with a host/],
    ['host all all all ldap ldapurl=ldap://x/dc=a?uid?near', /:1: option field: scope of ldapurl/],
    ['host all all all ldap ldapurl=ldap://x/dc=%zz', /:1: option field: ldapurl holds a %/],
    ['host all all all ldap ldapurl=ldap://x/dc=a????!ext', /:1: option field: ldapurl asks for an extension/],
    ['include', /:1: include field: exactly one name/],
    ['include a b', /:1: include field: exactly one name/],
    ['include nowhere.conf', /:1: include field: there is no file .*nowhere\.conf/],
    ['include_dir nowhere', /:1: include_dir field: .*nowhere cannot be read \(ENOENT\)/],
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

test('what matches no client or only those who want it is warned about', () => {
  const warnings = (line: string): string[] => parsePoolHba(line, file).warnings;
  assert.match(warnings('host replication all all trust')[0] ?? '', /:1: database field: replication matches no client/);
  assert.deepEqual(warnings('host "replication" all all trust'), []);
  assert.match(warnings('host all all bad.example.org reject')[0] ?? '', /:1: address field: .*reject line with a host name/);
  assert.deepEqual(warnings('host all all good.example.org trust'), []);
  writeFileSync(join(directory, 'empty'), '# nobody\n');
  assert.match(warnings('local all @empty trust')[0] ?? '', /:1: user field: .*hold no names/);
});

test('certificates can be asked for beside another method, and hostnogssenc is host', () => {
  assert.deepEqual(one('hostssl all all all scram-sha-256 clientcert=verify-full clientname=DN').options, { clientcert: 'verify-full', clientname: 'DN' });
  assert.deepEqual(one('hostssl all all all trust clientcert=verify-ca').options, { clientcert: 'verify-ca' });
  assert.deepEqual(one('hostssl all all all cert clientname=DN').options, { clientname: 'DN' });
  assert.equal(one('hostnogssenc all all all trust').type, 'host');
});

test('a line goes on behind a backslash, but not out of a comment into a rule', () => {
  const { rules } = parsePoolHba('local all \\\n all \\\r\n trust\nhost all all all reject', file);
  assert.deepEqual(rules.map(rule => [rule.line, rule.method]), [[1, 'trust'], [4, 'reject']]);
  assert.equal(one('local "a\\\nb" all trust').databases[0]?.name, 'ab');
  assert.equal(one('local all all trust # see C:\\\n# more\n').method, 'trust');
  assert.match(problem('# see C:\\\nhost all all all reject\n'), /:1: the comment above line 2 ends with a backslash/);
  assert.match(problem('local "a#" all trust # "b\\\n\nlocal all all \\'), /:3: method field: end of line/);
});

test('include directives put the rules of other files in their place', () => {
  mkdirSync(join(directory, 'rules.d'));
  writeFileSync(join(directory, 'rules.d', '20.conf'), 'local c all trust\n');
  writeFileSync(join(directory, 'rules.d', '10.conf'), '\nlocal b @../names trust\n');
  writeFileSync(join(directory, 'rules.d', '.hidden.conf'), 'nonsense\n');
  writeFileSync(join(directory, 'rules.d', 'other.txt'), 'nonsense\n');
  writeFileSync(join(directory, 'names'), 'zoe\n');
  const { rules } = parsePoolHba('local a all trust\ninclude_dir rules.d\ninclude_if_exists nowhere\nlocal d all trust', file);
  assert.deepEqual(rules.map(rule => rule.databases[0]?.name), ['a', 'b', 'c', 'd']);
  assert.deepEqual(rules[1]?.users, [{ name: 'zoe', keyword: false }]);
  assert.deepEqual([rules[1]?.file, rules[1]?.line], [join(directory, 'rules.d', '10.conf'), 2]);
  writeFileSync(join(directory, 'rules.d', '30.conf'), 'bad\n');
  assert.ok(problem('include_dir rules.d').startsWith(`${join(directory, 'rules.d', '30.conf')}:1: type field: `));
  writeFileSync(join(directory, 'loop.conf'), 'include loop.conf\n');
  assert.match(problem('include loop.conf'), /include field: files include each other more than 10 deep/);
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
  writeFileSync(join(directory, 'with group'), 'x\n+y\n');
  assert.match(problem('local all @"with group" trust'), /:1: user field: \+y is not supported/);
  assert.match(problem('local @/dev/zero all trust'), /:1: database field: \/dev\/zero: is not a plain file/);
});
