import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { installCertificate } from '../certificate.js';
import { findProgram, giveTo, unprivilegedAccount, versionOf, type Account } from '../programs.js';
import { makeScratchDirectory } from '../scratch.js';
import { freePort, startProxy } from './proxy-process.js';
import { loginTo, type Setup, type Target } from './target.js';

/** Session mode with PgBouncer's own reset query, no logging, time limits out of the way. */
function pgbouncerIni(setup: Setup, port: number, accessLines: readonly string[]): string {
  const primary = setup.nodes[0];
  if (primary === undefined) throw new Error('no server to put PgBouncer in front of');
  return [
    '[databases]',
    `${setup.database} = host=${primary.host} port=${primary.port} dbname=${setup.database} user=${setup.user}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    ...accessLines,
    'server_tls_sslmode = disable',
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

/** Writes the users, and the certificate where one is needed, and tells the lines for how clients come in. */
function accessLines(setup: Setup, directory: string, account: Account | null): string[] {
  const userFile = path.join(directory, 'users.txt');
  writeFileSync(userFile, `"${setup.user}" "${setup.password ?? ''}"\n`, { mode: 0o600 });
  giveTo(account, [userFile]);
  const lines = [`auth_type = ${setup.password === null ? 'trust' : 'scram-sha-256'}`, `auth_file = ${userFile}`];
  if (setup.certificate === null) return [...lines, 'client_tls_sslmode = disable'];
  const { certificateFile, keyFile } = installCertificate(setup.certificate, directory, account);
  return [
    ...lines, 'client_tls_sslmode = require',
    `client_tls_cert_file = ${certificateFile}`, `client_tls_key_file = ${keyFile}`,
  ];
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
    takes: () => true,
    start: async (setup) => {
      const directory = makeScratchDirectory('pgbouncer');
      const account = unprivilegedAccount();
      const port = await freePort();
      const iniFile = path.join(directory, 'pgbouncer.ini');
      writeFileSync(iniFile, pgbouncerIni(setup, port, accessLines(setup, directory, account)));
      giveTo(account, [directory, iniFile]);
      return startProxy({
        program: program ?? 'pgbouncer',
        args: [iniFile],
        directory,
        account,
        stopSignal: 'SIGTERM', // at once; SIGINT would wait for the clients
        login: loginTo(setup, '127.0.0.1', port),
      });
    },
  };
}
