/** The keys of session tickets change in time, also when nothing is reloaded. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { runPgpool } from '../../src/main/pgpool-server.js';
import { loadTls } from '../../src/main/tls/load-tls.js';
import { nextUpdateMs } from '../../src/main/tls/revocation-list.js';
import { TicketKeyRotation } from '../../src/main/tls/ticket-keys.js';
import { query } from '../../src/shared/protocol/writer.js';
import { freePort } from '../../src/main/demo/free-port.js';
import { sharedCluster } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { encryptedClient, hello, isReady, received, tlsSettings, withCertificates } from './fixture.js';
import { tlsSettingsOf } from './settings.js';

const periodMs = 1000;

interface Place {
  readonly host: string;
  readonly port: number;
}

/** pgloom in this process, whose keys live for `periodMs`. */
async function withShortKeys(use: (place: Place) => Promise<void>): Promise<void> {
  await withCertificates(async (certificates, directory) => {
    const [node] = sharedCluster().nodes;
    const port = await freePort();
    const settings = {
      backend_hostname0: node?.host ?? '', backend_port0: node?.port ?? 0, listen_addresses: '127.0.0.1', port, unix_socket_directories: '', pcp_listen_addresses: '', pcp_socket_dir: '',
      pid_file_name: join(directory, 'pgpool.pid'), work_dir: directory, worker_threads: 2, sr_check_user: 'postgres', sr_check_period: 0, log_min_messages: 'fatal', ...tlsSettings(certificates),
    };
    const configFile = join(directory, 'pgpool.conf');
    writeFileSync(configFile, Object.entries(settings).map(([name, value]) => `${name} = '${String(value)}'\n`).join(''));
    const pgpool = await runPgpool({ configFile, foreground: true, ticketKeyPeriodMs: periodMs });
    try {
      await use({ host: '127.0.0.1', port });
    } finally {
      await pgpool.stop('fast');
    }
  });
}

test('new keys of session tickets come by themselves: an old ticket leads to a whole handshake, and sessions go on', { timeout: 60_000 }, async () => {
  await withShortKeys(async (place) => {
    const old = await encryptedClient(place);
    old.write(hello);
    assert.ok(isReady(await received(old, isReady)));
    const resumes = async (session: Buffer | undefined): Promise<boolean> => {
      assert.ok(session !== undefined);
      const client = await encryptedClient(place, { session });
      client.write(hello);
      assert.ok(isReady(await received(client, isReady)));
      const isReused = client.isSessionReused();
      client.destroy();
      return isReused;
    };
    const first = old.getSession();
    await eventually('the keys have changed', async () => !await resumes(first));

    old.write(query('select 40 + 2'));
    assert.ok((await received(old, isReady)).includes('42'));
    old.destroy();
    // The new keys serve both workers: unless they have changed once more in between, the next ticket is taken.
    await eventually('a ticket of the new keys is taken', async () => {
      const client = await encryptedClient(place);
      client.write(hello);
      assert.ok(isReady(await received(client, isReady)));
      const isTaken = await resumes(client.getSession());
      client.destroy();
      return isTaken;
    });
    assert.equal(await resumes(first), false);
  });
});

test('a revocation list that expires takes the tickets with it', { timeout: 60_000 }, async () => {
  await withCertificates(async (certificates) => {
    const { server } = (await loadTls(tlsSettingsOf(certificates))).tls;
    assert.ok(server !== null);
    const madeMs = Date.now();
    const crl = [readFileSync(await certificates.authority.revoke(), 'utf8'), readFileSync(await certificates.authority.revokeFor(2), 'utf8')];
    const [month, soon] = crl.map((list) => (nextUpdateMs(list) ?? 0) - madeMs);
    assert.ok(Math.abs((month ?? 0) - 30 * 86_400_000) < 10_000, `${month} ms`);
    assert.ok(Math.abs((soon ?? 0) - 2000) < 10_000, `${soon} ms`);
    const spread: Uint8Array[] = [];
    const rotation = new TicketKeyRotation((keys) => spread.push(keys));
    rotation.start({ crl });
    await eventually('keys have been spread', () => spread.length > 0);
    assert.ok(Date.now() >= (nextUpdateMs(crl[1] ?? '') ?? Infinity));
    await sleep(100);
    rotation.stop();
    assert.equal(spread.length, 1);
  });
});

test('dates that are none are no dates', () => {
  for (const pem of ['', '-----BEGIN X509 CRL-----\n-----END X509 CRL-----', 'MAMwAQ==', 'MIIB', Buffer.from('3008300617043939393930', 'hex').toString('base64')]) assert.equal(nextUpdateMs(pem), null);
});

test('what is read again has the newest keys while nothing else has changed, and nothing is spread after the stop', async () => {
  await withCertificates(async (certificates) => {
    const keysNow = async (): Promise<Uint8Array> => Uint8Array.from((await loadTls(tlsSettingsOf(certificates))).tls.server?.ticketKeys ?? []);
    const { tls: { server: first } } = await loadTls(tlsSettingsOf(certificates));
    const before = await keysNow();
    assert.deepEqual(await keysNow(), before);
    let keys: Uint8Array = new Uint8Array();
    const rotation = new TicketKeyRotation((next) => {
      rotation.stop();
      keys = Uint8Array.from(next);
    }, 1);
    rotation.start(null);
    await eventually('there are new keys', () => keys.length > 0);
    assert.equal(keys.length, 48);
    assert.notDeepEqual(keys, before);
    // What was read before has them too: threads that start later are given it.
    assert.deepEqual(Uint8Array.from(first?.ticketKeys ?? []), keys);
    assert.deepEqual(await keysNow(), keys);
    await sleep(20);
    assert.deepEqual(await keysNow(), keys);
  });
});
