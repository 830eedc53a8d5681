/** Debian's pcp_* programs against pgloom and against Debian's Pgpool-II 4.3, on the same servers in the same states. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from 'pg';
import { startCluster, type Cluster } from '../../src/main/demo/cluster.js';
import { eventually } from '../support/eventually.js';
import { startPgloom, type Pgloom } from '../support/pgloom.js';
import { noPgpool2, startPgpool2, type Pgpool2 } from '../support/pgpool2.js';
import { commonSettings } from './common-settings.js';
import { healthFields, maskTimes, type ProcessRow, processRows, type StatusItem, statusItems, verboseRows } from './masked.js';
import { pcpConfLine } from './pcp-client.js';
import { pcp, type ProgramEnd } from './programs.js';

const skip = noPgpool2;
let cluster: Cluster;
let pgloom: Pgloom;
let debian: Pgpool2;

before(async () => {
  if (skip !== false) return;
  cluster = await startCluster();
  const { nodes } = cluster;
  const settings = commonSettings(nodes.length);
  pgloom = await startPgloom({ nodes, settings, pcp: pcpConfLine() });
  // Without a password of its own every check warns.
  debian = await startPgpool2({ nodes, settings: { log_line_prefix: '%a|', ...settings }, pcp: pcpConfLine(), poolPasswd: 'postgres:unused\n' });
  // Pgpool-II calls a node waiting until a session has used it.
  await visit();
});

after(async () => {
  if (skip !== false) return;
  await Promise.allSettled([debian?.stop(), pgloom?.stop()]);
  await cluster?.stop();
});

async function open(port: number, database = 'postgres'): Promise<Client> {
  const client = new Client({ host: '127.0.0.1', port, user: 'postgres', database, connectionTimeoutMillis: 20_000 });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** A short session through each. */
async function visit(): Promise<void> {
  for (const { port } of [pgloom, debian]) {
    // Pgpool-II may start its children anew when a node has come back.
    await eventually('a session is served', async () => {
      const client = await open(port).catch(() => null);
      const served = await client?.query('select 1').then(() => true, () => false) ?? false;
      await client?.end().catch(() => undefined);
      return served;
    });
  }
}

type Ends = readonly [pgloom: ProgramEnd, debian: ProgramEnd];
type Masked = (text: string) => unknown;

/** Runs the program against both and compares all that it says and its status. Gives the masked output. */
async function same(masked: Masked, name: string, ...args: readonly string[]): Promise<unknown> {
  const [ours, theirs]: Ends = [await pcp(pgloom, name, ...args), await pcp(debian, name, ...args)];
  const what = `pcp_${name} ${args.join(' ')}`;
  assert.deepEqual(masked(ours.stdout), masked(theirs.stdout), what);
  assert.equal(maskTimes(ours.stderr), maskTimes(theirs.stderr), what);
  assert.equal(ours.status, theirs.status, what);
  return masked(ours.stdout);
}

/** Until both say the same, which is soon when the state of a node has just changed. */
async function eventuallySame(masked: Masked, name: string, ...args: readonly string[]): Promise<unknown> {
  for (const deadlineMs = Date.now() + 10_000; Date.now() < deadlineMs;) {
    try {
      return await same(masked, name, ...args);
    } catch {
      await new Promise((resolve) => {
        setTimeout(resolve, 200);
      });
    }
  }
  return same(masked, name, ...args);
}

/** Everything that can be asked about the nodes. */
async function sameNodes(masked: Masked = maskTimes): Promise<void> {
  await eventuallySame(masked, 'node_info');
  await eventuallySame(masked, 'node_info', '-a');
  await eventuallySame(masked, 'node_info', '-v');
  for (const node of ['0', '1', '2']) {
    await eventuallySame(masked, 'node_info', '-n', node);
    await eventuallySame(masked, 'node_info', '-v', '-n', node);
    await eventuallySame(healthFields, 'health_check_stats', '-n', node);
    await eventuallySame((text) => healthFields(maskTimes(text).replaceAll(/^.*?: ?/gm, '').trimEnd().replaceAll('\n', ' ')), 'health_check_stats', '-v', '-n', node);
    await eventuallySame((text) => text.replaceAll(/:.*/g, ''), 'health_check_stats', '-v', '-n', node);
  }
}

test('with all nodes up the nodes are told alike', { skip }, async () => {
  await same(maskTimes, 'node_count');
  await same(maskTimes, 'node_count', '-v');
  await same(maskTimes, 'node_count', '-d');
  await sameNodes();
});

test('what is wrong is told alike', { skip }, async () => {
  for (const [name, ...args] of [
    ['node_info', '-n', '3'], ['node_info', '-n', '9'], ['health_check_stats', '-n', '3'], ['health_check_stats', '-n', '9'], ['proc_info', '-P', '99999999'],
    ['watchdog_info'], ['watchdog_info', '-n', '0'], ['watchdog_info', '-v'], ['attach_node', '-n', '128'], ['promote_node', '-n', '0'], ['promote_node', '-n', '9'],
    ['recovery_node', '-n', '0'], ['recovery_node', '-n', '1'], ['recovery_node', '-n', '9'], ['stop_pgpool', '-m', 'x'], ['attach_node'],
  ] as const) await same(maskTimes, name, ...args);
  // An error packet names a place in the source, which is longer or shorter.
  await same((text) => text.replace(/("E", len=)\d+/, '$1<some>'), 'node_info', '-d', '-n', '9');
});

test('who may not log in is told alike', { skip }, async () => {
  await same(maskTimes, 'node_count', '-U', 'stranger');
  await same(maskTimes, 'node_count', '-U', '');
});

test('the orders that change nothing are answered alike, over the Unix socket too', { skip }, async () => {
  await same(maskTimes, 'reload_config');
  await same(maskTimes, 'reload_config', '-s', 'local');
  await same(maskTimes, 'reload_config', '-s', 'cluster');
  await same(maskTimes, 'attach_node', '-n', '1');
  const args = ['-v'] as const;
  const [ours, theirs] = [
    await pcp({ pcpPort: pgloom.pcpPort, socketDirectory: pgloom.socketDirectory }, 'node_count', ...args),
    await pcp({ pcpPort: debian.pcpPort, socketDirectory: debian.directory }, 'node_count', ...args),
  ];
  assert.deepEqual(ours, theirs);
});

test('the children are told alike when nobody is there and when sessions are open', { skip }, async () => {
  const withoutIds = (text: string): string => text.replaceAll(/\d+ (?=\n?)/g, '<id> ').replaceAll(/\t \d+$/gm, '\t <id>').replaceAll(/("n", len=)\d+/g, '$1<of ids>');
  await same(withoutIds, 'proc_count');
  await same(withoutIds, 'proc_count', '-v');
  await same(withoutIds, 'proc_count', '-v', '-d');
  const sessions: Client[] = [];
  try {
    for (const { port } of [pgloom, debian]) {
      const [idle, busy] = [await open(port), await open(port, 'template1')];
      sessions.push(idle, busy);
      await idle.query('select 1');
      await busy.query('begin');
    }
    const isConnected = (row: ProcessRow): boolean => row['Connected'] === '1';
    const rows = (await same((text) => processRows(text).filter(isConnected), 'proc_info')) as ProcessRow[];
    assert.equal(rows.length, 6);
    assert.deepEqual([...new Set(rows.map((row) => row['Status']))].toSorted(), ['Idle', 'Idle in transaction']);
    await same((text) => verboseRows(text).filter(isConnected), 'proc_info', '-v');
    // What an empty place of a child at work is told to be (how many there are is chance), and the number of all.
    await same((text) => [...new Set(processRows(text).filter((row) => row['Database'] === '' && row['Status'] !== 'Wait for connection').map((row) => JSON.stringify({ ...row, 'Client connection count': '' })))].toSorted(), 'proc_info', '-a');
    await same((text) => processRows(text).length, 'proc_info', '-a');
    await same((text) => verboseRows(text).length, 'proc_info', '-a', '-v');
  } finally {
    for (const session of sessions) await session.end();
  }
});

test('one child is told alike by its number', { skip }, async () => {
  const childOf = async (where: { pcpPort: number }): Promise<string> => (await pcp(where, 'proc_count')).stdout.trim().split(' ').at(-1) ?? '';
  const [ours, theirs] = [await pcp(pgloom, 'proc_info', '-a', '-P', await childOf(pgloom)), await pcp(debian, 'proc_info', '-a', '-P', await childOf(debian))];
  assert.equal(processRows(ours.stdout).length, 9);
  assert.equal(processRows(ours.stdout).length, processRows(theirs.stdout).length);
  assert.equal(ours.stderr, theirs.stderr);
});

test('the settings that both have are told alike, in the same order', { skip }, async () => {
  const [ours, theirs] = [await pcp(pgloom, 'pool_status'), await pcp(debian, 'pool_status')];
  // The first is called otherwise now, the last has another default; the others are the places of the two, and when the query cache began to count.
  const places = /^(socket_dir|logdir|port|pcp_port|pcp_socket_dir|pid_file_name|wd_ipc_socket_dir|pool_passwd|log_line_prefix|memqcache_stats_start_time|Start time of query cache stats|memqcache_oiddir|memqcache_cache_oiddir|ssl_ecdh_curve)$/;
  const common = statusItems(theirs.stdout).filter(({ name }) => !places.test(name));
  // 4.3 prints a string that was never set as C does.
  const names = new Set(common.map(({ name }) => name.toLowerCase()));
  const own = statusItems(ours.stdout).filter(({ name }) => names.has(name.toLowerCase()));
  const rows = (items: readonly StatusItem[]): string[] => {
    const texts = items.map(({ name, value }) => `${name.toLowerCase()} = ${value === '(null)' ? '' : value}`);
    // This one has moved since 4.3.
    return [...texts.filter((text) => text.startsWith('num_init_children')), ...texts.filter((text) => !text.startsWith('num_init_children'))];
  };
  assert.deepEqual(rows(own), rows(common));
  assert.ok(common.length > 120, String(common.length));
  // Debian's sees all rows of ours in its verbose form too.
  const verbose = statusItems((await pcp(pgloom, 'pool_status', '-v')).stdout);
  assert.deepEqual(verbose.map(({ name, value }) => [name, value]), statusItems(ours.stdout).map(({ name, value }) => [name, value]));
});

/** Until both have left out a health check of the node because it is down. */
async function untilSkipped(node: string): Promise<void> {
  for (const where of [pgloom, debian]) {
    await eventually('a health check was skipped', async () => healthFields((await pcp(where, 'health_check_stats', '-n', node)).stdout)[9] !== '0');
  }
}

/** Of a node that is down Pgpool-II goes on to show what the replication was when it was last looked at. */
function withoutReplicationOfDownNodes(text: string): string {
  return maskTimes(text).replaceAll(/ down (up|down) standby (standby|unknown) \d+ \S+ \S+ /g, ' down $1 standby $2 <replication> ')
    .replaceAll(/(Status Name +: down\n[^]*?)Replication Delay +: .*\nReplication State +: .*\nReplication Sync State : .*\n/g, '$1');
}

test('a node that is detached and attached is told alike', { skip }, async () => {
  await same(maskTimes, 'detach_node', '-n', '2');
  const info = (await eventuallySame(withoutReplicationOfDownNodes, 'node_info', '-n', '2')) as string;
  assert.match(info, / 3 0\.\d+ down up standby /);
  await untilSkipped('2');
  await sameNodes(withoutReplicationOfDownNodes);
  await same(maskTimes, 'detach_node', '-n', '2');
  await same(maskTimes, 'recovery_node', '-n', '0');
  await same(maskTimes, 'attach_node', '2');
  await eventuallySame((text) => / (waiting|up) up /.test(text), 'node_info', '-n', '2');
  await visit();
  await sameNodes();
});

test('a node whose server is stopped is told alike', { skip }, async () => {
  await cluster.nodes[2]?.stop('immediate');
  const info = (await eventuallySame(withoutReplicationOfDownNodes, 'node_info', '-n', '2')) as string;
  for (const deadlineMs = Date.now() + 20_000; Date.now() < deadlineMs && !(await pcp(pgloom, 'node_info', '-n', '2')).stdout.includes(' down down ');) await visit();
  await sameNodes(withoutReplicationOfDownNodes);
  assert.ok(info.length > 0);
});

test('a node is detached gracefully when its clients have left', { skip }, async () => {
  // Only pgloom: Pgpool-II 4.3 sometimes waits for ever for the end of its own failover.
  const session = await open(pgloom.port);
  const answer = pcp(pgloom, 'detach_node', '-g', '-n', '1');
  let isDone = false;
  void answer.then(() => { isDone = true; });
  await session.query('select pg_sleep(0.3)');
  assert.equal(isDone, false);
  await session.end();
  assert.deepEqual(await answer, { status: 0, stdout: 'pcp_detach_node -- Command Successful\n', stderr: '' });
  assert.match((await pcp(pgloom, 'node_info', '-n', '1')).stdout, / 3 0\.\d+ down /);
  assert.equal((await pcp(pgloom, 'attach_node', '-n', '1')).stdout, 'pcp_attach_node -- Command Successful\n');
  await eventually('the node is up', async () => / 2 0\.\d+ up /.test((await pcp(pgloom, 'node_info', '-n', '1')).stdout));
});

test('both stop when they are told to, and say so alike', { skip }, async () => {
  await same(maskTimes, 'stop_pgpool', '-m', 'fast');
  assert.equal(await pgloom.exited, 0);
});
