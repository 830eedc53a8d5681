/** The primary thread's Cluster on real servers, without workers. */
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cluster as NodeWatch } from '../../src/main/cluster/cluster.js';
import { loadConfig } from '../../src/main/config/load.js';
import { createLogger } from '../../src/shared/logger.js';
import { HealthTable } from '../../src/shared/memory/health-table.js';
import { NodeTable } from '../../src/shared/memory/node-table.js';
import type { Settings } from '../../src/shared/settings.js';
import { noTls } from '../../src/shared/tls/materials.js';

export interface Watched {
  readonly watch: NodeWatch;
  readonly table: NodeTable;
  /** Changes lines of pgpool.conf and reloads it; the nodes stay. */
  reload(lines: Lines): void;
  /** All that was logged so far. */
  log(): string;
}

type Lines = Readonly<Record<string, string | number>>;

/** Starts to watch the nodes, lets `use` look at the node table, and stops. */
export async function watching(nodes: readonly { readonly host: string; readonly port: number }[], lines: Lines, use: (watched: Watched) => Promise<void>, passwords: ReadonlyMap<string, string> = new Map()): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'pgloom-w-'));
  const logFile = join(directory, 'log');
  const sink = openSync(logFile, 'a');
  const all: Record<string, string | number> = {
    sr_check_user: 'postgres', sr_check_period: 1, health_check_user: 'postgres', health_check_period: 1, health_check_timeout: 3,
    connect_timeout: 2000, search_primary_node_timeout: 60, log_min_messages: 'debug1',
    ...Object.fromEntries(nodes.flatMap(({ host, port }, id) => [[`backend_hostname${id}`, host], [`backend_port${id}`, port], [`backend_application_name${id}`, `server${id}`]])),
    ...lines,
  };
  const file = join(directory, 'pgpool.conf');
  const load = (): Settings => {
    writeFileSync(file, Object.entries(all).map(([key, value]) => `${key} = ${typeof value === 'number' ? value : `'${value.replaceAll("'", "''")}'`}\n`).join(''));
    return loadConfig(file).settings;
  };
  const settings = load();
  const table = new NodeTable();
  const watch = new NodeWatch(table, new HealthTable(), settings, { hba: [], passwords, decrypted: new Map(), tls: noTls }, createLogger(settings, sink));
  try {
    await watch.start();
    const reload = (changed: Lines): void => {
      Object.assign(all, changed);
      watch.reload(load(), { hba: [], passwords, decrypted: new Map(), tls: noTls }, []);
    };
    await use({ watch, table, reload, log: () => readFileSync(logFile, 'utf8') });
  } finally {
    watch.stop();
    // The log stays open: a check under way may still want to write, and its descriptor could be another file's by then.
    rmSync(directory, { recursive: true, force: true });
  }
}
