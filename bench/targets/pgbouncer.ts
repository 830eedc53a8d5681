import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { findProgram, unprivilegedAccount, versionOf } from '../programs.js';
import { makeScratchDirectory } from '../scratch.js';
import { freePort, giveTo, startProxy } from './proxy-process.js';
import type { Setup, Target } from './target.js';

/** Session mode with PgBouncer's own reset query, no logging, time limits out of the way. */
function pgbouncerIni(setup: Setup, port: number, userFile: string): string {
  const primary = setup.nodes[0];
  if (primary === undefined) throw new Error('no server to put PgBouncer in front of');
  return [
    '[databases]',
    `${setup.database} = host=${primary.host} port=${primary.port} dbname=${setup.database} user=${setup.user}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = trust',
    `auth_file = ${userFile}`,
    'pool_mode = session',
    `max_client_conn = ${setup.clients + 20}`,
    `default_pool_size = ${Math.min(setup.clients, 450)}`,
    'client_login_timeout = 600',
    'server_round_robin = 0',
    'log_connections = 0',
    'log_disconnections = 0',
    'log_stats = 0',
    'ignore_startup_parameters = extra_float_digits',
    '',
  ].join('\n');
}

/** PgBouncer in session mode, the peer that is nearest to the cost of a bare relay. */
export function pgbouncerTarget(): Target {
  const program = findProgram('pgbouncer');
  return {
    name: 'pgbouncer',
    missing: () => (program === null ? 'pgbouncer is not installed (Debian: apt install pgbouncer)' : null),
    version: () => versionOf(program ?? 'pgbouncer'),
    mostClients: 100_000,
    preforked: false,
    start: async (setup) => {
      const directory = makeScratchDirectory('pgbouncer');
      const account = unprivilegedAccount();
      const port = await freePort();
      const iniFile = path.join(directory, 'pgbouncer.ini');
      const userFile = path.join(directory, 'users.txt');
      writeFileSync(userFile, `"${setup.user}" ""\n`);
      writeFileSync(iniFile, pgbouncerIni(setup, port, userFile));
      giveTo(account, [directory, iniFile, userFile]);
      return startProxy({
        program: program ?? 'pgbouncer',
        args: [iniFile],
        directory,
        account,
        stopSignal: 'SIGTERM', // at once; SIGINT would wait for the clients
        login: { host: '127.0.0.1', port, user: setup.user, database: setup.database },
      });
    },
  };
}
