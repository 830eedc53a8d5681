/** Lines about connections, and what of the log reaches the client, beside Debian's Pgpool-II; and who the lines are of. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { HostNames } from '../../src/workers/session/host-names.js';
import { logLines, startLoggingPgpool2 } from '../routing/table/pgpool2.js';
import { TcpProxy } from '../session/tcp-proxy.js';
import { sharedCluster } from '../support/cluster.js';
import { eventually, untilMatch } from '../support/eventually.js';
import { withClient } from '../support/pgloom.js';
import { noPgpool2 } from '../support/pgpool2.js';
import { launch } from './launch.js';

const about = /^(LOG: {2}new connection received|DETAIL: {2}connecting host|LOG: {2}frontend disconnection)/;
/** Port and time differ. */
const masked = (line: string): string => line.replace(/port=\d+/, 'port=N').replace(/time: \d+:\d\d:\d\d\.\d{3} /, 'time: T ');

/** A directory in which Debian's Pgpool-II, which runs as another user, may make its socket. */
function socketDirectory(t: TestContext): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'pgloom-sockets-'));
  chmodSync(directory, 0o777);
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

interface Proxy {
  readonly port: number;
  readonly sockets: string;
  readonly lines: () => string[];
}

async function connectionLines(proxy: Proxy): Promise<string[]> {
  const ended = (): string[] => proxy.lines().filter((line) => line.includes('frontend disconnection'));
  for (const [at, host] of ['127.0.0.1', proxy.sockets].entries()) {
    await withClient({ host, port: proxy.port }, (client) => client.query('select 1'));
    await eventually(() => `a disconnection in:\n${proxy.lines().join('\n')}`, () => ended().length > at);
  }
  return proxy.lines().filter((line) => about.test(line)).map(masked);
}

describe('as Debian\'s Pgpool-II does it:', { skip: noPgpool2 }, () => {
  for (const log_hostname of [false, true]) {
    it(`log_connections and log_disconnections with log_hostname = ${log_hostname}`, async (t) => {
      const settings = { log_connections: true, log_disconnections: true, log_hostname, log_line_prefix: 'L|' };
      const sockets = socketDirectory(t);
      const pgpool2 = await startLoggingPgpool2({ ...settings, socket_dir: sockets });
      t.after(() => pgpool2.stop());
      const theirs = await connectionLines({ port: pgpool2.port, sockets, lines: () => logLines(pgpool2, 'L') });
      assert.equal(theirs.length, 6);
      const pgloom = await launch(t, { ...settings, log_connections: false });
      pgloom.reload(settings);
      await untilMatch(pgloom.stderr, /parameters changed/);
      const lines = (): string[] => pgloom.stderr().split('\n').map((line) => line.replace(/^L\|/, ''));
      assert.deepEqual(await connectionLines({ port: pgloom.port, sockets: pgloom.directory, lines }), theirs);
    });
  }

  it('notices of the servers reach the client whatever client_min_messages says', async (t) => {
    const notices = async (port: number): Promise<string[]> => {
      const seen: string[] = [];
      await withClient({ host: '127.0.0.1', port }, async (client) => {
        client.on('notice', ({ message }) => seen.push(message ?? ''));
        await client.query("do $$ begin raise notice 'a notice'; raise warning 'a warning'; end $$");
      });
      return seen;
    };
    const settings = { client_min_messages: 'error' };
    const pgpool2 = await startLoggingPgpool2(settings);
    t.after(() => pgpool2.stop());
    const pgloom = await launch(t, settings);
    assert.deepEqual(await notices(pgloom.port), ['a notice', 'a warning']);
    assert.deepEqual(await notices(pgpool2.port), ['a notice', 'a warning']);
  });
});

test('a line says which process of Pgpool-II\'s it would be of', async (t) => {
  const nodes = sharedCluster().nodes;
  const proxy = await TcpProxy.start(nodes[1]?.port ?? 0);
  t.after(() => proxy.close());
  const pgloom = await launch(t, {
    log_line_prefix: '%P|%a|%p|%d|%u| ', log_statement: true, replication_delay_source_cmd: '/bin/false', sr_check_period: 1,
    health_check_period: 1, health_check_user: 'postgres', health_check_max_retries: 30, health_check_retry_delay: 1,
    backend_hostname1: '127.0.0.1', backend_port1: proxy.port,
  });
  const none = '\\[No Connection\\]\\|\\[No Connection\\]';
  const { pid } = pgloom;
  await untilMatch(pgloom.stderr, new RegExp(`^main\\|main\\|${pid}\\|${none}\\| LOG:  pgloom is ready`, 'm'));
  await untilMatch(pgloom.stderr, new RegExp(`^sr_check_worker\\|sr_check_worker\\|${pid}\\|${none}\\| WARNING:  replication_delay_source_cmd`, 'm'));
  proxy.refusing = true;
  await untilMatch(pgloom.stderr, new RegExp(`^health_check1\\|health_check1\\|${pid}\\|${none}\\| LOG:  health check of node 1 failed`, 'm'));
  await withClient(pgloom, (client) => client.query('select 1'), { application_name: 'my app' });
  await untilMatch(pgloom.stderr, /^child\|my app\|\d+\|test\|postgres\| LOG: {2}statement: select 1$/m);
});

test('level, verbosity and prefix change by a reload', async (t) => {
  const pgloom = await launch(t, { log_line_prefix: 'start|' });
  const common = { enable_pool_hba: true, log_connections: true };
  /** Refused clients until one of them is logged so: the worker hears of a reload a little later. */
  const refusedUntil = async (pattern: RegExp): Promise<void> => {
    for (let i = 0; i < 200 && !pattern.test(pgloom.stderr()); i++) {
      await withClient(pgloom, (client) => client.query('select 1')).catch(() => undefined);
      await sleep(20);
    }
    await untilMatch(pgloom.stderr, pattern);
  };
  pgloom.reload({ ...common, log_line_prefix: 'a|' });
  await refusedUntil(/^a\|FATAL: {2}client authentication failed\na\|DETAIL: {2}no pool_hba\.conf entry/m);
  pgloom.reload({ ...common, log_line_prefix: 'b|', log_error_verbosity: 'terse' });
  await refusedUntil(/^b\|FATAL: {2}client authentication failed$/m);
  await untilMatch(pgloom.stderr, /^b\|LOG: {2}new connection received$/m);
  assert.doesNotMatch(pgloom.stderr(), /^b\|DETAIL/m);
  pgloom.reload({ ...common, log_line_prefix: 'c|', log_min_messages: 'fatal' });
  await refusedUntil(/^c\|FATAL: {2}client authentication failed$/m);
  assert.doesNotMatch(pgloom.stderr(), /^c\|LOG/m);
  pgloom.reload({ ...common, log_line_prefix: 'd|', log_min_messages: 'debug1' });
  await refusedUntil(/^d\|LOG: {2}new connection received$/m);
});

test('the name of a host is looked up once, and what is no address is never waited for', async () => {
  const names = new HostNames();
  const nowMs = Date.now();
  assert.equal(await names.nameOf('127.0.0.1', nowMs), 'localhost');
  assert.equal(names.nameOf('127.0.0.1', nowMs), names.nameOf('127.0.0.1', nowMs + 1000));
  assert.notEqual(names.nameOf('127.0.0.1', nowMs), names.nameOf('127.0.0.1', nowMs + 3_600_000));
  // A documentation address: nobody has a name for it.
  assert.equal(await names.nameOf('192.0.2.7', nowMs), '192.0.2.7');
  const many = Array.from({ length: 500 }, (_, i) => names.nameOf(`198.51.100.${i % 250}`, nowMs + i));
  assert.equal((await Promise.all(many)).length, 500);
});
