import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forgetScramKeys, scramKeyCount, scramKeys } from '../../src/shared/auth/scram-keys.js';
import { saslPrep } from '../../src/shared/auth/saslprep.js';
import { ScramClient, ScramError } from '../../src/shared/auth/scram.js';

// RFC 7677 section 3.
const rfc = {
  nonce: 'rOprNGfwEbeRWgbNEkqO',
  user: 'user',
  serverFirst: 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
  clientFinal: 'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  serverFinal: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
};

function rfcClient(): ScramClient {
  return new ScramClient({ password: 'pencil' }, { nonce: rfc.nonce, user: rfc.user });
}

test('the exchange of RFC 7677 comes out letter by letter', async () => {
  const client = rfcClient();
  assert.equal(client.first().toString(), 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO');
  assert.equal((await client.continue(Buffer.from(rfc.serverFirst))).toString(), rfc.clientFinal);
  client.verify(Buffer.from(rfc.serverFinal));
});

test('every client has a nonce of its own', () => {
  assert.notEqual(new ScramClient({ password: 'x' }).first().toString(), new ScramClient({ password: 'x' }).first().toString());
});

test('a server-first-message that is not as it should be is refused', () => {
  const good = rfc.serverFirst;
  const bad: Record<string, string> = {
    'empty': '',
    'truncated': good.slice(0, 60),
    'without iterations': good.replace(',i=4096', ''),
    'no iterations at all': good.replace('i=4096', 'i=0'),
    'negative iterations': good.replace('i=4096', 'i=-1'),
    'iterations that are no number': good.replace('i=4096', 'i=4096x'),
    'a leading zero': good.replace('i=4096', 'i=04096'),
    'more than ten million iterations': good.replace('i=4096', 'i=10000001'),
    'iterations beyond all numbers': good.replace('i=4096', `i=${'9'.repeat(400)}`),
    'a nonce that is not ours': good.replace('r=rOpr', 'r=xOpr'),
    'our nonce with nothing added': `r=${rfc.nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`,
    'a salt that is no base64': good.replace('W22ZaJ0SNY7soEsUEjb6gQ==', 'W22ZaJ0SNY7soEsUEjb6gQ='),
    'no salt': good.replace('W22ZaJ0SNY7soEsUEjb6gQ==', ''),
    'a NUL in the nonce': good.replace('%hv', '\0hv'),
    'a mandatory extension': `m=x,${good}`,
    'something at the end': `${good},x=1`,
    'a line end at the end': `${good}\n`,
  };
  for (const [what, message] of Object.entries(bad)) {
    assert.throws(() => rfcClient().continue(Buffer.from(message)), ScramError, what);
  }
});

test('a server that does not know the password is found out', async () => {
  const bad: Record<string, string> = {
    'another signature': rfc.serverFinal.replace('6rri', '6rrj'),
    'a short signature': 'v=6rriTRBi23WpRR/wtup+mA==',
    'no signature': 'v=',
    'not base64': `${rfc.serverFinal}!`,
    'nothing': '',
    'an error': 'e=invalid-proof',
  };
  for (const [what, message] of Object.entries(bad)) {
    const client = rfcClient();
    await client.continue(Buffer.from(rfc.serverFirst));
    assert.throws(() => client.verify(Buffer.from(message)), ScramError, what);
  }
});

test('a server signature before the proof was sent is refused', () => {
  assert.throws(() => rfcClient().verify(Buffer.from(rfc.serverFinal)), ScramError);
});

test('the rounds are computed once for a password and salt, and for no more than 1000 of them kept', async () => {
  forgetScramKeys();
  const salt = Buffer.from('salt').toString('base64');
  const first = scramKeys('p', salt, 1);
  assert.ok(first instanceof Promise);
  assert.equal(scramKeys('p', salt, 1), first, 'a second login while the first computes waits for the same result');
  const keys = await first;
  assert.equal(scramKeys('p', salt, 1), keys, 'and afterwards it is there at once');
  for (let i = 0; i < 1050; i++) {
    await scramKeys(`p${i}`, salt, 1);
    assert.equal(scramKeys('p', salt, 1), keys, 'what is used stays');
  }
  assert.equal(scramKeyCount(), 1000);
  assert.ok(scramKeys('p0', salt, 1) instanceof Promise, 'what was not used is gone');
  assert.ok(scramKeys('p', salt, 2) instanceof Promise, 'another count is another key');
  forgetScramKeys();
});

test('SASLprep prepares as RFC 4013 says and leaves prohibited passwords as they are', () => {
  const table: [string, string, string][] = [
    ['I\u00ADX', 'IX', 'the soft hyphen vanishes'],
    ['user', 'user', 'ASCII stays'],
    ['USER', 'USER', 'case stays'],
    ['\u00AA', 'a', 'NFKC'],
    ['\u2168', 'IX', 'NFKC of a Roman numeral'],
    ['a\u00A0b', 'a b', 'a no-break space is a space'],
    ['e\u0301', '\u00E9', 'letters are composed'],
    ['\u0627\u0031', '\u0627\u0031', 'right to left letter first, digit last: prohibited, raw'],
    ['\u0007\u00AA', '\u0007\u00AA', 'a control character: prohibited, raw'],
    ['\u0627a\u00AA\u0627', '\u0627a\u00AA\u0627', 'both directions: prohibited, raw'],
    ['e\u0301\u{1F600}', 'e\u0301\u{1F600}', 'unknown to Unicode 3.2: raw'],
    ['\u00AD', '\u00AD', 'nothing would be left: raw'],
  ];
  for (const [password, expected, what] of table) assert.equal(saslPrep(password).toString(), expected, what);
});
