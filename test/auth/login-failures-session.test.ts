/** Failed logins at a real pgloom: what they wait for, what they do not slow down, and where they are seen. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Client } from 'pg';
import { readMetrics } from '../observe/exposition.js';
import { withHttp } from '../observe/http-pgloom.js';
import { eventually } from '../support/eventually.js';
import { type Pgloom, withClient } from '../support/pgloom.js';
import { body, firstError } from '../support/wire-fields.js';
import { WireClient } from '../support/wire.js';

const hba = 'host all all all md5\n';
const poolPasswd = 'postgres:TEXTright\n';

function withPgloom(delayMs: number, use: (pgloom: Pgloom, failures: () => Promise<number>) => Promise<void>): Promise<void> {
  const settings = { auth_failure_delay: delayMs, worker_threads: 2, num_init_children: 64, log_min_messages: 'warning' };
  return withHttp({ hba, poolPasswd, settings }, (pgloom, url) => use(pgloom, async () => readMetrics(await (await fetch(`${url}/metrics`)).text()).sum('pgloom_client_login_failures_total')));
}

function fail(pgloom: Pgloom, user = 'postgres'): Promise<void> {
  const client = new Client({ host: pgloom.host, port: pgloom.port, user, database: 'test', password: 'wrong', connectionTimeoutMillis: 60_000 });
  return assert.rejects(client.connect(), { code: '28P01', message: `password authentication failed for user "${user}"` });
}

it('a wrong password is answered late, and the right one at once meanwhile, from the same address for the same user', async () => {
  await withPgloom(2000, async (pgloom) => {
    const startedMs = performance.now();
    let isAnswered = false;
    const failing = fail(pgloom).finally(() => { isAnswered = true; });
    try {
      for (let i = 0; i < 3; i++) await withClient(pgloom, (client) => client.query('select 1'), { password: 'right' });
      assert.equal(isAnswered, false);
    } finally {
      await failing;
    }
    assert.ok(performance.now() - startedMs >= 2000);
  });
});

it('failed logins are counted and warned of, whoever they name and however they leave', async () => {
  await withPgloom(0, async (pgloom, failures) => {
    for (let i = 0; i < 5; i++) await fail(pgloom, `nobody ${i}`);
    for (let i = 0; i < 5; i++) await fail(pgloom);
    assert.equal(await failures(), 10);
    await eventually('the warning is in the log', () => /WARNING: +10 failed logins from 127\.0\.0\.1 within a minute, the last one as user "postgres"/.test(pgloom.stderr()));
    await withClient(pgloom, (client) => client.query('select 1'), { password: 'right' });
    assert.equal(await failures(), 10);
    // They do not wait for the answer.
    for (let i = 0; i < 5; i++) {
      const client = await WireClient.connect(pgloom.port);
      client.startup({ user: 'postgres', database: 'test' });
      assert.equal((await client.readMessage()).type, 'R');
      client.send('p', body(`md5${'0'.repeat(32)}`));
      client.destroy();
    }
    await eventually('those who left are counted', async () => await failures() === 15);
  });
});

it('what is no answer at all counts as a failure, too', async () => {
  await withPgloom(0, async (pgloom, failures) => {
    const client = await WireClient.connect(pgloom.port);
    client.startup({ user: 'postgres', database: 'test' });
    assert.equal((await client.readMessage()).type, 'R');
    client.send('p', Buffer.from('no end'));
    assert.equal(firstError(await client.expectClose())?.['C'], '08P01');
    assert.equal(await failures(), 1);
  });
});
