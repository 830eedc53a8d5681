import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { freePort } from '../../src/main/demo/free-port.js';
import { ldapOptions } from '../../src/shared/auth/ldap-options.js';
import { ldapLogin, type LdapResult } from '../../src/workers/authentication/ldap.js';
import { makeCertificates, type TestCertificates } from '../support/certificates.js';
import { noSlapd, startLdapServer, type LdapServer } from './ldap-server.js';

const limitMs = 10_000;
const directory = mkdtempSync(path.join(tmpdir(), 'pgloom-ldap-'));
let server: LdapServer | undefined;
let certificates: TestCertificates;

before(async () => {
  certificates = await makeCertificates(directory, 'alice');
  process.env['LDAPTLS_CACERT'] = certificates.authority.cert;
  if (noSlapd === false) server = await startLdapServer(await certificates.authority.issueServer('localhost', ['DNS:localhost']));
});
after(async () => {
  await server?.stop();
  rmSync(directory, { recursive: true, force: true });
});

type Options = Readonly<Record<string, string>>;
const at = (options: Options): Options => ({ ldapserver: '127.0.0.1', ldapport: String(server?.port), ...options });
const simple: Options = { ldapprefix: 'uid=', ldapsuffix: ',ou=people,dc=example,dc=org' };
const base = 'ou=people,dc=example,dc=org';
const login = (options: Options, user: string, password: string): Promise<LdapResult> => ldapLogin(at(options), user, password, limitMs);

async function refused(result: Promise<LdapResult>, reason: RegExp): Promise<void> {
  const found = await result;
  assert.ok(!found.ok, 'let in');
  assert.match(found.reason, reason);
  assert.match(found.reason, /^[^\n]{1,300}$/);
}

test('simple bind lets in who has the password, and nobody else', { skip: noSlapd }, async () => {
  assert.deepEqual(await login(simple, 'alice', 'wonder'), { ok: true });
  await refused(login(simple, 'alice', 'Wonder'), /InvalidCredentials/);
  await refused(login(simple, 'alice', 'builder'), /InvalidCredentials/);
  await refused(login(simple, 'nobody', 'wonder'), /InvalidCredentials/);
  await refused(login(simple, 'alice', ''), /^empty password$/);
});

test('a user name stays one value of the DN', { skip: noSlapd }, async () => {
  assert.deepEqual(await login(simple, 'smith, john+x', 'comma'), { ok: true });
  await refused(login(simple, 'deep,ou=more', 'down'), /InvalidCredentials/);
  assert.deepEqual(await login({ ...simple, ldapsuffix: `,ou=more,${base}` }, 'deep', 'down'), { ok: true });
  await refused(login({ ldapsuffix: '' }, 'uid=alice,ou=people,dc=example,dc=org', 'wonder'), /invalid character/);
  await refused(login(simple, 'alice\0', 'wonder'), /invalid character/);
  for (const user of ['EXTERNAL', 'PLAIN']) await refused(login({ ldapsuffix: '' }, user, 'wonder'), /no name that can be bound/);
});

test('search+bind finds the one entry of the user and tries the password there', { skip: noSlapd }, async () => {
  const search = { ldapbasedn: base };
  assert.deepEqual(await login(search, 'alice', 'wonder'), { ok: true });
  assert.deepEqual(await login(search, 'deep', 'down'), { ok: true });
  assert.deepEqual(await login(search, 'smith, john+x', 'comma'), { ok: true });
  await refused(login(search, 'alice', 'builder'), /InvalidCredentials/);
  await refused(login(search, 'nobody', 'wonder'), /does not exist/);
  await refused(login(search, 'alice', ''), /^empty password$/);
  await refused(login({ ...search, ldapsearchattribute: 'cn' }, 'twice', 'comma'), /not unique/);
  assert.deepEqual(await login({ ...search, ldapsearchattribute: 'mail' }, 'alice@example.org', 'wonder'), { ok: true });
  for (const user of ['*', 'al*', 'alice)(uid=*', 'a\\6cice', 'x/y']) await refused(login(search, user, 'wonder'), /invalid character/);
  await refused(login({ ldapbasedn: 'dc=nowhere' }, 'alice', 'wonder'), /search for the LDAP user: .*NoSuchObject/);
});

test('a filter finds the user by what it says', { skip: noSlapd }, async () => {
  const search = { ldapbasedn: base, ldapsearchfilter: '(|(uid=$username)(mail=$username))' };
  assert.deepEqual(await login(search, 'alice@example.org', 'wonder'), { ok: true });
  assert.deepEqual(await login(search, 'bob', 'builder'), { ok: true });
  assert.deepEqual(await login({ ...search, ldapsearchfilter: 'uid=$username' }, 'bob', 'builder'), { ok: true });
  await refused(login({ ...search, ldapsearchfilter: '(objectClass=inetOrgPerson)' }, 'bob', 'builder'), /not unique/);
  await refused(login({ ...search, ldapsearchfilter: '((' }, 'bob', 'builder'), /ldapsearchfilter is no LDAP filter/);
});

test('who searches may be named, and what only he sees is found', { skip: noSlapd }, async () => {
  const search = { ldapbasedn: 'dc=example,dc=org', ldapbinddn: 'cn=search,dc=example,dc=org', ldapbindpasswd: 'search-secret' };
  assert.deepEqual(await login(search, 'carol', 'hidden'), { ok: true });
  await refused(login({ ldapbasedn: 'dc=example,dc=org' }, 'carol', 'hidden'), /does not exist/);
  const wrong = login({ ...search, ldapbindpasswd: 'other-secret' }, 'carol', 'hidden');
  await refused(wrong, /initial bind for the search: .*InvalidCredentials/);
  const result = await wrong;
  assert.ok(!result.ok && !/other-secret|hidden/.test(result.reason));
});

test('ldapurl stands for the other options', { skip: noSlapd }, async () => {
  const url = `ldap://localhost:${server?.port}/ou=people,dc=example%2Cdc=org?uid`;
  const asUrl = (ldapurl: string, more: Options = {}): Promise<LdapResult> => ldapLogin({ ldapurl, ...more }, 'deep', 'down', limitMs);
  assert.deepEqual(await asUrl(`${url}?sub`), { ok: true });
  await refused(asUrl(`${url}?one`), /does not exist/);
  await refused(asUrl(url), /does not exist/);
  assert.deepEqual(await asUrl(`ldap://127.0.0.1:${server?.port}/dc=example,dc=org??sub?(uid=$username)`), { ok: true });
  assert.deepEqual(await asUrl('ldap://127.0.0.1:1/dc=example,dc=org?uid?sub', { ldapport: String(server?.port) }), { ok: true });
  assert.deepEqual(await ldapLogin({ ldapurl: `ldap://127.0.0.1:${server?.port}`, ...simple }, 'alice', 'wonder', limitMs), { ok: true });
  assert.deepEqual(ldapOptions({ ldapport: '1', ldapurl: 'ldap://x/' }).servers, [{ host: 'x', port: 389 }]);
  assert.deepEqual(ldapOptions({ ldapport: '1', ldapurl: 'LDAPS://[::1]:2/?' }).servers, [{ host: '::1', port: 2 }]);
  assert.deepEqual(ldapOptions({ ldapurl: 'ldaps://x/dc=a' }), {
    scheme: 'ldaps', servers: [{ host: 'x', port: 636 }], startTls: false,
    mode: { kind: 'search', baseDn: 'dc=a', bindDn: '', bindPassword: '', scope: 'base', by: { attribute: 'uid' } },
  });
});

test('ldaps and StartTLS ask for a certificate of a known authority with the name of the server', { skip: noSlapd }, async () => {
  const secure = { ...simple, ldapserver: 'localhost', ldapscheme: 'ldaps', ldapport: String(server?.securePort) };
  const upgraded = { ...simple, ldapserver: 'localhost', ldaptls: '1' };
  for (const options of [secure, upgraded]) {
    assert.deepEqual(await login(options, 'alice', 'wonder'), { ok: true });
    await refused(login(options, 'alice', 'builder'), /InvalidCredentials/);
    await refused(login({ ...options, ldapserver: '127.0.0.1' }, 'alice', 'wonder'), /LDAP server 127\.0\.0\.1 port \d+: .*IP/);
    delete process.env['LDAPTLS_CACERT'];
    await refused(login(options, 'alice', 'wonder'), /LDAP server localhost port \d+: .*certificate/);
    process.env['LDAPTLS_REQCERT'] = 'never';
    assert.deepEqual(await login(options, 'alice', 'wonder'), { ok: true });
    delete process.env['LDAPTLS_REQCERT'];
    process.env['LDAPTLS_CACERT'] = path.join(directory, 'nowhere');
    await refused(login(options, 'alice', 'wonder'), /ENOENT/);
    process.env['LDAPTLS_CACERT'] = certificates.authority.cert;
  }
});

test('the next server is asked when one does not answer, but not when it refuses', { skip: noSlapd }, async () => {
  const nobody = await freePort();
  assert.deepEqual(await login({ ...simple, ldapserver: `127.0.0.1:${nobody}  localhost` }, 'alice', 'wonder'), { ok: true });
  const upgraded = { ...simple, ldaptls: '1', ldapserver: `127.0.0.1:${nobody} localhost` };
  assert.deepEqual(await login(upgraded, 'alice', 'wonder'), { ok: true });
  await refused(login({ ...simple, ldapserver: `127.0.0.1 127.0.0.1:${nobody}` }, 'alice', 'builder'), /InvalidCredentials/);
  await refused(login({ ...simple, ldapserver: `127.0.0.1:${nobody}` }, 'alice', 'wonder'), /ECONNREFUSED/);
});

test('many logins at the same time each get their own answer', { skip: noSlapd }, async () => {
  const results = await Promise.all(Array.from({ length: 40 }, (_, i) => login({ ldapbasedn: base }, i % 2 === 0 ? 'alice' : 'bob', 'wonder')));
  assert.deepEqual(results.map(result => result.ok), results.map((_, i) => i % 2 === 0));
});

/** A server that answers as no real one does. */
async function fake(t: TestContext, answer: (socket: Socket, data: Buffer) => void): Promise<{ port: number; connections: () => number }> {
  let count = 0;
  const sockets = new Set<Socket>();
  const listener = createServer(socket => {
    count++;
    sockets.add(socket);
    socket.on('error', () => undefined).on('data', data => answer(socket, data));
  });
  await new Promise<void>(resolve => { listener.listen(0, '127.0.0.1', resolve); });
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    listener.close();
  });
  return { port: (listener.address() as AddressInfo).port, connections: () => count };
}
const loginAt = (port: number, options: Options, ms = limitMs): Promise<LdapResult> =>
  ldapLogin({ ...simple, ldapserver: '127.0.0.1', ldapport: String(port), ...options }, 'alice', 'wonder', ms);

test('a server that says nothing has said no when the time is over', async t => {
  const { port } = await fake(t, () => undefined);
  await refused(loginAt(port, {}, 200), /^LDAP: no answer within 200 ms$/);
  await refused(loginAt(port, { ldaptls: '1' }, 200), /no answer/);
  await refused(loginAt(port, { ldapscheme: 'ldaps' }, 200), /no answer/);
});

test('a connection that breaks is not opened again behind the back of TLS', async t => {
  const { port, connections } = await fake(t, socket => socket.destroy());
  await refused(loginAt(port, {}), /closed|Socket error/);
  assert.equal(connections(), 1);
  const search = { ldapserver: '127.0.0.1', ldapport: String(port), ldapbasedn: 'dc=x' };
  // Says yes to the first bind and closes: the search meets a closed connection.
  const second = await fake(t, socket => socket.end(Buffer.from('300c02010261070a010004000400', 'hex')));
  await refused(ldapLogin({ ...search, ldapport: String(second.port) }, 'alice', 'wonder', limitMs), /closed/);
  assert.equal(second.connections(), 1);
});

test('what a hostile server writes comes into the log as one short line that controls nothing', async t => {
  const hostile = `\u001b[31mred\u0007\r\n2026-01-01 LOG:  let in\u0085\u2028\u202etxet\u009b2J\ufeff${'long '.repeat(20_000)}`;
  const element = (tag: number, ...parts: (string | Buffer)[]): Buffer => {
    const content = Buffer.concat(parts.map(part => Buffer.from(part)));
    const head = Buffer.from([tag, 0x83, 0, 0, 0]);
    head.writeUIntBE(content.length, 2, 3);
    return Buffer.concat([head, content]);
  };
  const { port } = await fake(t, (socket, request) => {
    const id = request.subarray(2, 5);
    socket.write(element(0x30, id, element(0x61, Buffer.from([0x0a, 1, 49]), element(0x04), element(0x04, hostile))));
  });
  const clean = /^[ -~]{1,300}$/;
  const bound = await loginAt(port, {});
  assert.ok(!bound.ok && clean.test(bound.reason) && /InvalidCredentials.*red 2026.*let in .*long long/.test(bound.reason), JSON.stringify(bound));
  const searched = await ldapLogin({ ldapserver: '127.0.0.1', ldapport: String(port), ldapbasedn: 'dc=x' }, 'alice', 'wonder', limitMs);
  assert.ok(!searched.ok && clean.test(searched.reason) && /initial bind for the search: .*let in/.test(searched.reason), JSON.stringify(searched));

  const { cert, key } = await certificates.authority.issueServer('x', Array.from({ length: 100 }, (_, i) => `DNS:hostile-${i}.example.org`));
  const listener = createTlsServer({ cert: readFileSync(cert), key: readFileSync(key) }, socket => socket.on('error', () => undefined)).listen(0, '127.0.0.1');
  t.after(() => listener.close());
  await once(listener, 'listening');
  const shown = await loginAt((listener.address() as AddressInfo).port, { ldapscheme: 'ldaps', ldapserver: 'localhost' });
  assert.ok(!shown.ok && clean.test(shown.reason) && /hostile-0/.test(shown.reason), JSON.stringify(shown));
});

test('bytes ahead of the TLS handshake and refusals of StartTLS are refused', async t => {
  const yes = '300c02010178070a010004000400';
  const table: [string, RegExp][] = [
    // Half an answer to a bind, which the first encrypted byte would complete.
    [`${yes}300d02010261080a01000400040100`.slice(0, -2), /bytes ahead of the TLS handshake/],
    [yes.replace('0a0100', '0a0102'), /refused it \(result code 2\)/],
    [yes.replace('78', '61'), /cannot be read/],
    ['30840fffffff', /no answer|closed|no LDAP message/],
  ];
  for (const [answer, reason] of table) {
    const { port } = await fake(t, socket => socket.write(Buffer.from(answer, 'hex')));
    await refused(loginAt(port, { ldaptls: '1' }, answer.length < 20 ? 200 : limitMs), reason);
  }
});
