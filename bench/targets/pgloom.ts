import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeScratchDirectory } from '../scratch.js';
import { accessSettings, poolSettings } from './pool-settings.js';
import { freePort, startProxy } from './proxy-process.js';
import { loginTo, type Target } from './target.js';

/** The built command, beside the built bench: dist/bench/targets -> dist/src/main. */
const program = fileURLToPath(new URL('../../src/main/pgpool.js', import.meta.url));

/**
 * pgloom from this tree.
 * @param threads worker_threads; 0 = one per CPU
 * @param name how the report calls it, when several variants are measured
 */
export function pgloomTarget(threads: number, name: string): Target {
  return {
    name,
    missing: () => (existsSync(program) ? null : `${program} is not built`),
    version: () => `pgloom of this tree, worker_threads = ${threads}`,
    mostClients: 100_000,
    preforked: false,
    takes: () => true,
    start: async (setup) => {
      const directory = makeScratchDirectory('pgloom');
      const port = await freePort();
      const configFile = path.join(directory, 'pgpool.conf');
      const pcpFile = path.join(directory, 'pcp.conf');
      const lines = [
        ...poolSettings(setup, port, await freePort()),
        ...accessSettings(setup, directory, null),
        "backend_sslmode = 'disable'",
        `unix_socket_directories = '${directory}'`,
        `pcp_socket_dir = '${directory}'`,
        `logdir = '${directory}'`,
        `pid_file_name = '${path.join(directory, 'pgpool.pid')}'`,
        `worker_threads = ${threads}`,
      ];
      writeFileSync(configFile, `${lines.join('\n')}\n`);
      writeFileSync(pcpFile, '');
      return startProxy({
        program: process.execPath,
        args: [program, '-n', '-f', configFile, '-F', pcpFile, '-a', path.join(directory, 'pool_hba.conf')],
        directory,
        account: null,
        stopSignal: 'SIGINT', // fast shutdown, as Pgpool-II's
        login: loginTo(setup, '127.0.0.1', port),
      });
    },
  };
}
