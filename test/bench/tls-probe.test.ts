import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loginEnvironment } from '../../bench/pgbench.js';
import { parseHandshake } from '../../bench/tls-probe.js';

const login = { host: '127.0.0.1', port: 5432, user: 'postgres', database: 'bench' };

describe('what a client over TLS is told and tells', () => {
  it('OpenSSL 3.0 names the temporary key of the handshake', () => {
    const text = [
      "Can't use SSL_get_servername", 'depth=0 CN = localhost', 'verify error:num=18:self-signed certificate',
      'CONNECTION ESTABLISHED', 'Protocol version: TLSv1.3', 'Ciphersuite: TLS_AES_256_GCM_SHA384',
      'Peer certificate: CN = localhost', 'Server Temp Key: ECDH, prime256v1, 256 bits', 'DONE',
    ].join('\n');
    assert.equal(parseHandshake(text), 'TLSv1.3 TLS_AES_256_GCM_SHA384, ECDH prime256v1 256 bits');
  });

  it('newer ones name the group', () => {
    const text = 'Protocol version: TLSv1.3\nCiphersuite: TLS_AES_128_GCM_SHA256\nNegotiated TLS1.3 group: X25519MLKEM768\n';
    assert.equal(parseHandshake(text), 'TLSv1.3 TLS_AES_128_GCM_SHA256, X25519MLKEM768');
  });

  it('a handshake that failed is an error and not an empty answer', () => {
    assert.throws(() => parseHandshake("Didn't find STARTTLS in server response\n"), /STARTTLS/);
  });

  it('whether a run is encrypted is never left to the defaults of libpq', () => {
    assert.equal(loginEnvironment(login)['PGSSLMODE'], 'disable');
    assert.equal(loginEnvironment({ ...login, encrypted: true })['PGSSLMODE'], 'require');
    assert.equal('PGPASSWORD' in loginEnvironment(login), false);
    assert.equal(loginEnvironment({ ...login, password: 'secret' })['PGPASSWORD'], 'secret');
  });
});
