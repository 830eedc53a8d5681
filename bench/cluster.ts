import { startCluster } from '../src/main/demo/cluster.js';
import type { BenchOptions } from './options.js';
import { runProgram } from './pgbench.js';
import { RawClient } from './raw-client.js';
import { registerUndo } from './scratch.js';

/** The servers that all targets share. */
export interface BenchCluster {
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
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
  const login = ['-h', primary.host, '-p', String(primary.port), '-U', user];
  const run = (sql: string): Promise<string> => runProgram(psql, [...login, '-d', 'postgres', '-AtXqc', sql], 60_000);
  await run(`DROP DATABASE IF EXISTS ${database}`);
  await run(`CREATE DATABASE ${database}`);
  await runProgram(pgbench, ['-i', '-q', '-s', String(options.scale), ...login, database], 300_000);
  const version = `PostgreSQL ${(await run('SHOW server_version')).trim()}`;
  if (options.server !== null) registerUndo(async () => void (await run(`DROP DATABASE ${database} WITH (FORCE)`)));
  await waitForStandbys(nodes.slice(1), user);
  return { nodes, user, database, version };
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
