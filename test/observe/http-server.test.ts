/** The HTTP port: health, who may see and do what, and clients that mean no good. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { freePort } from '../../src/main/demo/free-port.js';
import { pgpool, withDirectory, writeConfig } from '../engine/pgpool-command.js';
import { eventually, untilMatch } from '../support/eventually.js';
import { withClient } from '../support/pgloom.js';
import { pcpLine, withHttp } from './http-pgloom.js';

const pcp = pcpLine('boss', 'tr0ub4dor');

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** A request with any headers, also those that fetch does not let set. */
async function ask(port: number, path: string, headers: Record<string, string> = {}, method = 'GET', body = ''): Promise<Reply> {
  const sent = request({ host: '127.0.0.1', port, path, method, headers, agent: false });
  sent.end(body);
  const [answer] = await once(sent, 'response') as [import('node:http').IncomingMessage];
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: await text(answer) };
}

const orderHeaders = { 'Content-Type': 'application/json', 'X-Pgloom': 'order' };

function order(port: number, what: object, headers: Record<string, string> = {}): Promise<Reply> {
  return ask(port, '/orders', { ...orderHeaders, ...headers }, 'POST', JSON.stringify({ user: 'boss', password: 'tr0ub4dor', ...what }));
}

async function nodeState(port: number, node: number): Promise<string> {
  const { nodes } = JSON.parse((await ask(port, '/status.json')).body) as { nodes: { status: string }[] };
  return nodes[node]?.status ?? '';
}

async function open(port: number, bytes: string): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(bytes);
  return socket;
}

describe('health', () => {
  it('is told without a database, and not ready means 503 with the reason', async () => {
    const dead = { host: '127.0.0.1', port: await freePort() };
    await withHttp({ nodes: [dead], settings: { health_check_period: 0, connect_timeout: 500, sr_check_period: 0 } }, async (_pgloom, _url, port) => {
      assert.deepEqual(await ask(port, '/livez').then(({ status, body }) => [status, body]), [200, 'alive\n']);
      const ready = await ask(port, '/readyz');
      assert.equal(ready.status, 503);
      assert.equal(ready.body, 'not ready: no node is alive\n');
      assert.equal((await ask(port, '/metrics')).status, 200);
    });
  });

  it('says ready, and not ready while a smart stop waits for clients', async () => {
    await withHttp({}, async (pgloom, _url, port) => {
      assert.deepEqual(await ask(port, '/readyz').then(({ status, body }) => [status, body]), [200, 'ready\n']);
      await withClient(pgloom, async (client) => {
        pgloom.signal('SIGTERM');
        await eventually('it is not ready', async () => (await ask(port, '/readyz')).status === 503);
        assert.match((await ask(port, '/readyz')).body, /pgloom starts or stops/);
        assert.equal((await ask(port, '/livez')).status, 200);
        await client.query('select 1');
      });
      assert.equal(await pgloom.exited, 0);
    });
  });

  it('notes a missing primary and stays ready', async () => {
    await withHttp({ pcp }, async (_pgloom, _url, port) => {
      assert.equal((await order(port, { order: 'detach', node: 0 })).status, 200);
      await eventually('node 0 is down', async () => (await nodeState(port, 0)) === 'down');
      const { status, body } = await ask(port, '/readyz');
      assert.equal(status, 200);
      assert.equal(body, 'ready\nnote: no primary is known: clients can only read\n');
    });
  });
});

describe('orders', () => {
  it('attach and detach nodes with the password of pcp.conf, and with no other', async () => {
    await withHttp({ pcp }, async (pgloom, _url, port) => {
      const wrong = await order(port, { order: 'detach', node: 1, password: 'guess' });
      assert.deepEqual([wrong.status, JSON.parse(wrong.body)], [403, { error: 'user or password is wrong' }]);
      assert.equal((await order(port, { order: 'detach', node: 1, user: 'nobody' })).status, 403);
      assert.equal((await order(port, { order: 'detach', node: 1, user: 'boss\0x' })).status, 403);
      assert.equal(await nodeState(port, 1), 'up');
      assert.equal((await order(port, { order: 'detach', node: 1 })).status, 200);
      assert.equal(await nodeState(port, 1), 'down');
      assert.equal((await order(port, { order: 'detach', node: 1 })).status, 409);
      assert.equal((await order(port, { order: 'attach', node: 1 })).status, 200);
      await eventually('node 1 is up', async () => /^(up|waiting)$/.test(await nodeState(port, 1)));
      await untilMatch(pgloom.stderr, /PCP user "boss" at 127\.0\.0\.1 orders: detach node 1/);
      assert.doesNotMatch(pgloom.stderr(), /tr0ub4dor|guess/);
    });
  });

  it('are refused when they are malformed, or may come from another site', async () => {
    await withHttp({ pcp }, async (_pgloom, _url, port) => {
      const detach = JSON.stringify({ order: 'detach', node: 1, user: 'boss', password: 'tr0ub4dor' });
      const tried: readonly (readonly [status: number, headers: Record<string, string>, body: string])[] = [
        [415, { 'X-Pgloom': 'order', 'Content-Type': 'text/plain' }, detach],
        [415, { 'X-Pgloom': 'order', 'Content-Type': 'application/x-www-form-urlencoded' }, detach],
        [403, { 'Content-Type': 'application/json' }, detach],
        [403, { ...orderHeaders, 'Sec-Fetch-Site': 'cross-site' }, detach],
        [403, { ...orderHeaders, 'Sec-Fetch-Site': 'same-site' }, detach],
        [403, { ...orderHeaders, Origin: 'http://evil.example' }, detach],
        [403, { ...orderHeaders, Origin: 'null' }, detach],
        [421, { ...orderHeaders, Host: 'evil.example' }, detach],
        [400, orderHeaders, '{"order"'],
        [400, orderHeaders, 'null'],
        [400, orderHeaders, JSON.stringify({ order: 'stop', node: 1, user: 'boss', password: 'tr0ub4dor' })],
        [400, orderHeaders, JSON.stringify({ order: '__proto__', node: 1, user: 'boss', password: 'tr0ub4dor' })],
        [400, orderHeaders, JSON.stringify({ order: 'detach', node: '1', user: 'boss', password: 'tr0ub4dor' })],
        [413, orderHeaders, `${detach}${' '.repeat(5000)}`],
        [409, orderHeaders, JSON.stringify({ order: 'detach', node: 9, user: 'boss', password: 'tr0ub4dor' })],
        [409, orderHeaders, JSON.stringify({ order: 'promote', node: 0, user: 'boss', password: 'tr0ub4dor' })],
      ];
      for (const [status, headers, body] of tried) {
        assert.equal((await ask(port, '/orders', headers, 'POST', body)).status, status, `${JSON.stringify(headers)} ${body.slice(0, 80)}`);
      }
      assert.equal((await ask(port, '/orders')).status, 405);
      assert.equal(await nodeState(port, 1), 'up');
      const own = await order(port, { order: 'detach', node: 1 }, { Origin: `http://127.0.0.1:${port}`, Host: `127.0.0.1:${port}` });
      assert.equal(own.status, 200);
    });
  });
});

describe('the HTTP port', () => {
  it('shows everything to users of pcp.conf only when it is told so, but for the health', async () => {
    await withHttp({ pcp, settings: { http_authentication: 'pcp' } }, async (_pgloom, _url, port) => {
      const basic = (user: string, password: string): Record<string, string> => ({ Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` });
      for (const path of ['/', '/metrics', '/status.json', '/sessions.json', '/pools.json']) {
        const refused = await ask(port, path);
        assert.equal(refused.status, 401, path);
        assert.match(String(refused.headers['www-authenticate']), /^Basic /);
        assert.equal((await ask(port, path, basic('boss', 'tr0ub4dor'))).status, 200, path);
      }
      assert.equal((await ask(port, '/metrics', basic('boss', 'wrong'))).status, 401);
      assert.equal((await ask(port, '/metrics', { Authorization: 'Bearer x' })).status, 401);
      assert.equal((await ask(port, '/livez')).status, 200);
      assert.equal((await ask(port, '/readyz')).status, 200);
    });
  });

  it('lists sessions and pools without what they run, page by page', async () => {
    await withHttp({}, async (pgloom, _url, port) => {
      await withClient(pgloom, async (client) => {
        await client.query("select 'a secret'");
        const sessions = JSON.parse((await ask(port, '/sessions.json?text=EVIL')).body) as { total: number; matched: number; rows: Record<string, unknown>[] };
        assert.deepEqual([sessions.total, sessions.matched], [1, 1]);
        const { user, database, application, state, host } = sessions.rows[0]!;
        assert.deepEqual({ user, database, application, state, host }, { user: 'postgres', database: 'test', application: '<b>evil</b>', state: 'idle', host: '127.0.0.1' });
        const pools = (await ask(port, '/pools.json')).body;
        assert.equal((JSON.parse(pools) as { total: number }).total, 1);
        for (const path of ['/sessions.json', '/pools.json', '/status.json', '/metrics']) assert.doesNotMatch((await ask(port, path)).body, /secret/, path);
        const none = JSON.parse((await ask(port, '/sessions.json?offset=1&limit=999999999999')).body) as { matched: number; rows: unknown[] };
        assert.deepEqual([none.matched, none.rows.length], [1, 0]);
        assert.equal((JSON.parse((await ask(port, '/sessions.json?state=executing')).body) as { matched: number }).matched, 0);
      }, { application_name: '<b>evil</b>' });
    });
  });

  it('answers only what it knows, to this machine\'s names, with headers that keep a browser strict', async () => {
    await withHttp({}, async (_pgloom, _url, port) => {
      const page = await ask(port, '/');
      assert.match(String(page.headers['content-security-policy']), /^default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'; /);
      assert.equal(page.headers['x-content-type-options'], 'nosniff');
      assert.equal(page.headers['access-control-allow-origin'], undefined);
      assert.doesNotMatch(page.body, /\son[a-z]+=|https?:\/\/(?!www\.w3\.org)/, 'no inline handlers, nothing from elsewhere');
      assert.equal((await ask(port, '/', {}, 'HEAD')).status, 200);
      assert.equal((await ask(port, '/', {}, 'DELETE')).status, 405);
      for (const path of ['/favicon.ico', '//', '/../etc/passwd', '/metrics/', '*']) assert.equal((await ask(port, path)).status, 404, path);
      assert.equal((await ask(port, '/metrics', { Host: 'rebound.example:80' })).status, 421);
      for (const host of ['localhost', `localhost:${port}`, '[::1]:80', 'pgloom.localhost']) assert.equal((await ask(port, '/metrics', { Host: host })).status, 200, host);
      assert.equal((await ask(port, '/livez', { Host: 'anything.example' })).status, 200);
    });
  });

  it('bears garbage, slow clients, too many of them and requests without an end', async () => {
    await withHttp({}, async (_pgloom, _url, port) => {
      const closed = async (bytes: string): Promise<string> => text(await open(port, bytes));
      assert.match(await closed('\0\x16\x03garbage\r\n\r\n'), /^HTTP\/1\.1 400 /);
      assert.match(await closed(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`), /^HTTP\/1\.1 431 /);
      assert.match(await closed('GET /livez HTTP/1.1\r\n'), /^HTTP\/1\.1 408 /, 'a head that never ends');
      assert.match(await closed('POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nX-Pgloom: order\r\nContent-Length: 100\r\n\r\n{'), /^HTTP\/1\.1 408 /);
      const many = await Promise.all(Array.from({ length: 200 }, () => open(port, 'GET / HTTP/1.1\r\nX-Slow: ')));
      try {
        assert.equal((await ask(port, '/livez')).status, 200, 'the oldest connections have made place');
        await eventually('they are closed', () => many.filter(({ destroyed }) => destroyed).length >= 130);
      } finally {
        for (const socket of many) socket.destroy();
      }
      assert.equal((await ask(port, '/readyz')).status, 200);
    });
  });

  it('that is taken by another program keeps pgloom from starting, with a clear word', async () => {
    await withHttp({}, async (_pgloom, _url, port) => {
      await withDirectory(async (directory) => {
        const file = await writeConfig(directory, { port: await freePort(), http_port: port, http_listen_addresses: '127.0.0.1' });
        const { status, stderr } = await pgpool('-n', '-f', file);
        assert.notEqual(status, 0);
        assert.match(stderr, new RegExp(`could not listen on address "127\\.0\\.0\\.1": port ${port} is already in use`));
      });
    });
  });
});
