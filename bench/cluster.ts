import { startCluster } from '../src/main/demo/cluster.js';
import { installCertificate, type Certificate } from './certificate.js';
import type { BenchOptions } from './options.js';
import { runProgram } from './pgbench.js';
import { unprivilegedAccount } from './programs.js';
import { RawClient } from './raw-client.js';
import { makeScratchDirectory, registerUndo } from './scratch.js';

/** Where a server listens. */
export interface BenchNode {
  readonly host: string;
  readonly port: number;
}

/** The servers that all targets share. */
export interface BenchCluster {
  readonly nodes: readonly BenchNode[];
  readonly user: string;
  readonly database: string;
  readonly version: string;
}

/** Not `postgres`: Pgpool-II treats some databases in its own way. */
const database = 'bench';

/** Enough connections for 400 idle sessions beside the pools of the other targets; no disk in the way. */
const serverSettings = {
  max_connections: '1000',
  shared_buffers: '256MB',
  synchronous_commit: 'off',
  autovacuum: 'off',
  max_wal_size: '4GB',
};

async function nodesOf(options: BenchOptions): Promise<BenchCluster['nodes']> {
  if (options.server !== null) return [options.server];
  const cluster = await startCluster({
    standbys: options.balanced ? 2 : 0, user: options.user, settings: serverSettings, signals: false,
  });
  registerUndo(() => cluster.stop());
  return cluster.nodes.map((node) => ({ host: node.host, port: node.port }));
}

/**
 * Starts the servers (or takes the one given by --server), makes database `bench` and fills it with pgbench's tables.
 * @throws Error when a server does not start or pgbench cannot fill it.
 */
export async function startBenchCluster(options: BenchOptions, pgbench: string, psql: string): Promise<BenchCluster> {
  const nodes = await nodesOf(options);
  const primary = nodes[0];
  if (primary === undefined) throw new Error('the cluster has no servers');
  const { user } = options;
  const run = await fill(primary, options, pgbench, psql);
  const version = `PostgreSQL ${(await run('SHOW server_version')).trim()}`;
  if (options.server !== null) registerUndo(async () => void (await run(`DROP DATABASE ${database} WITH (FORCE)`)));
  await waitForStandbys(nodes.slice(1), user);
  return { nodes, user, database, version };
}

/**
 * Starts one more server with the same tables, which takes clients over TLS: the target `direct` of the TLS workloads.
 * Not the server behind the proxies: Pgpool-II with ssl = on would go over TLS to it.
 * @throws Error as startBenchCluster.
 */
export async function startTlsServer(
  options: BenchOptions, certificate: Certificate, pgbench: string, psql: string,
): Promise<BenchNode> {
  const { certificateFile, keyFile } = installCertificate(certificate, makeScratchDirectory('server'), unprivilegedAccount());
  const cluster = await startCluster({
    standbys: 0, user: options.user, signals: false,
    settings: { ...serverSettings, ssl: 'on', ssl_cert_file: certificateFile, ssl_key_file: keyFile },
  });
  registerUndo(() => cluster.stop());
  const node = cluster.nodes[0];
  if (node === undefined) throw new Error('the cluster has no servers');
  await fill(node, options, pgbench, psql);
  return { host: node.host, port: node.port };
}

/** Makes the database with pgbench's tables; returns how to run SQL beside it. */
async function fill(
  { host, port }: BenchNode, options: BenchOptions, pgbench: string, psql: string,
): Promise<(sql: string) => Promise<string>> {
  const login = ['-h', host, '-p', String(port), '-U', options.user];
  const run = (sql: string): Promise<string> => runProgram(psql, [...login, '-d', 'postgres', '-AtXqc', sql], 60_000);
  await run(`DROP DATABASE IF EXISTS ${database}`);
  await run(`CREATE DATABASE ${database}`);
  await runProgram(pgbench, ['-i', '-q', '-s', String(options.scale), ...login, database], 300_000);
  return run;
}

/** A standby has replayed the filling when the new database and its last index answer there. */
async function waitForStandbys(standbys: BenchCluster['nodes'], user: string): Promise<void> {
  for (const standby of standbys) {
    const deadline = Date.now() + 60_000;
    for (;;) {
      try {
        const client = await RawClient.connect({ ...standby, user, database });
        await client.query('SELECT 1 / count(*) FROM pg_constraint WHERE conname = \'pgbench_accounts_pkey\'');
        client.end();
        break;
      } catch (error) {
        if (Date.now() > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }
}
