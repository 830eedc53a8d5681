/** log_client_messages and log_backend_messages: the lines are Pgpool-II's. */
import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { type Pgloom, startPgloom } from '../support/pgloom.js';
import { sharedCluster } from '../support/cluster.js';
import { WireClient } from '../support/wire.js';
import { linePrefix, messagesOf, talkative, type Talkative } from './logged-lines.js';

const common = { num_init_children: 4, worker_threads: 1, log_disconnections: true, ...linePrefix };
const all = { ...common, log_client_messages: true, log_backend_messages: 'verbose' };
const readerIsNode1 = { backend_weight0: 0, backend_weight1: 1, backend_weight2: 0 };

/** Both ways of a relay: one node, and several with the reads on node 1. */
const running = new Map<string, Pgloom>();
let terse: Pgloom;

before(async () => {
  const [primary] = sharedCluster().nodes;
  assert.ok(primary);
  running.set('one node', await startPgloom({ nodes: [primary], settings: all }));
  running.set('several nodes', await startPgloom({ settings: { ...all, ...readerIsNode1 } }));
  terse = await startPgloom({ settings: { ...common, ...readerIsNode1, log_backend_messages: 'terse' } });
});

after(async () => {
  for (const pgloom of [...running.values(), terse]) await pgloom.stop();
});

function eachRelay(name: string, run: (proxy: Talkative, reader: number) => Promise<void>): void {
  for (const which of ['one node', 'several nodes']) {
    test(`${name} (${which})`, () => run(talkative(running.get(which) as Pgloom), which === 'one node' ? 0 : 1));
  }
}

const clientLines = (lines: readonly string[]): string[] => lines.filter((line) => !line.includes(' message from backend '));
const backendLines = (lines: readonly string[]): string[] => lines.filter((line) => line.includes(' message from backend '));
const from = (node: number, ...names: string[]): string[] => names.map((name) => `LOG:  ${name} message from backend ${node}`);

/** The client's lines: a name, or a name and its detail. */
const sent = (...messages: (string | readonly [string, string])[]): string[] => messages.flatMap((message) => {
  const [name, detail] = typeof message === 'string' ? [message, undefined] : message;
  return [`LOG:  ${name} message from frontend.`, ...(detail === undefined ? [] : [`DETAIL:  ${detail}`])];
});

eachRelay('a simple query, its answer and Terminate are logged in their order', async (proxy, reader) => {
  const lines = await messagesOf(proxy, async (client) => {
    client.query("select 'ä'");
    await client.readUntil('Z');
  });
  assert.deepEqual(lines, [
    ...sent(['Query', `query: "select 'ä'"`]),
    ...from(reader, 'RowDescription', 'DataRow', 'CommandComplete', 'ReadyForQuery'),
    ...sent('Terminate'),
  ]);
});

eachRelay('a batch is logged with its statement and portal names', async (proxy, reader) => {
  const lines = await messagesOf(proxy, async (client) => {
    client.query('begin');
    await client.readUntil('Z');
    client.parse('select $1::int', 's1', [23]);
    client.describe('S', 's1');
    client.bind(['4711'], 's1');
    client.describe('P');
    client.execute('', 1);
    client.close('P');
    client.close('S', 's1');
    client.flush();
    client.sync();
    await client.readUntil('Z');
  });
  assert.deepEqual(clientLines(lines), sent(
    ['Query', 'query: "begin"'],
    ['Parse', 'statement: "s1", query: "select $1::int"'], ['Describe', 'statement: "s1"'],
    ['Bind', 'portal: "", statement: "s1"'], ['Describe', 'portal: ""'], ['Execute', 'portal: ""'],
    ['Close', 'portal: ""'], ['Close', 'statement: "s1"'], 'Flush', 'Sync', 'Terminate',
  ));
  assert.doesNotMatch(lines.join('\n'), /4711/, 'the values of parameters are nobody\'s business');
  assert.ok(backendLines(lines).join('\n').endsWith(
    from(reader, 'ParseComplete', 'ParameterDescription', 'RowDescription', 'BindComplete', 'RowDescription', 'DataRow', 'PortalSuspended', 'CloseComplete', 'CloseComplete', 'ReadyForQuery').join('\n')));
});

eachRelay('a named portal is logged on the primary', async (proxy) => {
  const lines = await messagesOf(proxy, async (client) => {
    client.parse('select 1');
    client.bind([], '', 'p1');
    client.execute('p1');
    client.sync();
    await client.readUntil('Z');
  });
  assert.deepEqual(lines, [
    ...sent(['Parse', 'statement: "", query: "select 1"'], ['Bind', 'portal: "p1", statement: ""'], ['Execute', 'portal: "p1"'], 'Sync'),
    ...from(0, 'ParseComplete', 'BindComplete', 'DataRow', 'CommandComplete', 'ReadyForQuery'),
    ...sent('Terminate'),
  ]);
});

eachRelay('COPY data is counted, however it is split, and never shown', async (proxy) => {
  const lines = await messagesOf(proxy, async (client) => {
    client.query('create temp table copied (line text)');
    await client.readUntil('Z');
    client.query('copy copied from stdin');
    await client.readUntil('G');
    for (const text of ['first\n', 'x'.repeat(200_000), '\n', 'last\n']) client.copyData(text);
    client.copyDone();
    await client.readUntil('Z');
    client.query('copy copied from stdin');
    await client.readUntil('G');
    client.copyFail('not today');
    await client.readUntil('Z');
  });
  assert.deepEqual(clientLines(lines), sent(
    ['Query', 'query: "create temp table copied (line text)"'], ['Query', 'query: "copy copied from stdin"'],
    ['CopyData', 'count: 4'], 'CopyDone', ['Query', 'query: "copy copied from stdin"'], 'CopyFail', 'Terminate',
  ));
  assert.deepEqual(backendLines(lines), from(0, 'CommandComplete', 'ReadyForQuery', 'CopyInResponse', 'CommandComplete', 'ReadyForQuery', 'CopyInResponse', 'ErrorResponse', 'ReadyForQuery'));
});

eachRelay('COPY out, a function call, an empty query, a notice and a notification are logged', async (proxy) => {
  const lines = await messagesOf(proxy, async (client) => {
    for (const sql of ['copy (select 1) to stdout', '', 'listen here; notify here', "do $$ begin raise notice 'hear'; end $$"]) {
      client.query(sql);
      await client.readUntil('Z');
    }
    client.functionCall(1598, []);
    await client.readUntil('Z');
  });
  assert.ok(clientLines(lines).includes('DETAIL:  oid: "1598"'));
  const answers = backendLines(lines).join('\n');
  for (const name of ['CopyOutResponse', 'CopyData', 'CopyDone', 'EmptyQueryResponse', 'NotificationResponse', 'NoticeResponse', 'FunctionCallResponse']) assert.match(answers, new RegExp(`LOG: {2}${name} message from backend [01]`));
});

eachRelay('messages are logged once when they come byte by byte, and when the relay has to see them twice', async (proxy) => {
  const lines = await messagesOf(proxy, async (client) => {
    const text = "select 'slow'\0";
    const query = Buffer.concat([Buffer.from([0x51, 0, 0, 0, text.length + 4]), Buffer.from(text)]);
    for (const byte of query) {
      client.write(Buffer.from([byte]));
      await new Promise((resolve) => { setImmediate(resolve); });
    }
    await client.readUntil('Z');
    // The second has to wait for the answer of the first, on another node.
    client.query('create temp table waited (i int)');
    client.query('select 1');
    client.query('show pool_version');
    for (let answers = 0; answers < 3; answers++) await client.readUntil('Z');
  });
  assert.deepEqual(clientLines(lines), sent(
    ['Query', `query: "select 'slow'"`], ['Query', 'query: "create temp table waited (i int)"'], ['Query', 'query: "select 1"'], ['Query', 'query: "show pool_version"'], 'Terminate',
  ));
});

eachRelay('a session is logged the same however its bytes are split', async (proxy) => {
  const script = (client: WireClient): void => {
    client.query("select 'one'; select 'two'");
    client.parse('select $1::text', 'named', [25]);
    client.bind(['x'.repeat(10_000)], 'named');
    client.execute();
    client.flush();
    client.bind([null], 'named');
    client.execute();
    client.close('S', 'named');
    client.sync();
    client.query('');
  };
  const expected = sent(
    ['Query', `query: "select 'one'; select 'two'"`], ['Parse', 'statement: "named", query: "select $1::text"'],
    ['Bind', 'portal: "", statement: "named"'], ['Execute', 'portal: ""'], 'Flush', ['Bind', 'portal: "", statement: "named"'], ['Execute', 'portal: ""'],
    ['Close', 'statement: "named"'], 'Sync', ['Query', 'query: ""'], 'Terminate',
  );
  let state = 4711;
  for (let round = 0; round < 10; round++) {
    const lines = await messagesOf(proxy, async (client) => {
      const written: Uint8Array[] = [];
      const write = client.write.bind(client);
      client.write = (bytes) => { written.push(bytes); };
      script(client);
      client.write = write;
      const bytes = Buffer.concat(written);
      for (let at = 0; at < bytes.length;) {
        state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
        const next = at + 1 + (state >>> 8) % (at < 200 || bytes.length - at < 200 ? 40 : 8000);
        client.write(bytes.subarray(at, next));
        await new Promise((resolve) => { setTimeout(resolve, 1); });
        at = next;
      }
      for (let answers = 0; answers < 3; answers++) await client.readUntil('Z');
    });
    assert.deepEqual(clientLines(lines), expected, `round ${round}`);
  }
});

eachRelay('of a huge statement the beginning is logged', async (proxy) => {
  const lines = await messagesOf(proxy, async (client) => {
    client.query(`select length('${'ä'.repeat(500_000)}')`);
    await client.readUntil('Z');
  });
  const detail = clientLines(lines)[1] ?? '';
  assert.match(detail, /^DETAIL: {2}query: "select length\('ä+" \.\.\. \(message of 1000018 bytes\)$/);
  assert.ok(detail.length < 10_000);
  assert.equal(clientLines(lines).length, 3);
});

eachRelay('what comes behind Terminate, or is no message, is not logged', async (proxy) => {
  const terminated = await messagesOf(proxy, async (client) => {
    client.write(Buffer.concat([Buffer.from([0x58, 0, 0, 0, 4]), Buffer.from('Q\0\0\0\x0cselect\0\0')]));
    await client.expectClose();
  });
  assert.deepEqual(terminated, sent('Terminate'));
  const password = await messagesOf(proxy, async (client) => {
    client.send('p', Buffer.from('secret-password\0'));
    await client.expectClose();
  });
  assert.deepEqual(password, []);
  for (const pgloom of running.values()) assert.doesNotMatch(pgloom.stderr(), /secret-password/);
});

eachRelay('a client that vanishes in the middle of a COPY is counted to the end', async (proxy) => {
  const lines = await messagesOf(proxy, async (client) => {
    client.query('copy items from stdin');
    await client.readUntil('G');
    client.copyData('1\t');
    client.copyData('never\n');
    client.socket.end();
    await client.expectClose();
  });
  assert.deepEqual(clientLines(lines).slice(-2), sent(['CopyData', 'count: 2']));
});

test('with several nodes the answers of each are logged, also those that the client does not see', async () => {
  const lines = await messagesOf(talkative(running.get('several nodes') as Pgloom), async (client) => {
    for (const sql of ["set work_mem = '5MB'", 'select 1']) {
      client.query(sql);
      await client.readUntil('Z');
    }
  });
  const answers = backendLines(lines);
  // The SET is said again on node 1, when the read goes there.
  assert.deepEqual(answers.slice(0, 2), from(0, 'CommandComplete', 'ReadyForQuery'));
  assert.deepEqual(answers.slice(2), from(1, 'CommandComplete', 'ReadyForQuery', 'RowDescription', 'DataRow', 'CommandComplete', 'ReadyForQuery'));
});

test('terse counts messages that are like the one before', async () => {
  const lines = await messagesOf(talkative(terse), async (client) => {
    for (const sql of ['select generate_series(1, 3)', 'select generate_series(1, 100000)']) {
      client.query(sql);
      await client.readUntil('Z');
    }
  });
  const rows = (count: number): string[] => [`LOG:  last DataRow message from backend 1 repeated ${count} times`];
  assert.deepEqual(lines, [
    ...from(1, 'RowDescription', 'DataRow'), ...rows(2), ...from(1, 'CommandComplete', 'ReadyForQuery'),
    ...from(1, 'RowDescription', 'DataRow'), ...rows(99_999), ...from(1, 'CommandComplete', 'ReadyForQuery'),
  ]);
});

test('terse tells at the end of the session what it has counted last', async () => {
  const lines = await messagesOf(talkative(terse), async (client) => {
    client.parse('select 1');
    client.flush();
    await client.readUntil('1');
    client.parse('select 2');
    client.flush();
    await client.readUntil('1');
  });
  assert.deepEqual(lines, [...from(1, 'ParseComplete'), 'LOG:  last ParseComplete message from backend 1 repeated 1 times']);
});

test('nothing of it is logged when it is off, or when LOG lines are not wanted', async () => {
  for (const settings of [common, { ...all, log_min_messages: 'fatal' }]) {
    const pgloom = await startPgloom({ settings });
    try {
      const client = await WireClient.login(pgloom.port, { application_name: 'quiet' });
      client.query('select 1');
      await client.readUntil('Z');
      client.end();
      await client.expectClose();
    } finally {
      await pgloom.stop();
    }
    assert.doesNotMatch(pgloom.stderr(), /message from/);
  }
});

test('a reload turns it on for new sessions', async () => {
  const pgloom = await startPgloom({ settings: common });
  try {
    appendFileSync(pgloom.configFile, "log_client_messages = on\nlog_backend_messages = 'terse'\n");
    pgloom.signal('SIGHUP');
    for (let attempt = 1; ; attempt++) {
      const lines = await messagesOf(talkative(pgloom), async (client) => {
        client.query('select 1');
        await client.readUntil('Z');
      });
      if (lines.length > 0) {
        assert.deepEqual(clientLines(lines), sent(['Query', 'query: "select 1"'], 'Terminate'));
        break;
      }
      assert.ok(attempt < 200, 'the reload does not come');
    }
  } finally {
    await pgloom.stop();
  }
});
