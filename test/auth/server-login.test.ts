import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startCluster, type Cluster } from '../../src/main/demo/cluster.js';
import { credentialOfText } from '../../src/shared/auth/credential.js';
import { md5Hash } from '../../src/shared/auth/md5.js';
import { LoginError, ServerLogin } from '../../src/shared/auth/server-login.js';
import { WireClient } from '../support/wire.js';

/** Password of every role; one that SASLprep would change, were it not for the newer character in it. */
const passwords = { plain: 'se"c ret', accents: 'pa\u00A0sse\u0301', emoji: 'e\u0301\u{1F600}' };

let cluster: Cluster;

before(async () => {
  cluster = await startCluster({
    standbys: 0,
    auth: [
      'host all by_scram,accents,emoji 127.0.0.1/32 scram-sha-256', 'host all by_md5 127.0.0.1/32 md5',
      'host all by_password 127.0.0.1/32 password', 'host all by_trust 127.0.0.1/32 trust',
    ].join('\n'),
  });
  const literal = (text: string): string => `'${text.replaceAll('\'', '\'\'')}'`;
  await cluster.query(0, [
    'SET password_encryption = \'scram-sha-256\'',
    `CREATE ROLE by_scram LOGIN PASSWORD ${literal(passwords.plain)}`,
    `CREATE ROLE by_password LOGIN PASSWORD ${literal(passwords.plain)}`,
    `CREATE ROLE accents LOGIN PASSWORD ${literal(passwords.accents)}`,
    `CREATE ROLE emoji LOGIN PASSWORD ${literal(passwords.emoji)}`,
    'CREATE ROLE by_trust LOGIN',
    'SET password_encryption = \'md5\'',
    `CREATE ROLE by_md5 LOGIN PASSWORD ${literal(passwords.plain)}`,
  ].join('; '));
});

after(() => cluster?.stop());

/** Logs in over a socket; resolves when the server has said AuthenticationOk, rejects with its error or ours. */
async function logIn(user: string, stored: string | undefined): Promise<void> {
  const node = cluster.nodes[0];
  assert.ok(node);
  const client = await WireClient.connect({ host: node.host, port: node.port });
  try {
    client.startup({ user, database: 'postgres' });
    const login = new ServerLogin(user, credentialOfText(stored, user));
    while (!login.done) {
      const { type, payload } = await client.readMessage();
      if (type === 'E') throw new Error(payload.toString('utf8'));
      assert.equal(type, 'R');
      const answer = await login.step(payload.readInt32BE(0), payload);
      if (answer !== null) client.write(answer);
    }
  } finally {
    client.destroy();
  }
}

test('a real server lets us in by trust, clear text, md5 and SCRAM-SHA-256', async () => {
  await logIn('by_trust', undefined);
  for (const user of ['by_password', 'by_md5', 'by_scram']) {
    await logIn(user, passwords.plain);
    await logIn(user, `TEXT${passwords.plain}`);
  }
});

test('a second SCRAM login answers from the remembered keys', async () => {
  await logIn('by_scram', passwords.plain);
});

test('passwords that SASLprep changes, and those that it prohibits, work at a real server', async () => {
  await logIn('accents', passwords.accents);
  await logIn('accents', passwords.accents.normalize('NFKC'));
  await logIn('emoji', passwords.emoji);
  await assert.rejects(logIn('emoji', passwords.emoji.normalize('NFKC')), /28P01/);
});

test('an md5 hash in pool_passwd answers md5, and for other methods a message says that it cannot', async () => {
  const hash = md5Hash(passwords.plain, 'by_md5');
  await logIn('by_md5', hash);
  await assert.rejects(logIn('by_scram', hash), /asks for scram-sha-256 .*pool_passwd has only an md5 hash/);
  await assert.rejects(logIn('by_password', hash), /asks for password .*pool_passwd has only an md5 hash/);
});

test('a real server refuses a wrong password', async () => {
  for (const user of ['by_password', 'by_md5', 'by_scram']) await assert.rejects(logIn(user, 'wrong'), /28P01/);
});

test('without a password the message names the user and pool_passwd', async () => {
  for (const stored of [undefined, '', 'TEXT']) {
    await assert.rejects(logIn('by_scram', stored), (error: LoginError) => {
      assert.equal(error.sqlstate, '28P01');
      assert.match(error.message, stored === undefined ? /pool_passwd has no password of user "by_scram"$/ : /the password of user "by_scram" in pool_passwd is empty$/);
      return true;
    });
  }
});

test('stored forms that are of no use say so, and never show themselves', async () => {
  for (const stored of ['AESabcdefgh==', 'SCRAM-SHA-256$4096:c2FsdA==$a:b']) {
    await assert.rejects(logIn('by_scram', stored), (error: LoginError) => {
      assert.match(error.message, /key file does not decrypt it|verifier of user "by_scram" in pool_passwd is malformed/);
      assert.ok(!error.message.includes(stored));
      return true;
    });
  }
});

function request(type: number, data: Buffer | string = ''): [number, Buffer] {
  const head = Buffer.alloc(4);
  head.writeInt32BE(type);
  return [type, Buffer.concat([head, Buffer.from(data)])];
}

const scramOnly = 'SCRAM-SHA-256\0\0';

/** Plays a server's messages to a login; an answer is what a hostile server would ignore. */
async function play(...requests: [number, Buffer][]): Promise<void> {
  const login = new ServerLogin('u', credentialOfText('secret', 'u'));
  for (const [type, payload] of requests) await login.step(type, payload);
}

test('a hostile server gets nowhere', async () => {
  const table: Record<string, { requests: [number, Buffer][]; expected: RegExp }> = {
    'Ok in the middle of SCRAM': { requests: [request(10, scramOnly), request(0)], expected: /without proving/ },
    'SASLFinal before SASLContinue': { requests: [request(10, scramOnly), request(12, 'v=AAAA')], expected: /out of turn/ },
    'SASLContinue out of nothing': { requests: [request(11, 'r=a,s=aaaa,i=1')], expected: /out of turn/ },
    'clear text after SCRAM was begun': { requests: [request(10, scramOnly), request(3)], expected: /second authentication request/ },
    'clear text after md5': { requests: [request(5, 'salt'), request(3)], expected: /second authentication request/ },
    'two times Ok': { requests: [request(0), request(0)], expected: /second AuthenticationOk/ },
    'clear text after Ok': { requests: [request(0), request(3)], expected: /second authentication request/ },
    'md5 without a salt': { requests: [request(5)], expected: /salt of 4 bytes/ },
    'md5 with a long salt': { requests: [request(5, 'salty')], expected: /salt of 4 bytes/ },
    'mechanisms without an end': { requests: [request(10, 'SCRAM-SHA-256')], expected: /without its end/ },
    'no mechanism we know': { requests: [request(10, 'SCRAM-SHA-256-PLUS\0\0')], expected: /no SASL mechanism/ },
    'no mechanism': { requests: [request(10)], expected: /without its end/ },
    'a nonce of its own': { requests: [request(10, scramOnly), request(11, 'r=abc,s=aaaa,i=4096')], expected: /nonce/ },
    'GSSAPI': { requests: [request(7)], expected: /GSSAPI authentication, which is not supported/ },
    'SSPI': { requests: [request(9)], expected: /SSPI/ },
    'something unknown': { requests: [request(99)], expected: /unknown authentication method 99/ },
    'a truncated message': { requests: [[0, Buffer.alloc(2)]], expected: /truncated/ },
  };
  for (const [what, { requests, expected }] of Object.entries(table)) {
    await assert.rejects(play(...requests), (error: LoginError) => {
      assert.ok(error instanceof LoginError, `${what}: ${String(error)}`);
      assert.match(error.message, expected, what);
      assert.match(error.sqlstate, /^(08P01|0A000)$/, what);
      return true;
    });
  }
});
