/** The lab of the first user: their own pgpool.conf with free ports, and every command of their notes. */
import assert from 'node:assert/strict';
import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Cluster, startCluster } from '../../src/main/demo/cluster.js';
import { freePort } from '../../src/main/demo/free-port.js';
import { onProcessEnd } from '../../src/main/demo/process-end.js';
import { labFile } from '../config/lab-file.js';
import { eventually, eventuallyEqual } from '../support/eventually.js';

const command = fileURLToPath(new URL('../../src/main/pgpool.js', import.meta.url));
const pcpCommand = fileURLToPath(new URL('../../src/main/cli/pcp.js', import.meta.url));
const run = promisify(execFile);
const skip = spawnSync('psql', ['--version']).status === 0 ? false : 'psql is not installed';

let cluster: Cluster;
let directory: string;
let port: number;
let pcpPort: number;
let pgpool: ChildProcess;
let stderr = '';
let forget: () => void;

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'pgloom-lab-'));
  mkdirSync(join(directory, 'info'));
  // The monitoring role really has to give its password.
  cluster = await startCluster({ standbys: 2, auth: 'host all pgpool_monitor 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust' });
  await cluster.query(0, "create role pgpool_monitor login password '123123'; grant pg_monitor to pgpool_monitor");
  await cluster.waitForReplay();
  port = await freePort();
  pcpPort = await freePort();
  await startPgpool();
});
after(async () => {
  pgpool.kill('SIGINT');
  if (pgpool.exitCode === null) await once(pgpool, 'exit');
  forget();
  await cluster.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function startPgpool(): Promise<void> {
  let text = labFile.replaceAll('@DIR@', directory).replace('port = 9999', `port = ${port}`).replace('pcp_port = 9898', `pcp_port = ${pcpPort}`);
  cluster.nodes.forEach((node, id) => { text = text.replace(`= 5516${id}`, `= ${node.port}`); });
  assert.doesNotMatch(text, /= (9999|9898|5516\d)\b/);
  writeFileSync(join(directory, 'pgpool.conf'), text);
  writeFileSync(join(directory, 'pool_hba.conf'), 'local   all         all                               trust\nhost    all         all         127.0.0.1/32          trust\n');
  writeFileSync(join(directory, 'pcp.conf'), 'pgpool:d910bec38754da22001aaa3b006f203a\n');
  writeFileSync(join(directory, '.pcppass'), 'localhost:*:pgpool:mi_password123\n127.0.0.1:*:pgpool:mi_password123\n', { mode: 0o600 });
  chmodSync(pcpCommand, 0o755);
  for (const name of ['pcp_node_info', 'pcp_detach_node', 'pcp_promote_node', 'pcp_attach_node']) symlinkSync(pcpCommand, join(directory, name));
  const files = ['-f', join(directory, 'pgpool.conf'), '-F', join(directory, 'pcp.conf'), '-a', join(directory, 'pool_hba.conf')];
  pgpool = spawn(process.execPath, [command, '-n', ...files], { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] });
  pgpool.stderr?.setEncoding('utf8').on('data', (chunk: string) => { stderr += chunk; });
  forget = onProcessEnd(() => { pgpool.kill('SIGKILL'); });
  for (const deadline = Date.now() + 30_000; !await accepts(); await sleep(50)) {
    assert.ok(pgpool.exitCode === null && Date.now() < deadline, `pgpool did not start:\n${stderr}`);
  }
}

function accepts(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => { socket.destroy(); resolve(true); });
    socket.once('error', () => resolve(false));
  });
}

async function psql(sql: string, ...options: readonly string[]): Promise<string> {
  return (await run('psql', ['-X', '-h', '127.0.0.1', '-p', String(port), '-U', 'postgres', ...options, '-c', sql])).stdout;
}

test("the lab: select current_setting('port') varies from session to session", { skip }, async () => {
  const ports = new Set<number>();
  // Three nodes of the same weight: all of them are seen in 60 sessions but for one time in ten billion.
  for (let i = 0; i < 60 && ports.size < 3; i++) ports.add(Number(await psql("select current_setting('port')", '-At')));
  assert.deepEqual([...ports].sort(), cluster.nodes.map((node) => node.port).sort());
});

test('the lab: SHOW POOL_NODES and SHOW POOL_PROCESSES', { skip }, async () => {
  const nodes = (await psql('SHOW POOL_NODES', '-At')).trim().split('\n').map((line) => line.split('|'));
  assert.deepEqual(nodes.map((row) => [row[0], row[1], row[2], row[3], row[5], row[6]]), cluster.nodes.map((node, id) => [
    String(id), '127.0.0.1', String(node.port), 'up', '0.333333', id === 0 ? 'primary' : 'standby',
  ]));
  assert.match(await psql('SHOW POOL_NODES'), /node_id \| hostname {2}.*\| last_status_change/);
  const processes = (await psql('SHOW POOL_PROCESSES', '-At')).trim().split('\n');
  // Dynamic mode: those that exist.
  assert.ok(processes.length >= 3 && processes.length <= 100, String(processes.length));
  assert.equal(processes.filter((line) => line.includes('|postgres|postgres|')).length, 1);
});

test('the lab: when a standby is stopped, node 1 is seen down and reads go on', { skip }, async () => {
  await cluster.nodes[1]?.stop('fast');
  let line = '';
  await eventually(() => `node 1 is down, not ${line}`, async () => {
    const ports = Number(await psql("select current_setting('port')", '-At'));
    assert.notEqual(ports, cluster.nodes[1]?.port);
    line = (await psql('SHOW POOL_NODES', '-At')).split('\n')[1] ?? '';
    return line.split('|')[3] === 'down';
  }, 60_000);
});

/** What `pcp_node_info -a` says of the nodes: status, role. */
async function nodes(): Promise<string[]> {
  return (await pcp('pcp_node_info', '-a')).trim().split('\n').map((line) => {
    const [, , , , status = '', , role = ''] = line.split(' ');
    return `${status} ${role}`;
  });
}

async function untilNodes(expected: readonly string[]): Promise<void> {
  await eventuallyEqual(expected, nodes, 60_000);
}

/** One of the commands of pgloom, with the password from a .pcppass as in the notes. */
async function pcp(name: string, ...options: readonly string[]): Promise<string> {
  const env = { ...process.env, PCPPASSFILE: join(directory, '.pcppass') };
  return (await run(join(directory, name), ['-h', 'localhost', '-p', String(pcpPort), '-U', 'pgpool', '-w', ...options], { env })).stdout;
}

test('the lab: pcp_node_info, of pgloom and of Debian, shows the nodes', async () => {
  await cluster.nodes[1]?.start();
  await untilNodes(['up primary', 'up standby', 'up standby']);
  const expected = cluster.nodes.map((node, id) => new RegExp(String.raw`^127\.0\.0\.1 ${node.port} 2 0\.333333 up up ${id === 0 ? 'primary primary' : 'standby standby'} \d+ \w+ \w+ \d{4}-\d\d-\d\d \d\d:\d\d:\d\d$`));
  const shown = (text: string): void => text.trim().split('\n').forEach((line, id) => assert.match(line, expected[id] ?? /never/));
  shown(await pcp('pcp_node_info', '-a'));
  if (!existsSync('/usr/sbin/pcp_node_info')) return;
  const env = { ...process.env, PCPPASSFILE: join(directory, '.pcppass') };
  shown((await run('/usr/sbin/pcp_node_info', ['-h', '127.0.0.1', '-p', String(pcpPort), '-U', 'pgpool', '-a', '-w'], { env })).stdout);
});

test('the lab: pcp_detach_node takes the primary out, for as long as it is not attached', { skip }, async () => {
  assert.equal(await pcp('pcp_detach_node', '-n', '0'), 'pcp_detach_node -- Command Successful\n');
  await untilNodes(['down standby', 'up standby', 'up standby']);
  // It answers, and would be taken back otherwise: more than a round of the checks of replication.
  await sleep(6000);
  assert.deepEqual(await nodes(), ['down standby', 'up standby', 'up standby']);
  assert.notEqual(Number(await psql("select current_setting('port')", '-At')), cluster.nodes[0]?.port);
});

test('the lab: pcp_promote_node and pcp_attach_node', { skip }, async () => {
  assert.equal(await pcp('pcp_promote_node', '-n', '1'), 'pcp_promote_node -- Command Successful\n');
  // What follows another primary than the new one is not read from.
  await untilNodes(['down standby', 'up primary', 'down standby']);
  assert.equal(await pcp('pcp_attach_node', '-n', '0'), 'pcp_attach_node -- Command Successful\n');
  assert.equal(await pcp('pcp_attach_node', '-n', '2'), 'pcp_attach_node -- Command Successful\n');
  // Node 1 was never promoted in truth: the server that says that it is the primary is it again.
  await untilNodes(['up primary', 'up standby', 'up standby']);
  await psql('create table lab (id int); drop table lab');
});

test('the lab: pgpool reload and pgpool -m fast stop', async () => {
  const files = ['-f', join(directory, 'pgpool.conf'), '-a', join(directory, 'pool_hba.conf')];
  await run(process.execPath, [command, ...files, 'reload']);
  await run(process.execPath, [command, '-f', join(directory, 'pgpool.conf'), '-m', 'fast', 'stop']);
  if (pgpool.exitCode === null) await once(pgpool, 'exit');
  assert.equal(pgpool.exitCode, 0);
  assert.ok(!existsSync(join(directory, 'info/pgpool.pid')));
});

test('the lab: the log is where it should be, and passwords are nowhere in it', () => {
  const logs = readdirSync(join(directory, 'info')).filter((name) => /^pgpool-\d{4}-\d\d-\d\d_\d{6}\.log$/.test(name));
  assert.ok(logs.length > 0);
  const text = logs.map((name) => readFileSync(join(directory, 'info', name), 'utf8')).join('');
  assert.match(text, /WARNING/);
  for (const written of [text, stderr]) assert.doesNotMatch(written, /123123|mi_password/);
});
