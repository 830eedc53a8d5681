import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ScramServer } from '../../src/shared/auth/scram-server.js';
import { matchesVerifier, mockVerifier, parseScramVerifier, scramVerifierOf, type ScramVerifier } from '../../src/shared/auth/scram-verifier.js';
import { type ChannelBinding, ScramClient, ScramError } from '../../src/shared/auth/scram.js';

const salt = Buffer.from('0123456789abcdef').toString('base64');
const binding: ChannelBinding = { data: Buffer.alloc(32, 7) };
const plus = 'SCRAM-SHA-256-PLUS';
const bare = 'SCRAM-SHA-256';

interface Talk {
  readonly password?: string;
  readonly mechanism?: string;
  readonly client?: ChannelBinding | 'unused' | null;
  readonly server?: ChannelBinding | null;
  readonly tamperFirst?: (text: string) => string;
  readonly tamperFinal?: (text: string) => string;
}

const verifier: ScramVerifier = await scramVerifierOf('secret', salt);

/** Both sides; true when the client was let in and has checked the server. */
async function talk({ password = 'secret', mechanism = bare, client = null, server = null, tamperFirst, tamperFinal }: Talk): Promise<boolean> {
  const ours = new ScramServer(verifier, server);
  const theirs = new ScramClient({ password }, { binding: client });
  const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
  const first = theirs.first().toString('latin1');
  const serverFirst = ours.first(mechanism, bytes(tamperFirst?.(first) ?? first));
  const final = (await theirs.continue(serverFirst)).toString('latin1');
  const proof = ours.final(bytes(tamperFinal?.(final) ?? final));
  if (proof === null) return false;
  theirs.verify(proof.answer);
  return true;
}

test('a client that knows the password is let in, with and without channel binding, and finds that we know it too', async () => {
  assert.ok(await talk({}));
  assert.ok(await talk({ client: 'unused' }), 'y, where we have no certificate');
  assert.ok(await talk({ mechanism: plus, client: binding, server: binding }));
  assert.ok(await talk({ server: binding }), 'n: the client cannot bind');
});

test('a wrong password is refused', async () => {
  assert.equal(await talk({ password: 'Secret' }), false);
  assert.equal(await talk({ password: 'Secret', mechanism: plus, client: binding, server: binding }), false);
});

test('the keys that a proof has shown log in at a server with the same verifier, and no other', async () => {
  const ours = new ScramServer(verifier, null);
  const theirs = new ScramClient({ password: 'secret' });
  const serverFirst = ours.first(bare, theirs.first());
  const proof = ours.final(await theirs.continue(serverFirst));
  assert.ok(proof);
  const passing = new ScramClient({ keys: proof.keys, salt, iterations: 4096 });
  const server = new ScramServer(verifier, null);
  const again = server.final(await passing.continue(server.first(bare, passing.first())));
  assert.ok(again);
  passing.verify(again.answer);
  const other = new ScramServer(await scramVerifierOf('secret', Buffer.from('another').toString('base64')), null);
  const late = new ScramClient({ keys: proof.keys, salt, iterations: 4096 });
  assert.throws(() => late.continue(other.first(bare, late.first())), /another SCRAM-SHA-256 verifier/);
});

test('whoever stands between is found out', async () => {
  const table: Record<string, Talk & { readonly expected: RegExp }> = {
    'another TLS connection': { mechanism: plus, client: { data: Buffer.alloc(32, 8) }, server: binding, expected: /channel binding check failed/ },
    '-PLUS removed from our list': { client: 'unused', server: binding, expected: /thinks that the server does not/ },
    'y made n on the way': { client: 'unused', server: binding, tamperFirst: (text) => text.replace('y,,', 'n,,'), expected: /channel binding check failed/ },
    'n made p': { mechanism: plus, server: binding, tamperFirst: (text) => text.replace('n,,', 'p=tls-server-end-point,,'), expected: /channel binding check failed/ },
    '-PLUS without binding': { mechanism: plus, server: binding, expected: /does not include channel binding data/ },
    'binding without -PLUS': { client: binding, server: binding, expected: /includes channel binding data/ },
    'another kind of binding': { mechanism: plus, server: binding, tamperFirst: (text) => text.replace('n,,', 'p=tls-unique,,'), expected: /unsupported SCRAM channel-binding type/ },
    '-PLUS without TLS': { mechanism: plus, client: binding, expected: /invalid SASL authentication mechanism/ },
    'another mechanism': { mechanism: 'SCRAM-SHA-1', expected: /invalid SASL authentication mechanism/ },
    'another nonce': { tamperFinal: (text) => text.replace(/r=./, 'r=!'), expected: /nonce does not match/ },
    'part of the nonce': { tamperFinal: (text) => text.replace(/r=([^,]*).,/, 'r=$1,'), expected: /nonce does not match/ },
    'on behalf of another': { tamperFirst: (text) => text.replace('n,,', 'n,a=other,'), expected: /authorization identity/ },
    'an extension that we must know': { tamperFirst: (text) => text.replace('n=,', 'm=x,n=,'), expected: /malformed|extension/ },
    'no proof': { tamperFinal: (text) => text.replace(/,p=.*/, ''), expected: /malformed/ },
    'a short proof': { tamperFinal: (text) => text.replace(/p=.*/, 'p=AAAA'), expected: /malformed/ },
    'a proof that is no base64': { tamperFinal: (text) => text.replace(/p=../, 'p=A'), expected: /malformed/ },
    'nothing': { tamperFirst: () => '', expected: /malformed/ },
    'a NUL': { tamperFirst: (text) => `${text}\0`, expected: /malformed|nonce/ },
  };
  for (const [name, { expected, ...how }] of Object.entries(table)) {
    await assert.rejects(talk(how), (error: unknown) => error instanceof ScramError && expected.test(error.message), name);
  }
});

test('a changed proof lets nobody in, whichever byte', async () => {
  for (let at = 0; at < 40; at += 3) {
    const tamperFinal = (text: string): string => text.replace(/p=(.*)/, (_, proof: string) => {
      const bytes = Buffer.from(proof, 'base64');
      bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ 1;
      return `p=${bytes.toString('base64')}`;
    });
    assert.equal(await talk({ tamperFinal }), false);
  }
});

test('a verifier is read as PostgreSQL writes it, and anything else is none', async () => {
  const text = `SCRAM-SHA-256$4096:${salt}$${verifier.storedKey.toString('base64')}:${verifier.serverKey.toString('base64')}`;
  const read = parseScramVerifier(text);
  assert.ok(read);
  assert.ok(await matchesVerifier('secret', read));
  assert.ok(!(await matchesVerifier('Secret', read)));
  for (const bad of ['', text.slice(0, -1), text.replace('4096', '0'), text.replace('4096', '-1'), text.replace('4096', '99999999999'), `${text} `, text.replace('SHA-256', 'SHA-1')]) {
    assert.equal(parseScramVerifier(bad), null, bad);
  }
});

test('what an unknown user is asked with is the same each time, and nothing matches it', async () => {
  const secret = Buffer.alloc(32, 1);
  const mock = mockVerifier('nobody', secret);
  assert.deepEqual(mockVerifier('nobody', secret), mock);
  assert.notEqual(mockVerifier('nobody2', secret).salt, mock.salt);
  assert.equal(Buffer.from(mock.salt, 'base64').length, 16, 'as long as a real one');
  assert.ok(!(await matchesVerifier('', mock)));
});
