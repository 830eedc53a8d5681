/** The files that the parameters of TLS name: what is taken, what is refused, and with which words. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { AccessFileError } from '../../src/main/access/access-file.js';
import { loadTls, type TlsSettings } from '../../src/main/tls/load-tls.js';
import { runPassphraseCommand } from '../../src/main/tls/passphrase-command.js';
import { loadConfig } from '../../src/main/config/load.js';
import { CertificateAuthority, encryptKey, openssl } from '../support/certificates.js';
import { withCertificates } from './fixture.js';
import { tlsSettingsOf } from './settings.js';

async function faultOf(settings: TlsSettings): Promise<string> {
  try {
    await loadTls(settings);
  } catch (error) {
    assert.ok(error instanceof AccessFileError, String(error));
    return error.message;
  }
  return 'no fault';
}

test('a key that others may read is refused, as PostgreSQL does', async () => {
  await withCertificates(async (certificates) => {
    const settings = tlsSettingsOf(certificates);
    const { key } = certificates.server;
    // These tests run as root, or as the owner of the file.
    const groupMayRead = process.getuid?.() === 0;
    for (const [mode, isRight] of [[0o600, true], [0o400, true], [0o640, groupMayRead], [0o660, false], [0o644, false], [0o604, false], [0o610, false]] as const) {
      chmodSync(key, mode);
      if (isRight) assert.equal(await faultOf(settings), 'no fault', mode.toString(8));
      else assert.match(await faultOf(settings), new RegExp(`^ssl_key = '${key}': group or others may read or write it \\(mode 0${mode.toString(8)}\\)`));
    }
  });
});

test('an encrypted key is opened with what ssl_passphrase_command prints, and only then is it run', async () => {
  await withCertificates(async (certificates, directory) => {
    const ssl_key = await encryptKey(certificates.server.key, 'my secret');
    chmodSync(ssl_key, 0o600);
    const witness = join(directory, 'prompt');
    const right = `printf '%p' > ${witness}; echo 'my secret'; echo more`;
    const { tls } = await loadTls(tlsSettingsOf(certificates, { ssl_key, ssl_passphrase_command: right }));
    assert.match(tls.server?.key ?? '', /^-----BEGIN PRIVATE KEY-----/);
    assert.equal(readFileSync(witness, 'utf8'), 'Enter PEM pass phrase:');
    const traditional = join(directory, 'traditional.key');
    await openssl('rsa', '-in', (await certificates.authority.issueServer('x', [], { keyKind: ['-algorithm', 'RSA'] })).key, '-aes128', '-traditional', '-passout', 'pass:my secret', '-out', traditional);
    assert.match(await faultOf(tlsSettingsOf(certificates, { ssl_key: traditional, ssl_passphrase_command: right })), /do not fit together/);

    assert.match(await faultOf(tlsSettingsOf(certificates, { ssl_key })), /the key is encrypted, and ssl_passphrase_command is not set/);
    assert.match(await faultOf(tlsSettingsOf(certificates, { ssl_key, ssl_passphrase_command: 'echo wrong' })), /what ssl_passphrase_command printed is not the passphrase of the key$/);
    assert.match(await faultOf(tlsSettingsOf(certificates, { ssl_key, ssl_passphrase_command: 'echo secret; exit 3' })), /ssl_passphrase_command ended with status 3$/);
    const unneeded = join(directory, 'unneeded');
    await loadTls(tlsSettingsOf(certificates, { ssl_passphrase_command: `touch ${unneeded}` }));
    assert.throws(() => readFileSync(unneeded), /ENOENT/);
    assert.equal(await runPassphraseCommand('echo 100%%'), '100%');
  });
});

/** A number of that size in the place of a prime, which takes long to find. */
function dhParameters(bits: number): string {
  const integer = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([0x02, 0x82, bytes.length >> 8, bytes.length & 0xff]), bytes]);
  const body = Buffer.concat([integer(Buffer.concat([Buffer.from([0]), Buffer.alloc(bits / 8, 0xff)])), Buffer.from([0x02, 0x01, 0x02])]);
  const der = Buffer.concat([Buffer.from([0x30, 0x82, body.length >> 8, body.length & 0xff]), body]);
  return `-----BEGIN DH PARAMETERS-----\n${der.toString('base64')}\n-----END DH PARAMETERS-----\n`;
}

function rightPrime(directory: string): string {
  const file = join(directory, 'dh2048.pem');
  writeFileSync(file, dhParameters(2048));
  return file;
}

test('each fault names its parameter and its file', async () => {
  await withCertificates(async (certificates, directory) => {
    const { server, client, authority } = certificates;
    const note = join(directory, 'note');
    writeFileSync(note, 'nothing', { mode: 0o600 });
    const smallPrime = join(directory, 'dh1024.pem');
    writeFileSync(smallPrime, dhParameters(1024));
    assert.equal(await faultOf(tlsSettingsOf(certificates, { ssl_dh_params_file: rightPrime(directory) })), 'no fault');
    const broken = join(directory, 'broken.crt');
    writeFileSync(broken, '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n');
    const cases: [Partial<TlsSettings>, string][] = [
      [{ ssl_cert: note }, `ssl_cert = '${note}': there is no certificate in PEM form in it`],
      [{ ssl_cert: broken }, `ssl_cert = '${broken}': OpenSSL cannot read the certificate in it`],
      [{ ssl_cert: join(directory, 'none') }, `ssl_cert = '${join(directory, 'none')}': there is no such file`],
      [{ ssl_cert: directory }, `ssl_cert = '${directory}': it is a directory`],
      [{ ssl_key: note }, `ssl_key = '${note}': there is no private key in PEM form in it that OpenSSL can read`],
      [{ ssl_key: client.key }, `ssl_key = '${client.key}' and ssl_cert = '${server.cert}' do not fit together`],
      [{ ssl_ca_cert: note }, `ssl_ca_cert = '${note}': there is no certificate in PEM form in it`],
      [{ ssl_ca_cert_dir: note }, `ssl_ca_cert_dir = '${note}': the directory cannot be read (ENOTDIR)`],
      [{ ssl_crl_file: authority.cert }, `ssl_crl_file = '${authority.cert}': there is no revocation list in PEM form in it`],
      [{ ssl_ciphers: 'NONSENSE' }, "ssl_ciphers = 'NONSENSE': OpenSSL finds no cipher in it (no cipher match)"],
      [{ ssl_ciphers: 'HIGH:@SECLEVEL=3', ssl_dh_params_file: rightPrime(directory) }, 'the parameters of TLS for clients (ssl_ciphers, ssl_dh_params_file, ssl_ecdh_curve, the certificates) do not fit together'],
      [{ ssl_ecdh_curve: 'nonsense' }, "ssl_ecdh_curve = 'nonsense': OpenSSL does not know it"],
      [{ ssl_dh_params_file: note }, `ssl_dh_params_file = '${note}': there are no Diffie-Hellman parameters in PEM form in it`],
      [{ ssl_dh_params_file: smallPrime }, `ssl_dh_params_file = '${smallPrime}': the prime has 1024 bits, and 2048 are the least that is safe`],
      [{ backend_sslmode: 'verify-ca', backend_sslrootcert: note }, `backend_sslrootcert = '${note}': there is no certificate in PEM form in it`],
      [{ backend_sslmode: 'verify-ca' }, "backend_sslmode = 'verify-ca': neither backend_sslrootcert nor ssl_ca_cert names the authorities to verify servers with"],
      [{ backend_sslmode: 'require', backend_sslcert: client.cert, backend_sslkey: server.key }, `backend_sslkey = '${server.key}' and backend_sslcert = '${client.cert}' do not fit together`],
    ];
    for (const [changed, expected] of cases) {
      const fault = await faultOf(tlsSettingsOf(certificates, changed));
      assert.ok(fault.startsWith(expected), `${fault}\n${expected}`);
      assert.doesNotMatch(fault, /PRIVATE KEY-----|MII/);
    }
  });
});

test('authorities come from the file and from every certificate of the directory', async () => {
  await withCertificates(async (certificates, directory) => {
    const ssl_ca_cert_dir = join(directory, 'authorities');
    mkdirSync(ssl_ca_cert_dir);
    const others = await Promise.all(['one', 'two'].map((name) => CertificateAuthority.create(directory, name)));
    for (const [i, { cert }] of others.entries()) copyFileSync(cert, join(ssl_ca_cert_dir, `${i}.pem`));
    copyFileSync(others[0]?.cert ?? '', join(ssl_ca_cert_dir, 'the-same.0'));
    writeFileSync(join(ssl_ca_cert_dir, 'README'), 'no certificate');
    const { tls } = await loadTls(tlsSettingsOf(certificates, { ssl_ca_cert: certificates.authority.cert, ssl_ca_cert_dir }));
    assert.deepEqual(tls.server?.ca.map((pem) => new X509Certificate(pem).subject).toSorted(), ['CN=one', 'CN=pgloom-test-ca', 'CN=two']);
  });
});

test('backend_sslmode: auto is what Pgpool-II does with ssl, and require with its own authorities verifies them', async () => {
  await withCertificates(async (certificates) => {
    const ca = certificates.authority.cert;
    const backendOf = async (changed: Partial<TlsSettings>): Promise<string> => {
      const { use, verify, ca: authorities } = (await loadTls(tlsSettingsOf(certificates, changed))).tls.backend;
      return `${use} ${verify} ${authorities.length}`;
    };
    assert.equal(await backendOf({ ssl: false }), 'disable ca 0'.replace('ca', 'none'));
    assert.equal(await backendOf({}), 'prefer none 0');
    assert.equal(await backendOf({ ssl_ca_cert: ca }), 'prefer ca 1');
    assert.equal(await backendOf({ ssl: false, backend_sslmode: 'require' }), 'require none 0');
    assert.equal(await backendOf({ backend_sslmode: 'require', ssl_ca_cert: ca }), 'require none 0');
    assert.equal(await backendOf({ backend_sslmode: 'require', backend_sslrootcert: ca }), 'require ca 1');
    assert.equal(await backendOf({ backend_sslmode: 'verify-full', backend_sslrootcert: ca }), 'require full 1');
    assert.equal(await backendOf({ backend_sslmode: 'prefer', ssl_ca_cert: ca }), 'prefer none 0');
  });
});

test('authorities named for servers are never passed over in silence', async () => {
  await withCertificates(async (certificates) => {
    const backend_sslrootcert = certificates.authority.cert;
    for (const ssl of [true, false]) {
      const { tls, warnings } = await loadTls(tlsSettingsOf(certificates, { ssl, backend_sslrootcert }));
      assert.deepEqual([tls.backend.use, tls.backend.verify, tls.backend.ca.length, warnings], ['require', 'ca', 1, []]);
    }
    for (const backend_sslmode of ['prefer', 'disable'] as const) {
      const { tls, warnings } = await loadTls(tlsSettingsOf(certificates, { backend_sslmode, backend_sslrootcert }));
      assert.equal(tls.backend.verify, 'none');
      assert.deepEqual(warnings, [`backend_sslrootcert is set, but backend_sslmode = '${backend_sslmode}' verifies no server: verify-ca and verify-full do`]);
    }
    for (const backend_sslmode of ['auto', 'require', 'verify-ca', 'verify-full'] as const) {
      assert.match(await faultOf(tlsSettingsOf(certificates, { backend_sslmode, backend_sslrootcert: '/nowhere' })), /^backend_sslrootcert = '\/nowhere': there is no such file$/);
    }
  });
});

test('at its limit ssl_passphrase_command is ended with all that it has started', { timeout: 20_000 }, async () => {
  await withCertificates(async (_certificates, directory) => {
    const file = join(directory, 'pid');
    await assert.rejects(runPassphraseCommand(`sleep 1000 & echo $! > ${file}; wait`, { limitMs: 1000 }), /^PassphraseError: did not end within 1 s$/);
    const pid = readFileSync(file, 'utf8').trim();
    while (isRunning(pid)) await sleep(20);
  });
});

/** One that has ended may stay in the table of processes until somebody asks for its status. */
function isRunning(pid: string): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

test('combinations that cannot hold are faults of pgpool.conf', async () => {
  await withCertificates((_certificates, directory) => {
    const configFile = join(directory, 'pgpool.conf');
    const faultOfLines = (...lines: readonly string[]): string => {
      writeFileSync(configFile, ["backend_hostname0 = 'localhost'", 'backend_port0 = 5432', ...lines].join('\n'));
      try {
        loadConfig(configFile);
        return 'no fault';
      } catch (error) {
        return (error as Error).message;
      }
    };
    assert.match(faultOfLines("backend_sslnegotiation = 'direct'"), /direct needs backend_sslmode = require, verify-ca or verify-full/);
    assert.match(faultOfLines("backend_sslrootcert = 'system'", "backend_sslmode = 'require'"), /system needs backend_sslmode = verify-full/);
    assert.match(faultOfLines("backend_sslmode = 'verify-full'"), /verify-full needs backend_sslrootcert \(or ssl_ca_cert\)/);
    assert.match(faultOfLines("backend_sslcert = 'x'"), /backend_sslcert and backend_sslkey go together/);
    assert.equal(faultOfLines("backend_sslmode = 'verify-full'", "backend_sslrootcert = 'system'", "backend_sslnegotiation = 'direct'"), 'no fault');
    return Promise.resolve();
  });
});
