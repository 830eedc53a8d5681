/** GET /metrics of a real pgloom under a load that is known to the statement. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { sharedCluster } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { type Pgloom, startPgloom, withClient } from '../support/pgloom.js';
import { withWireClient } from '../support/wire.js';
import { type Metrics, readMetrics } from './exposition.js';
import { withHttp } from './http-pgloom.js';

const clients = 24;
const rounds = 30;

async function metricsOf(url: string): Promise<Metrics> {
  const answer = await fetch(`${url}/metrics`);
  assert.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  const metrics = readMetrics(await answer.text());
  assertHistograms(metrics);
  return metrics;
}

/** Buckets only grow, the last one is the count. */
function assertHistograms({ types, samples }: Metrics): void {
  for (const [family, type] of types) {
    if (type !== 'histogram') continue;
    const counts = new Map<string, number>();
    for (const { name, labels, value } of samples) {
      const { le, ...rest } = labels;
      const key = JSON.stringify(rest);
      if (name === `${family}_bucket`) {
        assert.ok(value >= (counts.get(key) ?? 0), `${family} ${key} grows up to ${le}`);
        counts.set(key, value);
      }
      if (name === `${family}_count`) assert.equal(counts.get(key), value, `${family} ${key}: the last bucket is the count`);
    }
  }
}

/** One client's part of the load: three reads, one insert and one transaction of BEGIN, UPDATE, COMMIT each round; one error at the end. */
async function load(pgloom: Pgloom): Promise<void> {
  await withClient(pgloom, async (client) => {
    for (let i = 0; i < rounds; i++) {
      await client.query('select 1');
      await client.query('values (1)');
      await client.query('select $1::int', [i]);
      await client.query('insert into metered values ($1)', [i]);
      await client.query('begin');
      await client.query('update metered set id = id where false');
      await client.query('commit');
    }
    await assert.rejects(client.query('select 1/0'));
  });
}

describe('metrics', () => {
  it('add up exactly to what 24 clients sent, on every node and over all threads', async () => {
    await withHttp({ settings: { num_init_children: 32, worker_threads: 3, health_check_period: 1 } }, async (pgloom, url) => {
      await withClient(pgloom, (client) => client.query('create table if not exists metered (id int); select 1'));
      const before = await metricsOf(url);
      await Promise.all(Array.from({ length: clients }, () => load(pgloom)));
      const after = await metricsOf(url);
      const added = (name: string, labels?: Record<string, string>): number => after.sum(name, labels) - before.sum(name, labels);
      const times = clients * rounds;
      const kinds = ['select', 'insert', 'update', 'delete', 'ddl', 'other'];
      assert.deepEqual(Object.fromEntries(kinds.map((kind) => [kind, added('pgloom_statements_total', { kind })])),
        { select: 3 * times + clients, insert: times, update: times, delete: 0, ddl: 0, other: 2 * times });
      const classes = ['read', 'write', 'other'];
      assert.deepEqual(Object.fromEntries(classes.map((name) => [name, added('pgloom_query_duration_seconds_count', { class: name })])),
        { read: 3 * times + clients, write: 2 * times, other: 2 * times });
      assert.ok(added('pgloom_query_duration_seconds_sum') > 0);
      assert.equal(added('pgloom_node_errors_total', { severity: 'error' }), clients);
      assert.equal(added('pgloom_client_connections_total'), clients);
      assert.equal(added('pgloom_client_refusals_total'), 0);
      assert.equal(added('pgloom_client_wait_seconds_count'), 0);
      // Writes go to the primary only, and every node has its own series.
      assert.equal(added('pgloom_query_duration_seconds_count', { class: 'write', node: '0' }), 2 * times);
      for (const node of ['0', '1', '2']) assert.equal(after.sum('pgloom_node_status', { node, status: 'up' }), 1, `node ${node} is up`);
      assert.equal(after.sum('pgloom_node_role', { node: '0', role: 'primary' }), 1);
      assert.equal(after.sum('pgloom_workers_running'), 3);
      assert.equal(after.sum('pgloom_clients_max'), 32);
      assert.equal(after.sum('pgloom_children'), 32);
      for (const node of ['0', '1', '2']) {
        await eventually(`node ${node} is checked`, async () => (await metricsOf(url)).sum('pgloom_health_check_duration_seconds_count', { node }) > 0);
      }
    });
  });

  for (const [name, nodes] of [['three nodes', 3], ['one node', 1]] as const) {
    it(`count what is sent without waiting as one exchange, as grave as its gravest statement: ${name}`, async () => {
      await withHttp({ nodes: sharedCluster().nodes.slice(0, nodes) }, async (pgloom, url) => {
        const exchanges = async (): Promise<readonly number[]> => {
          const metrics = await metricsOf(url);
          return ['read', 'write', 'other'].map((kind) => metrics.sum('pgloom_query_duration_seconds_count', { class: kind }));
        };
        await withWireClient(pgloom.port, async (client) => {
          const round = async (answers: number, send: () => void): Promise<readonly number[]> => {
            const before = await exchanges();
            client.socket.cork();
            send();
            client.socket.uncork();
            for (let i = 0; i < answers; i++) await client.readUntil('Z');
            return (await exchanges()).map((count, i) => count - (before[i] ?? 0));
          };
          // The server sleeps until all three are there.
          assert.deepEqual(await round(3, () => ['select pg_sleep(0.3)', 'create temp table t (id int)', 'select 2'].forEach((sql) => client.query(sql))), [0, 1, 0]);
          assert.deepEqual(await round(1, () => {
            client.parse('select $1::int');
            client.bind(['1']);
            client.execute();
            client.sync();
          }), [1, 0, 0]);
          assert.deepEqual(await round(1, () => client.sync()), [0, 0, 1]);
          assert.deepEqual(await round(1, () => client.query('')), [0, 0, 1]);
          assert.deepEqual(await round(1, () => {
            client.query('copy t from stdin');
            client.copyData('1\n');
            client.copyDone();
          }), [0, 1, 0]);
          assert.deepEqual(await round(1, () => client.query('SHOW POOL_VERSION')), [0, 0, 0]);
        });
      });
    });
  }

  it('count pool hits and misses: every check-out is one or the other', async () => {
    await withHttp({ settings: { worker_threads: 1, load_balance_mode: false } }, async (pgloom, url) => {
      const counts = async (): Promise<readonly [hits: number, misses: number]> => {
        const metrics = await metricsOf(url);
        return [metrics.sum('pgloom_pool_checkouts_total', { result: 'hit' }), metrics.sum('pgloom_pool_checkouts_total', { result: 'miss' })];
      };
      assert.deepEqual(await counts(), [0, 0]);
      for (let i = 0; i < 5; i++) {
        await withClient(pgloom, (client) => client.query('select 1'));
        // The link comes back to the pool when it has been reset.
        await eventually('the session is over', async () => (await metricsOf(url)).sum('pgloom_children', { state: 'waiting' }) === 32);
        await new Promise((resolve) => { setTimeout(resolve, 100); });
      }
      assert.deepEqual(await counts(), [4, 1]);
    });
  });

  it('tell of clients that wait, that waited, and that are refused', async () => {
    await withHttp({ settings: { num_init_children: 1, listen_backlog_multiplier: 2 } }, async (pgloom, url) => {
      let waiting: Promise<unknown>[] = [];
      await withClient(pgloom, async () => {
        waiting = [0, 1].map(() => withClient(pgloom, (client) => client.query('select 1')));
        await eventually('two clients wait', async () => (await metricsOf(url)).sum('pgloom_clients_waiting') === 2);
        await assert.rejects(withClient(pgloom, async () => undefined), /too many clients/);
        const full = await metricsOf(url);
        assert.equal(full.sum('pgloom_clients_connected'), 1);
        assert.equal(full.sum('pgloom_client_refusals_total'), 1);
        assert.equal(full.sum('pgloom_clients_waiting_max'), 2);
        assert.equal((await fetch(`${url}/readyz`)).status, 503);
      });
      await Promise.all(waiting);
      const after = await metricsOf(url);
      assert.equal(after.sum('pgloom_client_connections_total'), 4);
      assert.equal(after.sum('pgloom_clients_waiting'), 0);
      assert.equal(after.sum('pgloom_client_wait_seconds_count'), 2);
      assert.ok(after.sum('pgloom_client_wait_seconds_sum') > 0);
    });
  });

  it('measure memory and event loop of every worker', async () => {
    await withHttp({ settings: { worker_threads: 2 } }, async (_pgloom, url) => {
      await eventually('both workers have measured', async () => {
        const metrics = await metricsOf(url);
        return ['0', '1'].every((worker) => metrics.sum('pgloom_worker_heap_bytes', { worker }) > 1e6);
      });
      const metrics = await metricsOf(url);
      assert.ok(metrics.sum('pgloom_resident_memory_bytes') > 1e7);
      assert.equal(metrics.samples.filter(({ name }) => name === 'pgloom_worker_event_loop_delay_seconds').length, 6);
      for (const { name, value } of metrics.samples) if (name.includes('event_loop_delay')) assert.ok(value >= 0 && value < 60, `${name} ${value}`);
    });
  });

  it('are understood by the parser of Python\'s Prometheus client', async (t) => {
    if (await python('import prometheus_client') !== null) return t.skip('python3-prometheus-client is not installed');
    return withHttp({}, async (pgloom, url) => {
      await withClient(pgloom, (client) => client.query('select 1'));
      const text = await (await fetch(`${url}/metrics`)).text();
      const program = `
import sys
from prometheus_client.parser import text_string_to_metric_families
families = list(text_string_to_metric_families(sys.stdin.read()))
assert all(f.documentation and f.type in ("counter", "gauge", "histogram", "summary") for f in families), [f.name for f in families if f.type == "unknown"]
assert sum(len(f.samples) for f in families) == ${readMetrics(text).samples.length}
assert {f.name for f in families} >= {"pgloom_statements", "pgloom_query_duration_seconds", "pgloom_node_status"}
`;
      assert.equal(await python(program, text), null);
    });
  });

  it('are off by default', async () => {
    const pgloom = await startPgloom();
    try {
      assert.doesNotMatch(pgloom.stderr(), /status page/);
    } finally {
      await pgloom.stop();
    }
  });
});

/** Null when the program ended well, else what it said. */
function python(program: string, input = ''): Promise<string | null> {
  return new Promise((resolve) => {
    const child = execFile('/usr/bin/python3', ['-c', program], (error, _stdout, stderr) => resolve(error === null ? null : stderr || error.message));
    child.stdin?.on('error', () => undefined).end(input);
  });
}
