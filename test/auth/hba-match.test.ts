import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { parsePoolHba } from '../../src/main/access/pool-hba.js';
import { matchHba, needsHostName, type HbaClient } from '../../src/shared/auth/hba-match.js';

const tcp: HbaClient = { transport: 'tcp', address: '10.1.2.3', tls: false, user: 'alice', database: 'shop' };
const unix: HbaClient = { ...tcp, transport: 'unix', address: '' };

/** Number of the line that decides, null for none. */
function line(file: string, client: HbaClient): number | null {
  return matchHba(parsePoolHba(file, 'f').rules, client)?.line ?? null;
}

test('the first line that matches decides, and none at all turns away', () => {
  assert.equal(line('local all all trust\nhost all bob all trust\nhost all all all reject\nhost all all all trust', tcp), 3);
  assert.equal(line('local all all trust', tcp), null);
  assert.equal(line('', unix), null);
});

test('the type says which connections a line is for', () => {
  const expected: Record<string, [boolean, boolean, boolean]> = {
    local: [true, false, false], host: [false, true, true], hostnossl: [false, true, false], hostssl: [false, false, true],
  };
  for (const [type, matches] of Object.entries(expected)) {
    const text = type === 'local' ? 'local all all trust' : `${type} all all all trust`;
    const found = [unix, tcp, { ...tcp, tls: true }].map(client => line(text, client) !== null);
    assert.deepEqual(found, matches, type);
  }
});

test('databases and users match by exact name or keyword', () => {
  const table: [string, Partial<HbaClient>, boolean][] = [
    ['shop alice', {}, true],
    ['Shop alice', {}, false],
    ['other,shop bob,alice', {}, true],
    ['all all', {}, true],
    ['"all" all', {}, false],
    ['"all" all', { database: 'all' }, true],
    ['sameuser all', {}, false],
    ['sameuser all', { database: 'alice' }, true],
    ['"sameuser" all', { database: 'alice' }, false],
    ['all "+alice"', { user: '+alice' }, true],
    ['replication all', { database: 'replication' }, false],
    ['"replication" all', { database: 'replication' }, true],
  ];
  for (const [names, change, matches] of table) {
    assert.equal(line(`host ${names} all trust`, { ...tcp, ...change }) !== null, matches, `${names} ${JSON.stringify(change)}`);
  }
});

test('addresses match by network, and IPv4 in IPv6 clothes is IPv4', () => {
  const table: [string, string, boolean][] = [
    ['10.1.2.3/32', '10.1.2.3', true],
    ['10.1.2.3/32', '10.1.2.4', false],
    ['10.1.0.0/16', '10.1.255.255', true],
    ['10.1.0.0/15', '10.2.0.0', false],
    ['10.1.2.3 255.255.255.252', '10.1.2.1', true],
    ['127.0.0.1/32', '::ffff:127.0.0.1', true],
    ['127.0.0.1/32', '::ffff:7f00:1', true],
    // As with PostgreSQL, whose IPv6 sockets take no IPv4.
    ['::ffff:127.0.0.1/128', '127.0.0.1', false],
    ['::ffff:127.0.0.1/128', '::ffff:127.0.0.1', false],
    ['::ffff:0:0/96', '::ffff:127.0.0.1', false],
    ['0.0.0.0/0', '::1', false],
    ['::/0', '10.1.2.3', false],
    ['::/0', '::ffff:10.1.2.3', false],
    ['::1/128', '::1', true],
    ['2001:db8::/33', '2001:db8:7fff::1', true],
    ['2001:db8::/33', '2001:db8:8000::1', false],
    ['fe80::/10', 'fe80::1%eth0', true],
    ['all', 'not an address', true],
    ['0.0.0.0/0', 'not an address', false],
    ['samehost', 'not an address', false],
  ];
  for (const [rule, address, matches] of table) {
    assert.equal(line(`host all all ${rule} trust`, { ...tcp, address }) !== null, matches, `${rule} ${address}`);
  }
});

test('samehost is this host\'s addresses and samenet their networks', () => {
  const { rules } = parsePoolHba('host all all samehost trust\nhost all all samenet reject', 'f');
  const own = [{ address: '10.1.2.9', netmask: '255.255.255.0' }, { address: 'fe80::1', netmask: 'ffff:ffff:ffff:ffff::' }];
  const found = (address: string): number | undefined => matchHba(rules, { ...tcp, address }, () => own)?.line;
  assert.equal(found('10.1.2.9'), 1);
  assert.equal(found('10.1.2.3'), 2);
  assert.equal(found('10.1.3.3'), undefined);
  assert.equal(found('fe80::1'), 1);
  assert.equal(found('fe80::2'), 2);
  for (const { address } of Object.values(networkInterfaces()).flatMap(list => list ?? [])) {
    assert.equal(matchHba(rules, { ...tcp, address })?.line, 1, address);
  }
});

test('host names match only a name that the caller has confirmed', () => {
  const { rules } = parsePoolHba('host all all db.Example.org trust\nhost all all .example.org reject', 'f');
  const found = (hostName?: string): number | undefined => matchHba(rules, hostName === undefined ? tcp : { ...tcp, hostName })?.line;
  assert.equal(found(), undefined);
  assert.equal(found('DB.example.org.'), 1);
  assert.equal(found('web.example.org'), 2);
  assert.equal(found('example.org'), undefined);
  assert.equal(found('notexample.org'), undefined);
});

test('a host name is asked for only when it can decide', () => {
  const needs = (file: string, client: HbaClient = tcp): boolean => needsHostName(parsePoolHba(file, 'f').rules, client);
  assert.equal(needs('host all all db.example.org trust'), true);
  assert.equal(needs('host all bob 10.1.2.3/32 md5\nhost all all db.example.org trust\nhost all all all reject'), true);
  assert.equal(needs('host all all 10.1.2.3/32 trust\nhost all all db.example.org trust'), false);
  assert.equal(needs('host all bob db.example.org trust'), false);
  assert.equal(needs('host other all db.example.org trust'), false);
  assert.equal(needs('hostssl all all db.example.org trust'), false);
  assert.equal(needs('host all all db.example.org trust', unix), false);
  assert.equal(needs('host all all all trust\nlocal all all trust'), false);
});
