/** New certificates while clients are served, and sessions of TLS that are resumed. */
import assert from 'node:assert/strict';
import { appendFileSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import type { Client } from 'pg';
import { query } from '../../src/shared/protocol/writer.js';
import { untilPooled } from '../pooling/backends.js';
import { sharedCluster } from '../support/cluster.js';
import { eventually, untilMatch } from '../support/eventually.js';
import { type Pgloom, withClient } from '../support/pgloom.js';
import { encryptedClient, hello, isReady, received, serialShown, untilClosed, withTlsPgloom } from './fixture.js';

const reloadLimitMs = 20_000;

async function reload(pgloom: Pgloom, expected: RegExp): Promise<void> {
  const before = pgloom.stderr().length;
  pgloom.signal('SIGHUP');
  const startedMs = Date.now();
  while (!expected.test(pgloom.stderr().slice(before))) {
    if (Date.now() - startedMs > reloadLimitMs) throw new Error(`not reloaded:\n${pgloom.stderr().slice(before)}`);
    await sleep(10);
  }
}

/** The workers hear of a reload a little later than the log. */
async function untilShown(pgloom: Pgloom, serial: string): Promise<void> {
  await eventually(`certificate ${serial} is shown`, async () => await serialShown(pgloom) === serial);
}

/** A session to be resumed: with TLS 1.3 its ticket comes behind the handshake. */
async function ticketOf(pgloom: Pgloom, options: ConnectionOptions): Promise<Buffer> {
  const client = await encryptedClient(pgloom, options);
  client.write(hello);
  assert.ok(isReady(await received(client, isReady)));
  const session = client.getSession();
  client.destroy();
  assert.ok(session !== undefined);
  return session;
}

async function login(client: TLSSocket): Promise<Buffer> {
  client.write(hello);
  return Promise.race([received(client, isReady), untilClosed(client)]);
}

test('a reload shows a new certificate to new connections, and sessions go on; a broken one changes nothing', async () => {
  await withTlsPgloom(async (pgloom, { authority, server }) => {
    const old = await encryptedClient(pgloom);
    await login(old);
    const next = await authority.issueServer('localhost');
    const nextSerial = '04';
    copyFileSync(next.cert, server.cert);

    // The new certificate with the old key.
    await reload(pgloom, /the files were not reloaded/);
    await eventually(pgloom.stderr, () => pgloom.stderr().includes(`ERROR:  ssl_key = '${server.key}' and ssl_cert = '${server.cert}' do not fit together`));
    assert.equal(await serialShown(pgloom), '01');

    copyFileSync(next.key, server.key);
    await reload(pgloom, /reload config files/);
    await untilShown(pgloom, nextSerial);

    writeFileSync(server.cert, 'no certificate');
    await reload(pgloom, /the files were not reloaded/);
    await untilMatch(pgloom.stderr, /ERROR: {2}ssl_cert = '.*': there is no certificate in PEM form in it/);
    assert.equal(await serialShown(pgloom), nextSerial);

    old.write(query('select 40 + 2'));
    assert.ok((await received(old, isReady)).includes('42'));
    old.destroy();
  });
});

test('a TLS session is resumed, and keeps the certificate that was shown', async () => {
  await withTlsPgloom(async (pgloom, { client }) => {
    for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
      const options = { maxVersion, cert: readFileSync(client.cert), key: readFileSync(client.key) };
      const session = await ticketOf(pgloom, options);
      const clients = await Promise.all(Array.from({ length: 12 }, () => encryptedClient(pgloom, { ...options, session })));
      const answers = await Promise.all(clients.map(login));
      assert.deepEqual(clients.map((resumed) => resumed.isSessionReused()), clients.map(() => true));
      assert.ok(answers.every(isReady));
      for (const resumed of clients) resumed.destroy();
    }
  }, { hba: 'hostssl all all all cert\n' });
});

test('a certificate that has been revoked since does not come back with a resumed session', async () => {
  await withTlsPgloom(async (pgloom, { authority, client, server }) => {
    const options = { cert: readFileSync(client.cert), key: readFileSync(client.key) };
    const session = await ticketOf(pgloom, options);
    await authority.revoke(client);
    const next = await authority.issueServer('localhost');
    for (const kind of ['cert', 'key'] as const) copyFileSync(next[kind], server[kind]);
    await reload(pgloom, /reload config files/);
    await untilShown(pgloom, '04');
    const resumed = await encryptedClient(pgloom, { ...options, session });
    assert.equal(resumed.isSessionReused(), false);
    assert.ok((await login(resumed)).includes('certificate "CN=postgres": certificate revoked'));
    resumed.destroy();
  });
});

test('a link that was opened before backend_sslmode changed serves its session to the end, and nobody else', async () => {
  await withTlsPgloom(async (pgloom) => {
    const pidOf = async (client: Client): Promise<number> => (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid ?? 0;
    const nextPid = async (): Promise<number> => {
      const pid = await withClient(pgloom, pidOf);
      await untilPooled(pgloom, 1);
      return pid;
    };
    const first = await nextPid();
    assert.equal(await nextPid(), first, 'links are used again');
    await withClient(pgloom, async (client) => {
      assert.equal(await pidOf(client), first);
      appendFileSync(pgloom.configFile, "backend_sslmode = 'prefer'\n");
      await reload(pgloom, /parameters changed: .*backend_sslmode/);
      // The thread hears of it later than the log.
      await sleep(1500);
      assert.equal(await pidOf(client), first, 'the session goes on');
    });
    const next = await nextPid();
    assert.notEqual(next, first);
    assert.equal(await nextPid(), next);
  }, { nodes: sharedCluster().nodes.slice(0, 1), hba: 'host all all all trust\n', settings: { worker_threads: 1 } });
});

test('ssl itself needs a restart', async () => {
  await withTlsPgloom(async (pgloom) => {
    appendFileSync(pgloom.configFile, 'ssl = off\n');
    await reload(pgloom, /parameters that need a restart to change: ssl/);
    assert.equal(await serialShown(pgloom), '01');
  });
});
