/** The bench's targets with TLS and passwords, each really started in front of a real server. */
import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { Client } from 'pg';
import { keyKinds, makeCertificate, installCertificate, type Certificate } from '../../bench/certificate.js';
import { findProgram, unprivilegedAccount } from '../../bench/programs.js';
import { RawClient } from '../../bench/raw-client.js';
import { makeScratchDirectory, undoEverything } from '../../bench/scratch.js';
import { directTarget } from '../../bench/targets/direct.js';
import { pgbouncerTarget } from '../../bench/targets/pgbouncer.js';
import { pgloomTarget } from '../../bench/targets/pgloom.js';
import { pgpool2Target } from '../../bench/targets/pgpool2.js';
import type { Setup } from '../../bench/targets/target.js';
import { probeHandshake } from '../../bench/tls-probe.js';
import { startCluster, type Cluster } from '../../src/main/demo/cluster.js';

const openssl = findProgram('openssl');
const password = 'right password';

describe('targets of the bench that take clients over TLS', { skip: openssl === null ? 'openssl is not installed' : false }, () => {
  let certificate: Certificate;
  let cluster: Cluster;
  let setup: Setup;

  before(async () => {
    certificate = makeCertificate(openssl ?? '', 'ec');
    const { certificateFile, keyFile } = installCertificate(certificate, makeScratchDirectory('server'), unprivilegedAccount());
    cluster = await startCluster({ standbys: 0, settings: { ssl: 'on', ssl_cert_file: certificateFile, ssl_key_file: keyFile } });
    const nodes = cluster.nodes.map(({ host, port }) => ({ host, port }));
    setup = {
      nodes, user: 'postgres', database: 'postgres', clients: 4, certificate, password: null, tlsServer: nodes[0] ?? null,
    };
  });
  after(async () => {
    await undoEverything();
    await cluster?.stop();
  });

  for (const kind of keyKinds) {
    it(`a certificate with a key of kind ${kind} fits its key`, () => {
      const made = makeCertificate(openssl ?? '', kind);
      const key = createPrivateKey(made.key);
      assert.equal(key.asymmetricKeyType, kind);
      assert.ok(new X509Certificate(made.certificate).checkPrivateKey(key));
    });
  }

  it('the server itself is entered over TLS by the raw client, and says so', async () => {
    const running = await directTarget('', true).start(setup);
    const client = await RawClient.connect(running.login);
    try {
      await client.query('SELECT 1 / count(*) FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl');
      assert.match(await probeHandshake(openssl ?? '', running.login.host, running.login.port), /^TLSv1\.3 TLS_AES_/);
    } finally {
      client.end();
    }
  });

  it('the raw client does not go on in clear when a server does not want TLS', async () => {
    const running = await pgloomTarget(1, 'pgloom').start({ ...setup, certificate: null });
    try {
      await assert.rejects(RawClient.connect({ ...running.login, encrypted: true }), /does not want TLS/);
    } finally {
      await running.stop();
    }
  });

  for (const target of [pgbouncerTarget(), pgpool2Target(), pgloomTarget(1, 'pgloom')]) {
    it(`${target.name} is entered over TLS with the right password only, and speaks in clear to the server`, { skip: target.missing() ?? false }, async () => {
      const running = await target.start({ ...setup, password });
      const { host, port, user, database } = running.login;
      const enter = async (tried: string): Promise<unknown> => {
        const client = new Client({ host, port, user, database, password: tried, ssl: { rejectUnauthorized: false } });
        client.on('error', () => {});
        try {
          await client.connect();
          const { rows } = await client.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
          return rows[0];
        } finally {
          await client.end();
        }
      };
      try {
        // Pgpool-II goes over TLS wherever ssl is on at both its sides, which is why the bench has two servers.
        assert.deepEqual(await enter(password), { ssl: target.name === 'pgpool2' });
        await assert.rejects(enter('wrong password'), /authentication failed/);
      } finally {
        await running.stop();
      }
    });
  }
});
