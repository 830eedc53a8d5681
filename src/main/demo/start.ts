/** `npm start`: a PostgreSQL cluster in a scratch directory with pgloom in front of it, until Ctrl-C. */
import '../debugger-signal.js';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { runPgpool } from '../pgpool-server.js';
import { startCluster, type Cluster } from './cluster.js';
import { freePort, portProblem } from './free-port.js';
import { writeStartFiles } from './start-settings.js';

const defaultPort = 9999;
/** For metrics and the status page; another one is taken when it is in use. */
const preferredHttpPort = 9990;
/** `demo`, because the links of a database named `postgres` are never pooled. */
const database = 'demo';

/** When the first signal came. npm passes Ctrl-C on to us although the terminal did so already. */
let stoppingSinceMs: number | undefined;
const echoMs = 1000;
let stopPgloom: () => Promise<void> = async () => undefined;
let cluster: Cluster | undefined;

for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal);

try {
  await start(wantedPort());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  await stop(1);
}

/** PGLOOM_PORT, or 9999. */
function wantedPort(): number {
  const text = process.env['PGLOOM_PORT'] ?? '';
  if (text === '') return defaultPort;
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535) {
    throw new Error(`PGLOOM_PORT is ${JSON.stringify(text)}: it must be a port number, 1 to 65535`);
  }
  return port;
}

async function start(port: number): Promise<void> {
  // Before the cluster, which takes seconds.
  await checkPort(port);
  console.log('starting three PostgreSQL servers ...');
  cluster = await startCluster({ signals: false });
  await cluster.query(0, `create database ${database}`);
  await cluster.waitForReplay();
  const httpPort = await portProblem(preferredHttpPort) === undefined ? preferredHttpPort : await freePort();
  const pcpPassword = randomBytes(6).toString('hex');
  const files = writeStartFiles(cluster.directory, cluster.nodes, { port, httpPort, pcpPassword });
  const pgloom = await runPgpool({ ...files, foreground: true });
  stopPgloom = () => pgloom.stop('fast');
  // By itself, when it cannot go on.
  void pgloom.ended.then(stop);
  console.log(`status page: http://127.0.0.1:${httpPort}/   (its buttons ask for a PCP user: demo, password ${pcpPassword})`);
  console.log(`pgloom serves one primary and two standbys on port ${port}. Now type: ${nextCommand(port)}   (Ctrl-C here stops everything)`);
}

async function checkPort(port: number): Promise<void> {
  const problem = await portProblem(port);
  if (problem === undefined) return;
  const hint = 'choose another one: PGLOOM_PORT=9998 npm start';
  if (problem === 'EADDRINUSE') throw new Error(`port ${port} is in use by another program; stop it, or ${hint}`);
  throw new Error(`cannot listen on port ${port} (${problem}); ${hint}`);
}

/** What to type next: psql where it is installed, otherwise what any driver takes. */
function nextCommand(port: number): string {
  const hasPsql = spawnSync('psql', ['--version']).status === 0;
  return hasPsql
    ? `psql -h 127.0.0.1 -p ${port} -U postgres ${database}`
    : `your driver's connect, with postgresql://postgres@127.0.0.1:${port}/${database}`;
}

/** The first signal stops in order. A later one does not wait: the cluster's own clean-up runs at exit anyway. */
function onSignal(): void {
  if (stoppingSinceMs === undefined) void stop(0);
  else if (Date.now() - stoppingSinceMs > echoMs) process.exit(1);
}

/** Stops pgloom, then the servers, then this process. */
async function stop(status: number): Promise<void> {
  if (stoppingSinceMs !== undefined) return;
  stoppingSinceMs = Date.now();
  try {
    await stopPgloom();
    await cluster?.stop();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
  }
  process.exit(status);
}
