/** `pgpool check-auth`: what it says, and that a real pgpool then does what it says. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Client, type ClientConfig } from 'pg';
import { parseCheckAuth } from '../../src/main/command/check-auth/options.js';
import { freePort } from '../../src/main/demo/free-port.js';
import { aesPassword } from '../../src/shared/auth/aes-password.js';
import { md5Hash } from '../../src/shared/auth/md5.js';
import { sharedCluster } from '../support/cluster.js';
import { startPgloom, withClient, type Pgloom } from '../support/pgloom.js';
import { AuthStage, key, remedies, right, text, type SetUp, type Told } from './check-auth-stage.js';
import { runOurs } from './commands.js';

let stage: AuthStage;

before(async () => {
  stage = await AuthStage.open();
});

after(() => stage?.close());

async function canLogIn(pgloom: Pgloom, user: string, password: string, config: ClientConfig = {}): Promise<boolean> {
  const client = new Client({ host: pgloom.host, port: pgloom.port, user, database: 'test', password, connectionTimeoutMillis: 20_000, ...config });
  try {
    await client.connect();
    return true;
  } catch (error) {
    assert.match(String((error as { code?: string }).code), /^(28|08006|3D)/, String(error));
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

interface Expected {
  readonly user: string;
  readonly verdict: RegExp;
  readonly works: boolean;
  readonly remedy?: RegExp;
}

const works = (user: string, verdict = /the login works/): Expected => ({ user, verdict, works: true });
const fails = (user: string, verdict: RegExp, remedy: RegExp): Expected => ({ user, verdict, works: false, remedy });
const lines = (...users: string[]) => (stored: (user: string) => string): string => users.map((user) => `${user}:${stored(user)}\n`).join('');

/** The set-ups of which a real pgpool is asked, too. */
const setUps: readonly (SetUp & { readonly name: string; readonly expected: () => readonly Expected[] })[] = [
  {
    name: 'relay mode with plain passwords', poolPasswd: lines('password_a', 'md5_a', 'scram_a', 'walled')(() => text),
    expected: () => [
      works('trust_a', /asked by nothing/), works('password_a', /asked by password/), works('md5_a', /asked by md5/), works('scram_a', /right password: the client is asked by scram-sha-256/),
      fails('scram_b', /the login fails: the client is asked by scram-sha-256, and whatever it answers is refused: pool_passwd has no password of user "scram_b"/, /pg_enc -m .* -u scram_b .*auth_user.*allow_clear_text_frontend_auth/s),
      fails('walled', /the login fails: DB node 0: .*pg_hba.conf rejects connection for host/, /host test walled <address of this host>/),
    ],
  },
  {
    name: 'relay mode with md5 hashes', poolPasswd: lines('md5_a', 'scram_a')((user) => md5Hash(right, user)),
    expected: () => [works('md5_a'), fails('scram_a', /asked by scram-sha-256, and pool_passwd has only an md5 hash/, /pg_enc -m .* -u scram_a/)],
  },
  {
    name: 'relay mode that asks for clear text', settings: { allow_clear_text_frontend_auth: true },
    expected: () => [works('scram_a', /asked by password/), works('md5_a', /asked by password/)],
  },
  {
    name: 'md5 in pool_hba.conf', hba: 'host all all all md5', poolPasswd: lines('md5_a', 'scram_a', 'password_a')((user) => md5Hash(right, user)),
    expected: () => [
      works('md5_a'),
      fails('scram_a', /pool_passwd has an md5 hash, but DB node 0 asks for scram-sha-256 .*password_encryption/, /pg_enc -m .* -u scram_a/),
      fails('password_a', /pool_passwd has an md5 hash, but DB node 0 asks for password \(clear text\)/, /pg_enc/),
    ],
  },
  {
    name: 'passwords that the server refuses', hba: 'host all md5_a all md5\nhost all all all scram-sha-256',
    poolPasswd: `scram_a:TEXTold\nscram_b:${text}\nscram_ghost:${text}\nmd5_a:${md5Hash('old', 'md5_a')}\n`,
    expected: () => [
      works('scram_b'),
      fails('scram_a', /DB node 0: refuses the password in pool_passwd: password authentication failed/, /pool_passwd is not that of the server \(any more\): pg_enc -m .* -u scram_a/),
      fails('md5_a', /DB node 0: refuses an md5 hash in pool_passwd: password authentication failed/, /pg_enc -m .* -u md5_a/),
      fails('scram_ghost', /refuses the password in pool_passwd/, /CREATE ROLE "scram_ghost" LOGIN/),
    ],
  },
  {
    name: 'the methods of pool_hba.conf that ask for nothing', hba: ['host all trust_a all password', 'host all scram_b all reject', 'host all scram_looker all trust', 'host other all all trust', 'host all md5_a,scram_a all trust'].join('\n'),
    expected: () => [
      fails('trust_a', /compared with nothing/, /pg_enc/),
      fails('scram_b', /pool_hba.conf:2 rejects/, /host test scram_b 127.0.0.1\/32 scram-sha-256/),
      fails('scram_looker', /asks for scram-sha-256, .*pool_hba.conf:3 \(trust\) asks the client for no password, and pool_passwd has no password/, /pg_enc/),
      fails('password_a', /no pool_hba.conf entry for host "127.0.0.1", user "password_a", database "test", SSL off/, /write into .*pool_hba.conf/),
    ],
  },
];

test('what it says is what a pgpool with the same files does', async () => {
  for (const { name, expected, ...setUp } of setUps) {
    const pgloom = await startPgloom({ nodes: [stage.server], ...setUp, settings: { worker_threads: 1, auth_failure_delay: 0, ...setUp.settings } });
    try {
      await Promise.all(expected().map((one) => agrees(pgloom, name, one)));
    } finally {
      await pgloom.stop();
    }
  }
});

async function agrees(pgloom: Pgloom, name: string, { user, verdict, works: isGood, remedy = /(?:)/ }: Expected): Promise<void> {
  const told = await stage.check(pgloom.configFile, user, null);
  const what = `${name}: ${user}: ${JSON.stringify(told.report, null, 1)}`;
  assert.equal(told.client.works, isGood, what);
  assert.match(told.client.verdict, verdict, what);
  assert.match(remedies(told), remedy, what);
  assert.equal(await canLogIn(pgloom, user, right), isGood, what);
  // With the password it logs in itself; where it could not work there is no more to be seen.
  if (isGood) assert.equal((await stage.check(pgloom.configFile, user, right)).client.works, true, what);
}

test('a SCRAM-SHA-256 verifier serves a client that proves itself by it, at a server that has the same one', async () => {
  const [own = '', foreign = ''] = [stage.verifiers.get('scram_a'), stage.verifiers.get('scram_b')];
  const poolPasswd = `scram_a:${own}\nscram_weak:${foreign}\nmd5_a:${own}\n`;
  const pgloom = await startPgloom({ nodes: [stage.server], hba: 'host all all all scram-sha-256', poolPasswd, settings: { worker_threads: 1, auth_failure_delay: 0 } });
  try {
    for (const one of [
      works('scram_a', /asked by scram-sha-256/),
      fails('scram_weak', /DB node 0: has another SCRAM-SHA-256 verifier than pool_passwd/, /SELECT rolpassword FROM pg_authid WHERE rolname = 'scram_weak'/),
      fails('md5_a', /pool_passwd has a SCRAM-SHA-256 verifier, but DB node 0 asks for md5/, /ALTER ROLE "md5_a" PASSWORD.*pg_md5 -m/s),
    ]) await agrees(pgloom, 'verifiers', one);
    const wrong = await stage.check(pgloom.configFile, 'scram_a', 'wrong');
    assert.match(wrong.client.verdict, /it is not the one that pool_passwd has/);
    const logged = await stage.check(pgloom.configFile, 'scram_a', right);
    assert.ok(logged.client.findings.some(({ about, text: said }) => about === 'DB node 0' && said.startsWith('logged in with the proof of the client')));
  } finally {
    await pgloom.stop();
  }
  const trusting = await stage.check(stage.writeFiles({ hba: 'host all all all trust', poolPasswd }), 'scram_a', null);
  assert.match(trusting.client.verdict, /of use only when the client proves itself by scram-sha-256; .*pool_hba.conf:1 says trust/);
  assert.match(remedies(trusting), /set the method in .*pool_hba.conf:1 to scram-sha-256/);
});

test('auth_query is asked, and what keeps its role from the answer is told', async () => {
  const settings = { auth_user: 'scram_looker', auth_password: right, pool_passwd: '' };
  const pgloom = await startPgloom({ nodes: [stage.server], hba: 'host all all all scram-sha-256', settings: { worker_threads: 1, auth_failure_delay: 0, ...settings } });
  try {
    for (const one of [works('scram_a'), fails('md5_a', /only an md5 hash/, /SET password_encryption = 'scram-sha-256'; ALTER ROLE "md5_a"/), fails('nobody', /auth_query has no password of user "nobody"/, /CREATE ROLE "nobody"/)]) {
      await agrees(pgloom, 'auth_query', one);
    }
  } finally {
    await pgloom.stop();
  }
  const weak = await stage.check(stage.writeFiles({ hba: 'host all all all scram-sha-256', settings: { ...settings, auth_user: 'scram_weak' } }), 'scram_a', null);
  assert.match(weak.client.verdict, /auth_query could not be asked/);
  assert.match(remedies(weak), /ALTER ROLE "scram_weak" SUPERUSER/);
  // What it says is to be done can be pasted, and mends it.
  const [, sql = '', query = ''] = /database "postgres": (CREATE FUNCTION .*"scram_weak"); and in .*: auth_query = '([^']*)'/.exec(remedies(weak)) ?? [];
  await stage.server.query(sql);
  const mended = stage.writeFiles({ hba: 'host all all all scram-sha-256', settings: { ...settings, auth_user: 'scram_weak', auth_query: query } });
  assert.match((await stage.check(mended, 'scram_a', right)).client.verdict, /the login works/);
  const found = weak.report.findings.find(({ about }) => about === 'auth_query');
  assert.match(found?.text ?? '', /permission denied .* role "scram_weak" has not the right to read the passwords/);
  const locked = await stage.check(stage.writeFiles({ hba: 'host all all all scram-sha-256', settings: { ...settings, auth_password: 'other' } }), 'scram_a', null);
  assert.match(locked.report.findings.find(({ about }) => about === 'auth_query')?.text ?? '', /login failed: password authentication failed/);
});

test('the line of pool_passwd, its form and the key file are told, and an old password is noticed when one is typed', async () => {
  const keyFile = join(stage.scratch, 'the.key');
  writeFileSync(keyFile, `${key}\n`, { mode: 0o600 });
  const poolPasswd = `# none\nother:TEXTx\nscram_a:${aesPassword(right, Buffer.from(key))}\nscram_b:TEXTold\n`;
  const configFile = stage.writeFiles({ hba: 'host all all all scram-sha-256', poolPasswd });
  const stored = ({ report }: Told): string => report.findings.find(({ about }) => about === 'stored password')?.text ?? '';
  const good = await stage.check(configFile, 'scram_a', right, '-k', keyFile);
  assert.match(stored(good), /pool_passwd:3 has the password itself \(AES, decrypted with the key in .*the\.key\)/);
  assert.equal(good.client.works, true);
  const keyless = await stage.check(configFile, 'scram_a', null, '-k', join(stage.scratch, 'no.key'));
  assert.match(stored(keyless), /pool_passwd:3: .*encrypted with AES/);
  assert.equal(keyless.client.works, false);
  assert.match(stored(keyless), /there is no key to decrypt it: .*no\.key: there is no such file/);
  assert.match(keyless.report.findings.find(({ about }) => about === 'stored password')?.remedy ?? '', /^name the key file that pgpool runs with: -k FILE or PGPOOLKEYFILE .*; only when the key is lost, make another first/);
  const foreignKey = join(stage.scratch, 'foreign.key');
  writeFileSync(foreignKey, 'not it\n', { mode: 0o600 });
  const foreign = await stage.check(configFile, 'scram_a', null, '-k', foreignKey);
  assert.match(stored(foreign), /the key file does not decrypt it/);
  assert.match(remedies(foreign), /name the key file .*foreign\.key is another one/);
  const old = await stage.check(configFile, 'scram_b', 'old', '-k', keyFile);
  assert.match(old.client.verdict, /DB node 0: refuses the password in pool_passwd: password authentication failed/);
  assert.match(remedies(old), /is not that of the server \(any more\): pg_enc -m/);
});

test('a database that is not there is found without a password, or it is said that nobody looked', async () => {
  const hba = 'host all all all scram-sha-256';
  const absent = ['-d', 'nowhere'];
  const stored = await stage.check(stage.writeFiles({ hba, poolPasswd: `scram_a:${text}\n` }), 'scram_a', null, ...absent);
  assert.match(stored.client.verdict, /the login fails: DB node 0: refuses the password in pool_passwd: database "nowhere" does not exist/);
  assert.match(remedies(stored), /CREATE DATABASE "nowhere"/);
  const settings = { auth_user: 'scram_looker', auth_password: right };
  const looked = await stage.check(stage.writeFiles({ hba, settings }), 'scram_a', null, ...absent);
  assert.match(looked.client.verdict, /^the login fails: DB node 0: database "nowhere" does not exist$/);
  await stage.server.query('create database closed allow_connections false');
  assert.match((await stage.check(stage.writeFiles({ hba, settings }), 'scram_a', null, '-d', 'closed')).client.verdict, /"closed" takes no connections/);
  assert.match((await stage.check(stage.writeFiles({ hba, settings }), 'scram_a', null)).client.verdict, /the login works with the right password(?!.*not looked at)/);
  const verifier = await stage.check(stage.writeFiles({ hba, poolPasswd: `scram_a:${stage.verifiers.get('scram_a')}\n` }), 'scram_a', null, ...absent);
  assert.match(verifier.client.verdict, /the login works with the right password.*; whether the server has the database and the role was not looked at \(-W does\)/);
});

test('why nobody finds the primary is told as a warning', async () => {
  const poolPasswd = `scram_a:${text}\n`;
  const about = async (settings: Readonly<Record<string, string>>): Promise<string> => {
    const { report, client } = await stage.check(stage.writeFiles({ poolPasswd, settings }), 'scram_a', null);
    assert.equal(client.works, true);
    const found = report.findings.find(({ about: what }) => what === 'primary');
    return `${found?.text} => ${found?.remedy}`;
  };
  assert.match(await about({ sr_check_user: 'scram_b' }), /warning: .*user "scram_b" \(sr_check_user\), and DB node 0 asks for a password: sr_check_password is empty.* => set sr_check_password .*pg_enc -m .* -u scram_b/);
  assert.match(await about({ sr_check_user: '', health_check_user: 'md5_a' }), /user "md5_a" \(health_check_user\), .* => set health_check_password/);
  assert.match(await about({ sr_check_user: 'scram_b', sr_check_password: 'old' }), /refuses the login: password authentication failed.* => write the password .* into sr_check_password/);
  assert.equal(await about({ sr_check_user: 'scram_a' }), 'undefined => undefined', 'pool_passwd has it');
  assert.equal(await about({ sr_check_user: 'postgres' }), 'undefined => undefined', 'it is trusted');
});

test('near misses and lines that are not reached are told', async () => {
  const configFile = stage.writeFiles({
    hba: ['hostssl all all all reject', 'host other all all trust', 'host all md5_a all trust', 'host all trust_a all trust', 'host all all all md5'].join('\n'),
  });
  const { client } = await stage.check(configFile, 'trust_a', null);
  const rule = client.findings.find(({ about }) => about === 'rule');
  const notes = rule?.notes?.join('\n') ?? '';
  assert.match(rule?.text ?? '', /pool_hba.conf:4 decides: host, method trust/);
  assert.match(notes, /pool_hba.conf:1 \(hostssl, reject\) would decide with TLS/);
  assert.match(notes, /pool_hba.conf:2 .*for another database: it names "other"/);
  assert.match(notes, /pool_hba.conf:3 .*for another user: it names "md5_a"/);
  assert.match(notes, /pool_hba.conf:5 would, too, and is not reached/);
});

test('the client\'s TLS: which certificate it must show, and what is missing when it gets none', async () => {
  const { server: { cert, key: keyFile }, authority } = stage.certificates;
  const settings = { ssl: true, ssl_cert: cert, ssl_key: keyFile };
  const hba = 'hostssl all all all cert';
  const poolPasswd = `scram_a:${text}\n`;
  const good = await stage.check(stage.writeFiles({ hba, poolPasswd, settings: { ...settings, ssl_ca_cert: authority.cert, backend_sslmode: 'disable' } }), 'scram_a', null, '--tls');
  assert.equal(good.client.works, true);
  assert.ok(good.client.findings.some(({ text: said }) => said.includes('whose only CN is exactly "scram_a"')));
  const noAuthority = await stage.check(stage.writeFiles({ hba, poolPasswd, settings }), 'scram_a', null, '--tls');
  assert.match(remedies(noAuthority), /set ssl_ca_cert/);
  const plain = await stage.check(stage.writeFiles({ hba, poolPasswd, settings }), 'scram_a', null);
  assert.match(plain.client.verdict, /ssl_ca_cert is not set/);
  assert.match(plain.withoutTls?.verdict ?? '', /no pool_hba.conf entry/);
  const [rule] = plain.withoutTls?.findings ?? [];
  assert.match(rule?.notes?.join('') ?? '', /would decide with TLS/);
  assert.match(rule?.remedy ?? '', /^let the client use TLS .*pool_hba.conf:1 \(hostssl, cert\) decides then$/);
  // Not a line for clients without TLS.
  const without = remedies(await stage.check(stage.writeFiles({ hba, poolPasswd }), 'scram_a', null));
  assert.match(without, /set ssl = on, ssl_cert and ssl_key in .*, and let the client use TLS: .*pool_hba.conf:1/);
  assert.doesNotMatch(without, /host test scram_a/);
  const off = await stage.check(stage.writeFiles({ hba, poolPasswd }), 'scram_a', null, '--tls');
  assert.match(off.client.verdict, /asks for TLS and does not get it/);
});

test('a pgpool with TLS lets in whom it says, by certificate', async () => {
  const { server: { cert, key: keyFile }, client: own, authority } = stage.certificates;
  const other = await authority.issueClient('somebody');
  const pgloom = await startPgloom({
    nodes: [stage.server], hba: 'hostssl all scram_a all cert\nhostssl all all all scram-sha-256', poolPasswd: `scram_a:${text}\nscram_b:${text}\n`,
    settings: { worker_threads: 1, auth_failure_delay: 0, ssl: true, ssl_cert: cert, ssl_key: keyFile, ssl_ca_cert: authority.cert },
  });
  const by = (shown: { cert: string; key: string } | null): ClientConfig => ({ ssl: { rejectUnauthorized: false, ...(shown !== null && { cert: readFileSync(shown.cert), key: readFileSync(shown.key) }) } });
  try {
    assert.equal((await stage.check(pgloom.configFile, 'scram_a', right, '--tls')).client.works, true);
    assert.deepEqual([await canLogIn(pgloom, 'scram_a', '', by(own)), await canLogIn(pgloom, 'scram_a', right, by(other)), await canLogIn(pgloom, 'scram_a', right, by(null))], [true, false, false]);
    assert.equal((await stage.check(pgloom.configFile, 'scram_b', right, '--tls')).client.works, true);
    assert.equal(await canLogIn(pgloom, 'scram_b', right, by(null)), true);
    // As psql comes: with TLS, and without when that fails.
    const both = await stage.check(pgloom.configFile, 'scram_b', right);
    assert.deepEqual([both.report.works, both.client.works, both.withoutTls?.works], [true, true, false]);
    assert.match(both.report.verdict, /the login works by TCP from 127.0.0.1 with TLS, and fails by TCP from 127.0.0.1 without TLS/);
    assert.equal(await canLogIn(pgloom, 'scram_b', right), false);
  } finally {
    await pgloom.stop();
  }
});

test('relay mode with DB nodes that ask for different things', async () => {
  const [row] = await stage.server.query<{ directory: string }>('SELECT current_setting(\'unix_socket_directories\') AS directory');
  // The same server, which trusts on its socket.
  const nodes = [stage.server, { host: row?.directory ?? '', port: stage.server.port }];
  const { client } = await stage.check(stage.writeFiles({ poolPasswd: `scram_a:${text}\n` }, nodes), 'scram_a', null);
  assert.match(client.verdict, /DB node 0 asks for scram-sha-256, while another DB node trusts the user.*\(begun at a DB node that asks for nothing\)/);
  assert.match(client.findings[0]?.text ?? '', /the DB nodes ask for different things \(scram-sha-256, trust\)/);
  const turned = await stage.check(stage.writeFiles({ poolPasswd: `scram_a:${text}\n` }, nodes.toReversed()), 'scram_a', null);
  assert.match(turned.client.verdict, /the login works: .*asks for nothing or scram-sha-256; DB node 1 is done without/);
});

test('TLS towards the DB nodes is used as backend_sslmode says', async () => {
  const poolPasswd = `scram_a:${text}\n`;
  const nodeText = async (settings: Readonly<Record<string, string>>, nodes?: readonly { host: string; port: number }[]): Promise<string> => {
    const { report, client } = await stage.check(stage.writeFiles({ poolPasswd, settings }, nodes), 'scram_a', nodes === undefined ? right : null);
    const found = report.findings.find(({ about }) => about === 'DB node 0');
    return `${client.works} ${found?.text}${found?.remedy === undefined ? '' : `; to do: ${found.remedy}`}`;
  };
  assert.match(await nodeText({ backend_sslmode: 'disable' }), /^true .*without TLS$/);
  assert.match(await nodeText({ backend_sslmode: 'verify-full', backend_sslrootcert: stage.certificates.authority.cert }), /^true .*asks for scram-sha-256, over TLSv1\.[23]$/);
  // Another authority's.
  assert.match(await nodeText({ backend_sslmode: 'verify-ca', backend_sslrootcert: stage.certificates.strangerClient.cert }), /^false .*is there, and TLS with it fails: TLS: .*; to do: set backend_sslrootcert .*ssl_ca_cert.*backend_sslmode = require in .* \(now verify-ca\)/);
  // The shared cluster has no TLS.
  const [node] = sharedCluster().nodes;
  assert.ok(node);
  assert.match(await nodeText({ backend_sslmode: 'require' }, [node]), /^false .*is there, and TLS with it fails: the server does not offer TLS.*to do: switch TLS on at the server .*backend_sslmode = prefer in .* \(now require\)/);
  assert.match(await nodeText({ backend_sslmode: 'prefer' }, [node]), /^false .*refuses the login without TLS: role "scram_a" does not exist/);
});

test('a standby that is not there is done without, a primary is not', async () => {
  const { nodes: [primary, standby], user } = sharedCluster();
  assert.ok(primary && standby);
  const dead = { host: '127.0.0.1', port: await freePort() };
  const without = await stage.check(stage.writeFiles({}, [standby, primary, dead]), user, null);
  assert.match(without.client.verdict, /the login works: .*DB node 2 is done without/);
  assert.match(without.report.findings.map(({ text: said }) => said).join('\n'), /standby lets the user in[^]*primary lets the user in[^]*cannot be reached, and is done without: ECONNREFUSED/);
  const alone = await stage.check(stage.writeFiles({}, [dead]), user, null);
  assert.match(alone.client.verdict, /DB node 0: .* cannot be reached: ECONNREFUSED/);
  const nowhere = await stage.run(['-f', stage.writeFiles({}, [primary]), '-U', user, '-d', 'no such database', '-h', 'local'], null);
  assert.equal(nowhere.status, 1);
  assert.match(nowhere.stdout, /!! {2}DB node 0: .*database "no such database" does not exist\n {6}to do: CREATE DATABASE/);
});

test('a server that does not answer is not waited for', async () => {
  const mute = createServer((socket) => socket.on('error', () => undefined).resume());
  await new Promise<void>((resolve) => { mute.listen(0, '127.0.0.1', resolve); });
  try {
    const { client } = await stage.check(stage.writeFiles({}, [{ host: '127.0.0.1', port: (mute.address() as AddressInfo).port }]), 'scram_a', null);
    assert.match(client.verdict, /no answer within 5 s/);
  } finally {
    mute.close();
  }
});

test('without -h a Unix socket and 127.0.0.1 are looked at, each with a verdict of its own', async () => {
  const { stdout, status } = await stage.run(['-f', stage.writeFiles({ hba: 'local all all reject\nhost all all all trust', settings: { unix_socket_directories: stage.scratch } }), '-U', 'trust_a', '-d', 'test'], null);
  assert.equal(status, 1);
  assert.match(stdout, /client by a Unix socket\n!! {2}rule: .*pool_hba.conf:1 rejects[^]*!! {2}verdict: the login fails/);
  assert.match(stdout, /client by TCP from 127\.0\.0\.1 without TLS\nok {2}rule: [^]*ok {2}verdict: the login works/);
  assert.match(stdout, /\n!! {2}the login fails by a Unix socket, and works by TCP from 127\.0\.0\.1 without TLS\n$/);
});

test('faulty files and a faulty command line give status 2', async () => {
  const faulty = await stage.run(['-f', stage.writeFiles({ hba: 'host all all all perhaps' }), '-U', 'scram_a'], null);
  assert.equal(faulty.status, 2);
  assert.match(faulty.stdout, /!! {2}files: .*pool_hba.conf:1: .*\n\n!! {2}pgpool does not start with these files\n$/);
  for (const args of [[], ['-U', ''], ['-U', 'a', '-h', 'a.host'], ['-U', 'a', '-h', 'local', '--tls'], ['-U', 'a', 'more'], ['-U', 'a', '-Q'], ['-U', 'a', '-d', '']]) {
    const line = parseCheckAuth(['check-auth', ...args], '/c', {});
    assert.ok(line !== null && 'print' in line && line.print === 'usage' && line.fault !== undefined && line.status === 2, args.join(' '));
  }
  const { status, stderr, stdout } = await runOurs(['check-auth', '-d', 'x']);
  assert.deepEqual([status, stdout], [2, '']);
  assert.match(stderr, /^pgpool: check-auth needs a user \(-U\)\npgpool-II/);
  assert.deepEqual(parseCheckAuth(['check-auth', '--help'], '/c', {}), { print: 'usage' });
  // The name of a file is no word.
  assert.equal(parseCheckAuth(['-f', 'check-auth', 'stop'], '/c', {}), null);
});

test('it looks at a pgpool.conf that a pgpool runs with, and leaves that alone', async () => {
  const pgloom = await startPgloom({ settings: { worker_threads: 1 } });
  try {
    assert.equal((await stage.check(pgloom.configFile, 'postgres', null)).client.works, true);
    await withClient(pgloom, (client) => client.query('SELECT 1'));
  } finally {
    await pgloom.stop();
  }
});
