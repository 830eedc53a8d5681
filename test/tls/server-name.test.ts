/** backend_sslmode = verify-full: the names in a server's certificate, with libpq's own judgement beside ours. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createSecureContext, TLSSocket } from 'node:tls';
import { backendTls, secureServerSocket } from '../../src/shared/tls/backend-tls.js';
import type { Files } from '../../src/main/command/check-auth/files.js';
import { tlsRemedy } from '../../src/main/command/check-auth/remedies.js';
import type { Backend } from '../../src/shared/settings.js';
import { noTls } from '../../src/shared/tls/materials.js';
import { serverNameProblem } from '../../src/shared/tls/server-name.js';
import type { Certificate } from '../support/certificates.js';
import { psql, withCertificates } from './fixture.js';

/** What libpq 15 and newer say: which hosts a certificate is for, and which not. */
interface Case {
  readonly commonName: string;
  readonly names: readonly string[];
  readonly right: readonly string[];
  readonly wrong: readonly string[];
}

/** dNSName `db.example.org`, NUL, `.evil.org` */
const nulName = `DER:${Buffer.concat([Buffer.from([0x30, 0x1a, 0x82, 0x18]), Buffer.from('db.example.org\0.evil.org')]).toString('hex').match(/../g)?.join(':')}`;
/** iPAddress of five bytes. */
const longAddress = 'DER:30:07:87:05:7f:00:00:01:01';

const cases: readonly Case[] = [
  {
    commonName: 'common.example.org', names: ['DNS:db.example.org', 'DNS:*.pool.example.org', 'IP:127.0.0.1', 'IP:::1'],
    right: ['db.example.org', 'DB.Example.ORG', 'x.pool.example.org', 'X.POOL.example.org', '127.0.0.1', '::1', '0:0:0:0:0:0:0:1'],
    wrong: ['common.example.org', 'y.x.pool.example.org', 'pool.example.org', '.pool.example.org', 'db.example.org.', 'xdb.example.org', '127.0.0.2', '::2'],
  },
  { commonName: 'common.example.org', names: [], right: ['common.example.org', 'Common.Example.org'], wrong: ['db.example.org', '127.0.0.1'] },
  { commonName: '*.wild.example.org', names: [], right: ['a.wild.example.org'], wrong: ['wild.example.org', 'a.b.wild.example.org'] },
  { commonName: '127.0.0.1', names: ['DNS:db.example.org'], right: ['127.0.0.1', 'db.example.org'], wrong: ['127.0.0.2'] },
  { commonName: '127.0.0.1', names: ['IP:127.0.0.2'], right: ['127.0.0.2'], wrong: ['127.0.0.1'] },
  { commonName: 'common.example.org', names: ['IP:127.0.0.2'], right: ['common.example.org', '127.0.0.2'], wrong: ['127.0.0.1'] },
  { commonName: 'x', names: ['DNS:127.0.0.1'], right: ['127.0.0.1'], wrong: ['x', '127.0.0.2'] },
  { commonName: 'x', names: ['DNS:*.lan'], right: ['db.lan'], wrong: ['lan', 'a.db.lan'] },
  {
    commonName: 'x', names: ['DNS:d*.example.org', 'DNS:*b.example.org', 'DNS:*.*.example.org', 'DNS:db.*.org', 'DNS:*'], right: [],
    wrong: ['db.example.org', 'a.b.example.org', 'localhost'],
  },
  { commonName: 'common.example.org', names: ['email:dba@example.org', 'URI:https://db.example.org/'], right: ['common.example.org'], wrong: ['db.example.org', 'example.org'] },
  { commonName: 'first.example.org/CN=second.example.org', names: [], right: ['first.example.org'], wrong: ['second.example.org'] },
  { commonName: 'x', names: [nulName], right: [], wrong: ['db.example.org', 'db.example.org.evil.org', 'x'] },
  { commonName: 'x', names: [longAddress], right: [], wrong: ['127.0.0.1', 'x'] },
];

/** Shows whatever certificate it is told to, and has a word for those who come as far as the startup packet. */
async function withShowcase(use: (port: number, show: (certificate: Certificate) => void) => Promise<void>): Promise<void> {
  let context = createSecureContext();
  const server = createServer((socket) => {
    socket.on('error', () => undefined).once('data', () => {
      socket.write('S');
      const encrypted = new TLSSocket(socket, { isServer: true, secureContext: context, ALPNProtocols: ['postgresql'] });
      encrypted.on('error', () => undefined).on('_tlsError', () => undefined).once('data', () => {
        const fields = Buffer.from('SFATAL\0C28000\0Mreached\0\0');
        encrypted.end(Buffer.concat([Buffer.from([0x45, 0, 0, 0, fields.length + 4]), fields]));
      });
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await use((server.address() as AddressInfo).port, ({ cert, key }) => {
      context = createSecureContext({ cert: readFileSync(cert), key: readFileSync(key) });
    });
  } finally {
    server.close();
  }
}

test('verify-full takes the certificates that libpq takes, and no others', { timeout: 120_000 }, async () => {
  await withCertificates(async ({ authority }) => {
    const ca = readFileSync(authority.cert, 'utf8');
    const tls = backendTls({ ...noTls.backend, use: 'require', verify: 'full', ca: [ca] });
    await withShowcase(async (port, show) => {
      const isReached = async (hostname: string): Promise<boolean> => {
        const socket = connect({ host: '127.0.0.1', port });
        await once(socket, 'connect');
        try {
          (await secureServerSocket(socket, tls, hostname)).socket.destroy();
          return true;
        } catch (error) {
          assert.match(String(error), /^BackendTlsError: TLS: (server certificate for "[ -~]+" (\(and \d other names?\) )?does not match host name|the server certificate('s name contains a NUL| contains an IP address of 5 bytes))/);
          return false;
        }
      };
      const isReachedByLibpq = async (hostname: string): Promise<boolean> => {
        const { stderr } = await psql(port, `host=${hostname} sslmode=verify-full sslrootcert=${authority.cert}`);
        assert.match(stderr, /FATAL: {2}reached|does not match host name|embedded null|invalid length/);
        return stderr.includes('FATAL:  reached');
      };
      for (const { commonName, names, right, wrong } of cases) {
        show(await authority.issueServer(commonName, names));
        for (const hostname of [...right, ...wrong]) {
          const what = `${commonName} ${names.join(' ')} as ${hostname}`;
          assert.equal(await isReachedByLibpq(hostname), right.includes(hostname), `libpq: ${what}`);
          assert.equal(await isReached(hostname), right.includes(hostname), what);
        }
      }
    });
  });
});

test('a name is shown clean and short, one with a NUL is refused, and what cannot be read is no match', async () => {
  await withCertificates(async ({ authority }) => {
    const issued = async (commonName: string, names: readonly string[] = []): Promise<Buffer> => new X509Certificate(readFileSync((await authority.issueServer(commonName, names)).cert)).raw;
    const named = await issued('common.example.org');
    const problem = serverNameProblem(named, 'other');
    assert.equal(problem, 'server certificate for "common.example.org" does not match host name "other"');
    const settings = { configFile: 'pgpool.conf', backend_sslmode: 'verify-full', backend_sslrootcert: '' };
    assert.match(tlsRemedy({ settings } as Files, { id: 1 } as Backend, problem), /^backend_hostname1 must be a name in the server's certificate/);
    const changed = (at: number, byte: number): Buffer => {
      const bytes = Buffer.from(named);
      bytes[named.lastIndexOf('common.example.org') + at] = byte;
      return bytes;
    };
    assert.equal(serverNameProblem(changed(6, 0), 'common'), "the server certificate's name contains a NUL");
    assert.equal(serverNameProblem(changed(6, 0x1b), 'common'), 'server certificate for "common?example.org" does not match host name "common"');
    // The length of the name.
    assert.equal(serverNameProblem(changed(-1, 0xff), 'common.example.org'), 'the names in the server certificate cannot be read');
    assert.equal(serverNameProblem(Buffer.alloc(0), 'x'), 'the names in the server certificate cannot be read');
    assert.equal(serverNameProblem(await issued('', ['email:dba@example.org']), 'x'), 'the server certificate has no name of a host');
    assert.equal(serverNameProblem(await issued('x', ['IP:fe80::1']), 'fe80::1%eth0'), 'server certificate for "fe80:0000:0000:0000:0000:0000:0000:0001" (and 1 other name) does not match host name "fe80::1%eth0"');
  });
});
