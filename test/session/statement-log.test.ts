/** log_statement and log_per_node_statement: what is run is logged each time, by both protocols. */
import assert from 'node:assert/strict';
import { after, before, describe, it, test } from 'node:test';
import { logLines, startLoggingPgpool2 } from '../routing/table/pgpool2.js';
import { sharedCluster } from '../support/cluster.js';
import { type Pgloom, startPgloom } from '../support/pgloom.js';
import { noPgpool2, type Pgpool2 } from '../support/pgpool2.js';
import type { WireClient } from '../support/wire.js';
import { linePrefix, linesOf, talkative } from './logged-lines.js';

const settings = { log_statement: true, log_per_node_statement: true, ...linePrefix };
const running = new Map<string, Pgloom>();
const ways = ['one node', 'several nodes'] as const;

before(async () => {
  const [primary] = sharedCluster().nodes;
  assert.ok(primary);
  const own = { num_init_children: 4, worker_threads: 1, log_disconnections: true, ...settings };
  running.set('one node', await startPgloom({ nodes: [primary], settings: own }));
  running.set('several nodes', await startPgloom({ settings: { ...own, backend_weight0: 0, backend_weight1: 1, backend_weight2: 0 } }));
});

after(async () => {
  for (const pgloom of running.values()) await pgloom.stop();
});

/** What a statement's lines say, the backends' pids left out. */
function statements(lines: readonly string[]): string[] {
  return lines.flatMap((line) => {
    const found = /^LOG: {2}(?:DB node id: (\d+) backend pid: \d+ )?statement: (.*)$/.exec(line);
    if (found === null) return [];
    return [found[1] === undefined ? `run: ${found[2]}` : `${found[1]}: ${found[2]}`];
  });
}

const run = (lines: readonly string[]): string[] => statements(lines).filter((line) => line.startsWith('run: ')).map((line) => line.slice(5));
const sentTo = (node: number, lines: readonly string[]): string[] => statements(lines).filter((line) => line.startsWith(`${node}: `)).map((line) => line.slice(3));

const answers = async (client: WireClient, count = 1): Promise<void> => {
  for (let answer = 0; answer < count; answer++) await client.readUntil('Z');
};

function eachWay(name: string, use: (client: WireClient) => Promise<void>, check: (lines: string[], reader: number) => void): void {
  for (const way of ways) {
    test(`${name} (${way})`, async () => check(await linesOf(talkative(running.get(way) as Pgloom), use), way === 'one node' ? 0 : 1));
  }
}

eachWay('a statement is logged each time that it is run, not when it is prepared', async (client) => {
  client.parse('select $1::int', 's1', [23]);
  client.describe('S', 's1');
  client.sync();
  for (const value of ['1111100047', '1111100048', '1111100049']) {
    client.bind([value], 's1');
    client.execute();
  }
  client.sync();
  await answers(client, 2);
}, (lines, reader) => {
  assert.deepEqual(run(lines), ['select $1::int', 'select $1::int', 'select $1::int']);
  const pair = ['Bind: select $1::int', 'Execute: select $1::int'];
  assert.deepEqual(sentTo(reader, lines), ['Parse: select $1::int', 'D message', ...pair, ...pair, ...pair]);
  assert.doesNotMatch(lines.join('\n'), /11111000/);
});

eachWay('a statement that joins a batch which is under way is logged', async (client) => {
  client.parse('select 1');
  client.bind();
  client.execute();
  client.flush();
  await client.readUntil('C');
  client.parse('select 2');
  client.bind();
  client.execute();
  client.sync();
  await answers(client);
}, (lines, reader) => {
  assert.deepEqual(run(lines), ['select 1', 'select 2']);
  assert.deepEqual(sentTo(reader, lines), ['Parse: select 1', 'Bind: select 1', 'Execute: select 1', 'Parse: select 2', 'Bind: select 2', 'Execute: select 2']);
});

eachWay('rows that are fetched in two parts are two executions', async (client) => {
  client.query('begin');
  client.parse('select 1 from items');
  client.bind();
  client.execute('', 1);
  client.execute();
  client.sync();
  await answers(client, 2);
}, (lines) => {
  assert.deepEqual(run(lines), ['begin', 'select 1 from items', 'select 1 from items']);
});

eachWay('a statement that pgloom answers itself is logged as it was written, for no node', async (client) => {
  client.query('show  POOL_version;');
  await answers(client);
}, (lines) => {
  assert.deepEqual(statements(lines), ['run: show  POOL_version;']);
});

eachWay('a statement prepared by SQL is named', async (client) => {
  client.query('prepare p as select 1');
  await answers(client);
  client.bind([], 'p');
  client.execute();
  client.sync();
  await answers(client);
}, (lines) => {
  assert.deepEqual(run(lines), ['prepare p as select 1', 'prepared statement "p"']);
});

test('what pgloom says to a node on its own account is logged for that node alone', async () => {
  const lines = await linesOf(talkative(running.get('several nodes') as Pgloom), async (client) => {
    for (const sql of ["set work_mem = '5MB'", 'begin', 'select 1', 'commit']) {
      client.query(sql);
      await client.readUntil('Z');
    }
  });
  assert.deepEqual(run(lines), ["set work_mem = '5MB'", 'begin', 'select 1', 'commit']);
  const reader = sentTo(1, lines).join('\n');
  assert.match(reader, /^set work_mem = '5MB'\nbegin.*\nselect 1\n/is);
});

describe('the statements of a session are logged as Pgpool-II logs them:', { skip: noPgpool2 }, () => {
  let pgpool2: Pgpool2;
  before(async () => {
    pgpool2 = await startLoggingPgpool2(settings);
  });
  after(() => pgpool2?.stop());

  const scripts: Readonly<Record<string, (client: WireClient) => Promise<void>>> = {
    'simple queries': async (client) => {
      for (const sql of ['select 1', "insert into items values (4000, 'x'); rollback", 'show pool_version', 'select 1; select 2']) client.query(sql);
      await answers(client, 4);
    },
    'a batch': async (client) => {
      client.parse('select $1::int', 's1', [23]);
      client.describe('S', 's1');
      client.bind(['1'], 's1');
      client.describe('P');
      client.execute();
      client.bind(['2'], 's1');
      client.execute();
      client.sync();
      await answers(client);
    },
  };
  for (const [name, use] of Object.entries(scripts)) {
    it(name, async () => {
      const last = /statement: DISCARD ALL/;
      const theirs = statements(await linesOf({ port: pgpool2.port, lines: (application) => logLines(pgpool2, application) }, use, last));
      const ours = await linesOf(talkative(running.get('several nodes') as Pgloom), use);
      // Its own questions to the catalog, and the reset, are not the session's.
      const wanted = theirs.filter((line) => !/SELECT version\(\)|pg_catalog|DISCARD ALL/.test(line));
      // Pgpool-II logs what is run when it sends it, pgloom when it has read it.
      assert.deepEqual(statements(ours).filter((line) => line.startsWith('run: ')), wanted.filter((line) => line.startsWith('run: ')));
      assert.deepEqual(statements(ours).filter((line) => !line.startsWith('run: ')), wanted.filter((line) => !line.startsWith('run: ')));
    });
  }
});
