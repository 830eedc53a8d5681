/** Client authentication against real servers: relay mode, pool_hba.conf, auth_query, pass-through of SCRAM. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { startCluster, type Cluster } from '../../src/main/demo/cluster.js';
import { startup } from '../protocol/messages.js';
import { TcpProxy } from '../session/tcp-proxy.js';
import { eventually, untilMatch } from '../support/eventually.js';
import { startPgloom, type Pgloom } from '../support/pgloom.js';

const right = 'r:ight pass';
const methods = ['trust', 'password', 'md5', 'scram'] as const;
let cluster: Cluster;
let md5Hash = '';
let verifier = '';

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

before(async () => {
  cluster = await startCluster({
    standbys: 0,
    auth: [
      'host all postgres 127.0.0.1/32 trust',
      ...methods.map((method) => `host all by_${method} 127.0.0.1/32 ${method === 'scram' ? 'scram-sha-256' : method}`),
      'host all all 127.0.0.1/32 scram-sha-256',
    ].join('\n'),
  });
  await cluster.query(0, [
    ...methods.map((method) => `SET password_encryption = ${method === 'md5' ? 'md5' : '\'scram-sha-256\''}; CREATE ROLE by_${method} LOGIN PASSWORD ${literal(right)}`),
    `CREATE ROLE looker LOGIN SUPERUSER PASSWORD ${literal(right)}`,
    'CREATE DATABASE test',
  ].join(';').replace(';CREATE DATABASE test', ''));
  await cluster.query(0, 'CREATE DATABASE test');
  const rows = await cluster.query<{ rolname: string; rolpassword: string }>(0, 'SELECT rolname, rolpassword FROM pg_authid WHERE rolpassword IS NOT NULL');
  md5Hash = rows.find(({ rolname }) => rolname === 'by_md5')?.rolpassword ?? '';
  verifier = rows.find(({ rolname }) => rolname === 'by_scram')?.rolpassword ?? '';
});

after(() => cluster?.stop());

interface Setting {
  readonly hba?: string;
  readonly poolPasswd?: string;
  readonly settings?: Record<string, string | number | boolean>;
}

async function withPgloom(setting: Setting, use: (pgloom: Pgloom) => Promise<void>): Promise<void> {
  const node = cluster.nodes[0];
  assert.ok(node);
  const pgloom = await startPgloom({
    nodes: [node], ...setting, settings: { worker_threads: 1, auth_failure_delay: 0, sr_check_period: 0, ...setting.settings },
  });
  try {
    await use(pgloom);
    assert.ok(!pgloom.stderr().includes(right), 'the password does not stand in the log');
  } finally {
    await pgloom.stop();
  }
}

/** Logs in and asks who it is; rejects as the driver does. */
function login(pgloom: Pgloom, user: string, password: string | undefined): Promise<string> {
  return loginFor(pgloom, user, password, 0);
}

/** The same, for so long. */
async function loginFor(pgloom: Pgloom, user: string, password: string | undefined, stayMs: number): Promise<string> {
  const client = new Client({ host: pgloom.host, port: pgloom.port, user, database: 'test', connectionTimeoutMillis: 20_000, ...(password !== undefined && { password }) });
  await client.connect();
  try {
    const { rows } = await client.query<{ current_user: string }>('SELECT current_user');
    if (stayMs > 0) await sleep(stayMs);
    return rows[0]?.current_user ?? '';
  } finally {
    await client.end();
  }
}

const refused = /password authentication failed for user "/;

test('relay mode: the client is asked as the server asks, whether or not a link lies in the pool', async () => {
  const poolPasswd = methods.map((method) => `by_${method}:TEXT${right.replace(':', '\\:')}`).join('\n');
  await withPgloom({ poolPasswd }, async (pgloom) => {
    assert.equal(await login(pgloom, 'by_trust', undefined), 'by_trust');
    for (const user of ['by_password', 'by_md5', 'by_scram']) {
      await assert.rejects(login(pgloom, user, 'wrong'), refused);
      assert.equal(await login(pgloom, user, right), user);
      await assert.rejects(login(pgloom, user, 'wrong'), refused);
      await assert.rejects(login(pgloom, user, ''));
      assert.equal(await login(pgloom, user, right), user);
    }
    await assert.rejects(login(pgloom, 'nobody', right), refused);
  });
});

test('relay mode without pool_passwd: only with allow_clear_text_frontend_auth is the server asked with the client\'s own password', async () => {
  await withPgloom({}, async (pgloom) => {
    for (const user of ['by_md5', 'by_scram']) await assert.rejects(login(pgloom, user, right), refused);
    assert.equal(await login(pgloom, 'by_password', right), 'by_password');
    await untilMatch(pgloom.stderr, /pool_passwd has no password of user "by_scram"/);
  });
  await withPgloom({ settings: { allow_clear_text_frontend_auth: true } }, async (pgloom) => {
    for (const user of ['by_password', 'by_md5', 'by_scram']) {
      for (const _ of [1, 2]) {
        assert.equal(await login(pgloom, user, right), user);
        await assert.rejects(login(pgloom, user, 'wrong'), refused);
      }
    }
  });
});

test('pool_hba.conf: every method with every stored form that serves it', async () => {
  for (const [stored, user, good] of [
    [`TEXT${right.replace(':', '\\:')}`, 'by_scram', ['password', 'md5', 'scram-sha-256']],
    [md5Hash, 'by_md5', ['password', 'md5']],
    [verifier.replace(':', '\\:').replace(/:(?=[^:]*$)/, '\\:'), 'by_scram', ['password', 'md5', 'scram-sha-256']],
  ] as const) {
    for (const method of ['password', 'md5', 'scram-sha-256']) {
      await withPgloom({ hba: `host all all all ${method}`, poolPasswd: `${user}:${stored}\n` }, async (pgloom) => {
        for (const _ of [1, 2]) {
          if ((good as readonly string[]).includes(method)) assert.equal(await login(pgloom, user, right), user, `${method} ${stored.slice(0, 5)}`);
          else await assert.rejects(login(pgloom, user, right), refused);
          await assert.rejects(login(pgloom, user, 'wrong'), refused);
          await assert.rejects(login(pgloom, 'nobody', right), refused);
        }
      });
    }
  }
});

test('a client that is trusted here gets no further than what is known of its password, and is told what is missing', async () => {
  await withPgloom({ hba: 'host all all all trust', poolPasswd: `by_md5:${md5Hash}\n` }, async (pgloom) => {
    assert.equal(await login(pgloom, 'by_md5', undefined), 'by_md5');
    await assert.rejects(login(pgloom, 'by_scram', undefined), /the server asks for scram-sha-256 authentication of user "by_scram", and pool_passwd has no password of user "by_scram"/);
  });
});

test('pool_hba.conf with method password and nobody to check it lets nobody in', async () => {
  await withPgloom({ hba: 'host all all all password' }, async (pgloom) => {
    await assert.rejects(login(pgloom, 'by_trust', 'anything'), refused);
    await untilMatch(pgloom.stderr, /nothing to compare the client's password with/);
  });
});

test('auth_query: no pool_passwd is needed, a new password counts at the next login, and the pool does not remember the old', async () => {
  const settings = { auth_user: 'looker', auth_password: right, pool_passwd: '' };
  await withPgloom({ settings }, async (pgloom) => {
    for (const user of ['by_md5', 'by_scram']) {
      assert.equal(await login(pgloom, user, right), user);
      await assert.rejects(login(pgloom, user, 'wrong'), refused);
    }
  });
  await withPgloom({ hba: 'host all all all scram-sha-256', settings }, async (pgloom) => {
    await assert.rejects(login(pgloom, 'nobody', right), refused);
    assert.equal(await login(pgloom, 'by_scram', right), 'by_scram');
    try {
      await cluster.query(0, 'ALTER ROLE by_scram PASSWORD \'changed\'');
      await assert.rejects(login(pgloom, 'by_scram', right), refused);
      assert.equal(await login(pgloom, 'by_scram', 'changed'), 'by_scram');
      await cluster.query(0, 'ALTER ROLE by_scram PASSWORD NULL');
      await assert.rejects(login(pgloom, 'by_scram', 'changed'), refused);
    } finally {
      await cluster.query(0, `ALTER ROLE by_scram PASSWORD ${literal(right)}`);
    }
    assert.equal(await login(pgloom, 'by_scram', right), 'by_scram');
  });
});

test('a password changed in pool_passwd counts from the reload on', async () => {
  await withPgloom({ hba: 'host all all all md5', poolPasswd: `by_scram:TEXT${right.replace(':', '\\:')}\n` }, async (pgloom) => {
    assert.equal(await login(pgloom, 'by_scram', right), 'by_scram');
    writeFileSync(join(pgloom.directory, 'pool_passwd'), 'by_scram:TEXTother\n');
    pgloom.signal('SIGHUP');
    let failure: unknown = null;
    for (let tries = 0; tries < 200 && failure === null; tries++) {
      failure = await login(pgloom, 'by_scram', right).then(() => null, (error: unknown) => error);
      await sleep(20);
    }
    assert.match(String(failure), refused);
    // Now pgloom is content, but the server is not.
    await assert.rejects(login(pgloom, 'by_scram', 'other'), refused);
    await untilMatch(pgloom.stderr, /DB node 0 refuses what pgloom knows of the password of user "by_scram"/);
  });
});

test('auth_query has to give one row, of the user who was asked for', async () => {
  const settings = { auth_user: 'looker', auth_password: right, pool_passwd: '' };
  for (const [query, reason] of [
    ['select rolname, rolpassword from pg_authid where rolpassword is not null or $1 = \'\'', /auth_query gives \d rows/],
    ['select rolname, rolpassword from pg_authid where rolname = \'by_scram\' or $1 = \'\'', /auth_query gives the row of another/],
    ['select rolpassword from pg_authid where rolname = $1', /auth_query gives 1 columns/],
    ['select nothing from nowhere where $1 = \'\'', /auth_query on DB node 0 failed: relation "nowhere" does not exist/],
  ] as const) {
    await withPgloom({ hba: 'host all all all scram-sha-256', settings: { ...settings, auth_query: query } }, async (pgloom) => {
      await assert.rejects(login(pgloom, 'by_trust', right), /the password could not be looked up/, query);
      await untilMatch(pgloom.stderr, reason);
    });
  }
});

test('auth_query is asked for users of pool_passwd too: the time until the question does not tell who stands there', async () => {
  await cluster.query(0, `
    create table asked_for (name text);
    create function looked_up(name text) returns table (rolname text, rolpassword text) language plpgsql
      as 'begin insert into asked_for values ($1); return query select r.rolname::text, r.rolpassword from pg_authid r where r.rolname = $1; end'`);
  const poolPasswd = `by_md5:TEXT${right.replace(':', '\\:')}\n`;
  const settings = { auth_user: 'looker', auth_password: right, auth_dbname: 'postgres', auth_query: 'select * from looked_up($1)' };
  await withPgloom({ hba: 'host all all all scram-sha-256', poolPasswd, settings }, async (pgloom) => {
    for (const user of ['by_md5', 'by_scram', 'nobody']) await login(pgloom, user, right).catch(() => undefined);
    const asked = await cluster.query<{ name: string }>(0, 'select name from asked_for');
    assert.deepEqual(asked.map(({ name }) => name), ['by_md5', 'by_scram', 'nobody']);
  });
});

test('a server that does not answer auth_query holds up neither users of pool_passwd nor those who are trusted', async () => {
  const blocker = new Client({ ...cluster.nodes[0], user: 'postgres', database: 'postgres' });
  await blocker.connect();
  await blocker.query('select pg_advisory_lock(4242)');
  try {
    const auth_query = 'select rolname, rolpassword from pg_authid, (select pg_advisory_lock_shared(4242)) as lock where rolname = $1';
    const settings = { auth_user: 'looker', auth_password: right, auth_dbname: 'postgres', auth_query };
    const poolPasswd = ['by_md5', 'by_trust'].map((user) => `${user}:TEXT${right.replace(':', '\\:')}\n`).join('');
    await withPgloom({ hba: 'host all by_trust all trust\nhost all all all scram-sha-256', poolPasswd, settings }, async (pgloom) => {
      for (const user of ['by_md5', 'by_trust', 'by_md5']) {
        const client = new Client({ host: pgloom.host, port: pgloom.port, user, database: 'test', password: right, connectionTimeoutMillis: 5000 });
        await client.connect();
        await client.end();
      }
      // Whom only the server knows waits for it.
      const waiting = login(pgloom, 'by_scram', right);
      assert.equal(await Promise.race([waiting, sleep(500, 'waits')]), 'waits');
      await blocker.query('select pg_advisory_unlock(4242)');
      assert.equal(await waiting, 'by_scram');
    });
  } finally {
    await blocker.end();
  }
});

test('auth_query may give passwords themselves', async () => {
  const query = `select rolname, ${literal(right)} from pg_roles where rolname = $1`;
  await withPgloom({ hba: 'host all all all scram-sha-256', settings: { auth_user: 'looker', auth_password: right, pool_passwd: '', auth_query: query } }, async (pgloom) => {
    for (const user of ['by_md5', 'by_scram']) {
      assert.equal(await login(pgloom, user, right), user);
      await assert.rejects(login(pgloom, user, 'wrong'), refused);
    }
    for (const password of ['', right]) await assert.rejects(login(pgloom, 'nobody', password), /password/);
  });
});

test('what auth_query has answered is kept for auth_query_cache_lifetime, and a failed login makes all threads forget it', async () => {
  const settings = { auth_user: 'looker', auth_password: right, pool_passwd: '', auth_query_cache_lifetime: 3600, worker_threads: 3, num_init_children: 6 };
  await withPgloom({ hba: 'host all all all scram-sha-256', settings }, async (pgloom) => {
    // Six at once: every thread has its two.
    const six = (password: string): Promise<string[]> => Promise.all(Array.from({ length: 6 }, () => loginFor(pgloom, 'by_scram', password, 300)));
    await six(right);
    try {
      await cluster.query(0, 'ALTER ROLE by_scram PASSWORD \'changed\'');
      await assert.rejects(login(pgloom, 'by_scram', 'changed'), refused, 'the old password is known yet');
      await six('changed');
      await assert.rejects(login(pgloom, 'by_scram', right), refused);
    } finally {
      await cluster.query(0, `ALTER ROLE by_scram PASSWORD ${literal(right)}`);
    }
  });
});

test('relay mode: whoever asks from elsewhere does not learn that somebody of this name has logged in', async () => {
  const node = cluster.nodes[0];
  assert.ok(node);
  const proxy = await TcpProxy.start(node.port);
  const pgloom = await startPgloom({ nodes: [proxy], poolPasswd: `by_scram:TEXT${right.replace(':', '\\:')}\n`, settings: { worker_threads: 1, sr_check_period: 0, health_check_period: 0, listen_addresses: '*' } });
  try {
    /** Connections to the server that are made until the client is asked. */
    const opened = async (user: string, from: string): Promise<number> => {
      const before = proxy.connections;
      const socket = connect({ host: pgloom.host, port: pgloom.port, localAddress: from });
      socket.on('error', () => undefined);
      socket.write(startup({ user, database: 'test' }));
      const [question] = await once(socket, 'data') as [Buffer];
      assert.equal(question.toString('latin1', 0, 1), 'R');
      assert.equal(question.readInt32BE(5), 10, 'SCRAM');
      socket.destroy();
      return proxy.connections - before;
    };
    assert.equal(await opened('by_scram', '127.0.0.1'), 1);
    assert.equal(await opened('by_scram', '127.0.0.1'), 0, 'the server has just been heard for this address');
    assert.equal(await opened('by_scram', '127.0.0.2'), 1);
    assert.equal(await opened('nobody', '127.0.0.2'), 1);
    for (const user of ['by_scram', 'nobody']) assert.equal(await opened(user, '127.0.0.2'), 0, 'his own question of before');
  } finally {
    await pgloom.stop();
    await proxy.close();
  }
});

test('a hash is no password', async () => {
  for (const poolPasswd of ['', `by_md5:${md5Hash}\n`]) {
    await withPgloom({ hba: 'host all all all password', poolPasswd }, async (pgloom) => {
      await assert.rejects(login(pgloom, 'by_md5', md5Hash), refused);
      assert.equal(await login(pgloom, 'by_md5', right), 'by_md5');
    });
  }
});

test('a longer name is the name that the server cuts it to', async () => {
  const long = 'l'.repeat(63);
  await withPgloom({ hba: `host all ${long} all reject\nhost all all all trust` }, async (pgloom) => {
    for (const name of [long, `${long}x`]) await assert.rejects(login(pgloom, name, undefined), /client authentication failed/);
    const text = await untilMatch(pgloom.stderr, /(pool_hba.conf rejects connection[^]*){2}/);
    assert.equal(text.match(/pool_hba.conf rejects connection/g)?.length, 2);
  });
});

test('failed logins are in the log even if the client does not wait for the answer', async () => {
  await withPgloom({ hba: 'host all all all password', poolPasswd: 'by_trust:TEXTright\n', settings: { auth_failure_delay: 5000 } }, async (pgloom) => {
    const client = new Client({ host: pgloom.host, port: pgloom.port, user: 'by_trust', database: 'test', password: 'wrong' });
    client.on('error', () => undefined);
    client.connect().catch(() => undefined);
    for (let tries = 0; tries < 200 && !refused.test(pgloom.stderr()); tries++) await sleep(20);
    (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
    await untilMatch(pgloom.stderr, refused);
  });
});

test('a link that the server gave by trust is nobody\'s when it trusts no longer and pgloom was told to reload', async () => {
  const node = cluster.nodes[0];
  assert.ok(node);
  const hbaFile = join(node.directory, 'pg_hba.conf');
  const before = readFileSync(hbaFile, 'utf8');
  await withPgloom({}, async (pgloom) => {
    assert.equal(await login(pgloom, 'by_trust', undefined), 'by_trust');
    try {
      writeFileSync(hbaFile, `host all by_trust 127.0.0.1/32 scram-sha-256\n${before}`);
      await cluster.query(0, 'select pg_reload_conf()');
      pgloom.signal('SIGHUP');
      let failure: unknown = null;
      for (let tries = 0; tries < 200 && failure === null; tries++) {
        failure = await login(pgloom, 'by_trust', 'x').then(() => null, (error: unknown) => error);
        await sleep(20);
      }
      assert.match(String(failure), refused);
    } finally {
      writeFileSync(hbaFile, before);
      await cluster.query(0, 'select pg_reload_conf()');
    }
  });
});

test('a client that leaves while it is asked leaves no connection to the server behind', async () => {
  const node = cluster.nodes[0];
  assert.ok(node);
  const proxy = await TcpProxy.start(node.port);
  const pgloom = await startPgloom({ nodes: [proxy], settings: { worker_threads: 1, sr_check_period: 0, health_check_period: 0, num_init_children: 4, max_pool: 1 } });
  try {
    await eventually('the questions of the start are over', () => proxy.open === 0);
    for (let round = 0; round < 10; round++) {
      const client = new Client({ host: pgloom.host, port: pgloom.port, user: `nobody${round}`, database: 'test', password: 'x' });
      client.on('error', () => undefined);
      client.connect().catch(() => undefined);
      const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
      // At the question, at the salt, at the verdict.
      for (let answers = 0; answers <= round % 3; answers++) await once(stream, 'data');
      stream.destroy();
    }
    await eventually('no connection is left', () => proxy.open === 0);
  } finally {
    await pgloom.stop();
    await proxy.close();
  }
});
