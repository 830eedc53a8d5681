import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { matchHba, needsHostName, type HbaClient } from '../../src/shared/auth/hba-match.js';
import { parsePoolHba } from '../../src/main/access/pool-hba.js';
import { verifiedHostName, VerifiedHostNames } from '../../src/workers/authentication/verified-host-name.js';

/** Records of a name server of the test's own: `PTR 7.2.0.192.in-addr.arpa` → what it says; null: it does not answer. */
type Records = Record<string, readonly string[] | null>;

const types: Readonly<Record<number, string>> = { 1: 'A', 12: 'PTR', 28: 'AAAA' };

function labels(name: string): Buffer {
  return Buffer.concat([...name.split('.').map(label => Buffer.from([label.length, ...Buffer.from(label)])), Buffer.from([0])]);
}

function recordData(type: string, value: string): Buffer {
  if (type === 'A') return Buffer.from(value.split('.').map(Number));
  return type === 'PTR' ? labels(value) : Buffer.from(value.replaceAll(':', ''), 'hex');
}

/** Real questions and answers over UDP, as RFC 1035 has them. */
async function nameServer(t: TestContext, records: Records): Promise<{ names: VerifiedHostNames; asked: string[] }> {
  const asked: string[] = [];
  const server = createSocket('udp4');
  t.after(() => server.close());
  server.on('message', (query, from) => {
    const parts: string[] = [];
    let at = 12;
    for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
      parts.push(query.toString('latin1', at + 1, at + 1 + length));
      at += 1 + length;
    }
    const type = types[query.readUInt16BE(at + 1)] ?? '?';
    const question = `${type} ${parts.join('.').toLowerCase()}`;
    asked.push(question);
    const values = Object.hasOwn(records, question) ? records[question] : [];
    if (values === null || values === undefined) return;
    const head = Buffer.alloc(12);
    // An answer; NXDOMAIN when there is nothing.
    head.writeUInt16BE(query.readUInt16BE(0), 0);
    head.writeUInt16BE(values.length > 0 ? 0x8180 : 0x8183, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(values.length, 6);
    const answers = values.map(value => {
      const data = recordData(type, value);
      const fixed = Buffer.from([0xc0, 12, 0, query[at + 2] ?? 0, 0, 1, 0, 0, 0, 60, 0, data.length]);
      return Buffer.concat([fixed, data]);
    });
    server.send(Buffer.concat([head, query.subarray(12, at + 5), ...answers]), from.port, from.address);
  });
  await new Promise<void>(resolve => { server.bind(0, '127.0.0.1', resolve); });
  const directory = mkdtempSync(path.join(tmpdir(), 'pgloom-hosts-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const hostsFile = path.join(directory, 'hosts');
  writeFileSync(hostsFile, '127.0.0.1 localhost # comment\n::1\tlocalhost ip6-localhost\n10.0.0.1 fixed.example.org alias\n10.0.0.2 other.example.org alias fixed.example.org\n');
  const resolver = new Resolver({ timeout: 300, tries: 1 });
  resolver.setServers([`127.0.0.1:${server.address().port}`]);
  return { names: new VerifiedHostNames({ resolver, hostsFile }), asked };
}

test('a name is believed only when it leads back to the address', async t => {
  const { names } = await nameServer(t, {
    'PTR 7.2.0.192.in-addr.arpa': ['db.example.org'], 'A db.example.org': ['192.0.2.1', '192.0.2.7'],
    // Says to be somebody else.
    'PTR 8.2.0.192.in-addr.arpa': ['db.example.org'],
    'PTR 9.2.0.192.in-addr.arpa': ['nowhere.example.org'],
    'PTR 10.2.0.192.in-addr.arpa': ['bad name.example.org'], 'A bad name.example.org': ['192.0.2.10'],
    'PTR 11.2.0.192.in-addr.arpa': ['localhost'],
    'PTR 7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa': ['six.example.org'],
    'AAAA six.example.org': ['2001:0db8:0000:0000:0000:0000:0000:0007'], 'A six.example.org': ['192.0.2.7'],
  });
  assert.equal(await names.nameOf('192.0.2.7'), 'db.example.org');
  assert.equal(await names.nameOf('::ffff:192.0.2.7'), 'db.example.org');
  assert.equal(await names.nameOf('2001:db8::7'), 'six.example.org');
  for (const last of [8, 9, 10, 11, 12]) assert.equal(await names.nameOf(`192.0.2.${last}`), undefined, String(last));
  for (const text of ['', 'db.example.org', '[local]']) assert.equal(await names.nameOf(text), undefined, text);
});

test('/etc/hosts comes before the name server, in both directions', async t => {
  const { names, asked } = await nameServer(t, { 'PTR 3.0.0.10.in-addr.arpa': ['fixed.example.org'], 'A fixed.example.org': ['10.0.0.3'] });
  assert.equal(await names.nameOf('127.0.0.1'), 'localhost');
  assert.equal(await names.nameOf('0:0:0:0:0:0:0:1'), 'localhost');
  assert.equal(await names.nameOf('10.0.0.1'), 'fixed.example.org');
  assert.equal(await names.nameOf('10.0.0.2'), 'other.example.org');
  assert.deepEqual(asked, []);
  // The name server may say what it likes about a name that stands in the file.
  assert.equal(await names.nameOf('10.0.0.3'), undefined);
  assert.equal(await verifiedHostName('127.0.0.1'), 'localhost');
});

test('answers are kept for a short time, and one question is enough for many who wait', async t => {
  const records: Records = { 'PTR 7.2.0.192.in-addr.arpa': ['db.example.org'], 'A db.example.org': ['192.0.2.7'] };
  const { names, asked } = await nameServer(t, records);
  const found = await Promise.all(Array.from({ length: 50 }, () => names.nameOf('192.0.2.7', 0)));
  assert.ok(found.every(name => name === 'db.example.org'));
  records['A db.example.org'] = ['192.0.2.1'];
  assert.equal(await names.nameOf('192.0.2.7', 10_000), 'db.example.org');
  assert.equal(asked.length, 2);
  assert.equal(await names.nameOf('192.0.2.7', 120_000), undefined);
  // That there is none is forgotten sooner.
  records['A db.example.org'] = ['192.0.2.7'];
  assert.equal(await names.nameOf('192.0.2.7', 121_000), undefined);
  assert.equal(await names.nameOf('192.0.2.7', 140_000), 'db.example.org');
});

test('a name server that does not answer costs a short time', async t => {
  const { names } = await nameServer(t, { 'PTR 7.2.0.192.in-addr.arpa': null });
  assert.equal(await names.nameOf('192.0.2.7'), undefined);
});

test('a line of pool_hba.conf with a host name lets in only whom the name leads to', async t => {
  const { names, asked } = await nameServer(t, {
    'PTR 7.2.0.192.in-addr.arpa': ['db.example.org'], 'A db.example.org': ['192.0.2.7'], 'PTR 8.2.0.192.in-addr.arpa': ['db.example.org'],
  });
  const { rules } = parsePoolHba('host all admin .example.org trust\nhost all all 192.0.2.0/24 reject', 'f');
  const line = async (user: string, address: string): Promise<number | undefined> => {
    const client: HbaClient = { transport: 'tcp', address, tls: false, user, database: 'd' };
    const hostName = needsHostName(rules, client) ? await names.nameOf(address) : undefined;
    return matchHba(rules, { ...client, ...(hostName !== undefined && { hostName }) })?.line;
  };
  assert.equal(await line('admin', '192.0.2.7'), 1);
  assert.equal(await line('admin', '192.0.2.8'), 2);
  const { length } = asked;
  assert.equal(await line('other', '192.0.2.7'), 2);
  assert.equal(asked.length, length);
});
