/** What watchdog_setup adds to pgpool_setup's files. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Layout } from './layout.js';
import { shellWord } from './quoting.js';
import type { WatchdogSetupOptions } from './setup-options.js';

/** Ports of one pgpool: clients, PCP, watchdog, heartbeat. */
export const portsPerPgpool = 4;
const host = 'localhost';

export const pgpoolPortOf = ({ basePort }: WatchdogSetupOptions, pgpool: number): number => basePort + portsPerPgpool * pgpool;

/** The watchdog's part of pgpool.conf, the same for all pgpools. */
export function watchdogSettings(options: WatchdogSetupOptions, socketDirectory: string): Readonly<Record<string, string | number | boolean>> {
  const nodes = Array.from({ length: options.pgpools }, (_, pgpool) => [
    [`hostname${pgpool}`, host],
    [`pgpool_port${pgpool}`, pgpoolPortOf(options, pgpool)],
    [`wd_port${pgpool}`, pgpoolPortOf(options, pgpool) + 2],
    [`heartbeat_hostname${pgpool}`, host],
    [`heartbeat_port${pgpool}`, pgpoolPortOf(options, pgpool) + 3],
  ] as const).flat();
  return {
    use_watchdog: true,
    wd_ipc_socket_dir: socketDirectory === '' ? '/tmp' : socketDirectory,
    wd_lifecheck_method: 'heartbeat',
    wd_interval: 3,
    ...(options.virtualIp === null ? {} : { delegate_ip: options.virtualIp }),
    ...Object.fromEntries(nodes),
  };
}

/** The number of this pgpool among the others, beside its pgpool.conf. */
export function writeNodeId(layout: Layout, pgpool: number): void {
  writeFileSync(path.join(layout.directory, 'etc', 'pgpool_node_id'), `${pgpool}\n`);
}

/** startall and shutdownall for all pgpools; the first one has the servers, so it starts first and ends last. */
export function writeScriptsForAll(directory: string, pgpools: number): void {
  const upwards = Array.from({ length: pgpools }, (_, pgpool) => path.join(directory, `pgpool${pgpool}`));
  const write = (name: string, comment: string, lines: readonly string[]): void =>
    writeFileSync(path.join(directory, name), `#!/bin/sh\n# ${comment}\n${lines.join('\n')}\n`, { mode: 0o755 });
  write('startall', 'Starts the servers and all pgpools of this directory.', ['set -e', ...upwards.map((pgpool) => `${shellWord(path.join(pgpool, 'startall'))} "$@"`)]);
  write('shutdownall', 'Stops all pgpools and the servers of this directory.', [
    'status=0', ...upwards.toReversed().map((pgpool) => `${shellWord(path.join(pgpool, 'shutdownall'))} || status=1`), 'exit "$status"',
  ]);
}
