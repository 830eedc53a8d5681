/**
 * A PostgreSQL cluster in a scratch directory: a primary and streaming standbys, for `npm start`, the tests and the
 * bench. Nothing of it outlives this process.
 */
import { spawnSync } from 'node:child_process';
import { chownSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { appendSettings, copyDirectory, initialise, makeStandby, writeHba } from './data-directory.js';
import { freePort } from './free-port.js';
import { preparePostgresBinaries } from './postgres-binaries.js';
import { onProcessEnd } from './process-end.js';
import { ServerNode } from './server-node.js';
import type { Row } from './sql.js';
import { serverIdentity, spawnIdentity, type Identity } from './unprivileged.js';

export interface ClusterOptions {
  /** Where the scratch directory is made; the system's temporary directory by default. Keep it short: sockets. */
  readonly directory?: string;
  readonly standbys?: number;
  /** The superuser. */
  readonly user?: string;
  /** Settings of postgresql.conf for all servers, over the defaults below. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Lines of pg_hba.conf for TCP connections; everybody is trusted by default. */
  readonly auth?: string;
  /** False when the caller handles SIGINT, SIGTERM and SIGHUP and ends the process in its own way. */
  readonly signals?: boolean;
}

export interface Cluster {
  /** The scratch directory: the servers' sockets, logs and data directories. */
  readonly directory: string;
  readonly user: string;
  /** Node 0 is the primary to begin with. */
  readonly nodes: readonly ServerNode[];
  /** Runs SQL on one node as the superuser and returns the rows of the last statement. */
  query<R extends Row = Row>(nodeId: number, sql: string, database?: string): Promise<R[]>;
  /** Resolves when all running standbys have replayed what the primary has written so far. */
  waitForReplay(): Promise<void>;
  /** Stops all servers and removes the scratch directory. May be called twice. */
  stop(): Promise<void>;
}

const defaultSettings: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  max_connections: '500',
  wal_level: 'replica',
  hot_standby: 'on',
  hot_standby_feedback: 'on',
  wal_receiver_status_interval: '1s',
  // A standby that starts before its primary, or loses it, tries again soon.
  wal_retrieve_retry_interval: '200ms',
  // A standby that was stopped for a while still finds what it missed.
  wal_keep_size: '256MB',
  // The data is thrown away in the end.
  fsync: 'off',
};

const trustTcp = 'host all all 127.0.0.1/32 trust\nhost all all ::1/128 trust';
const replayLimitMs = 60_000;

/** Brings up a primary and its standbys; resolves when all accept connections and the standbys stream. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const identity = serverIdentity();
  const directory = await mkdtemp(join(options.directory ?? tmpdir(), 'pgloom-'));
  const nodes: ServerNode[] = [];
  const forget = onProcessEnd(() => {
    for (const node of nodes) node.endNow();
    rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }, options.signals ?? true);
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.stop('immediate')));
    await rm(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
    forget();
  };
  try {
    if (identity !== undefined) handOver(directory, identity);
    nodes.push(...await createNodes(directory, options, identity));
    await startAll(nodes, options.user ?? 'postgres');
    // Until then pg_stat_replication need not show the standbys.
    await waitForReplay(nodes);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    directory,
    user: options.user ?? 'postgres',
    nodes,
    query: (nodeId, sql, database) => nodeOf(nodes, nodeId).query(sql, database),
    waitForReplay: () => waitForReplay(nodes),
    stop,
  };
}

/** Gives the scratch directory to the servers' user, who must also be able to reach it. */
function handOver(directory: string, identity: Identity): void {
  chownSync(directory, identity.uid, identity.gid);
  const run = spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', directory], { cwd: '/', ...spawnIdentity(identity) });
  if (run.error !== undefined) throw new Error(`cannot run programs as user ${identity.name}: ${run.error.message}`);
  if (run.status !== 0) {
    throw new Error(`user ${identity.name}, who runs the servers because we are root, cannot reach ${directory}: `
      + 'set TMPDIR to a directory that everybody may enter, such as /tmp');
  }
}

function nodeOf(nodes: readonly ServerNode[], id: number): ServerNode {
  const node = nodes[id];
  if (node === undefined) throw new Error(`the cluster has no node ${id}`);
  return node;
}

/** All data directories, made before any server runs: a standby may be a copy of a primary that never started. */
async function createNodes(directory: string, options: ClusterOptions, identity: Identity | undefined): Promise<ServerNode[]> {
  const binaries = preparePostgresBinaries(identity, directory);
  const user = options.user ?? 'postgres';
  const nodes = Array.from({ length: 1 + (options.standbys ?? 2) }, (_, id) => new ServerNode({
    id, directory: join(directory, `data${id}`), socketDirectory: directory,
    logFile: join(directory, `server${id}.log`), postgres: binaries.postgres, user, identity,
  }));
  const primary = nodeOf(nodes, 0);
  await initialise(binaries, primary.directory, user, identity);
  await writeHba(primary.directory, options.auth ?? trustTcp);
  await appendSettings(primary.directory, { ...defaultSettings, unix_socket_directories: directory, ...options.settings });
  await Promise.all(nodes.slice(1).map((node) => copyDirectory(primary.directory, node.directory, identity)));
  // After the copies, or each would have it.
  for (const node of nodes.slice(1)) await makeStandby(node.directory, '', identity);
  return nodes;
}

/** Starts all servers at once; when another process took one of the ports meanwhile, again with other ports. */
async function startAll(nodes: readonly ServerNode[], user: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    for (const node of nodes) node.port = await freePort();
    const [primary, ...standbys] = nodes as [ServerNode, ...ServerNode[]];
    await Promise.all(standbys.map((node) => appendSettings(node.directory, {
      primary_conninfo: `host=${node.socketDirectory} port=${primary.port} user=${user} application_name=server${node.id}`,
    })));
    const outcomes = await Promise.allSettled(nodes.map((node) => node.start()));
    const failure = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failure === undefined) return;
    await Promise.all(nodes.map((node) => node.stop('immediate')));
    const portTaken = String(failure.reason).includes('Address already in use');
    if (!portTaken || attempt === 5) throw failure.reason;
  }
}

async function waitForReplay(nodes: readonly ServerNode[]): Promise<void> {
  const running = nodes.filter((node) => node.running);
  const states = await Promise.all(running.map(async (node) => ({
    node, standby: (await node.query<{ standby: boolean }>('select pg_is_in_recovery() as standby'))[0]?.standby,
  })));
  const primary = states.find((state) => state.standby === false)?.node;
  if (primary === undefined) throw new Error('no primary runs');
  // Flushed, not written: the walsender sends no more than that.
  const [row] = await primary.query<{ lsn: string }>('select pg_current_wal_flush_lsn()::text as lsn');
  const lsn = row?.lsn ?? '0/0';
  await Promise.all(states.filter((state) => state.standby).map((state) => waitForLsn(state.node, lsn)));
}

async function waitForLsn(node: ServerNode, lsn: string): Promise<void> {
  const deadline = Date.now() + replayLimitMs;
  for (;;) {
    const [row] = await node.query<{ done: boolean }>(`select pg_last_wal_replay_lsn() >= '${lsn}' as done`);
    if (row?.done === true) return;
    if (Date.now() > deadline) throw new Error(`server ${node.id} did not replay ${lsn}:\n${await node.logTail()}`);
    await sleep(20);
  }
}
