import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { findProgram, giveTo, unprivilegedAccount, versionOf } from '../programs.js';
import { makeScratchDirectory } from '../scratch.js';
import { accessSettings, poolSettings } from './pool-settings.js';
import { freePort, startProxy } from './proxy-process.js';
import { loginTo, type Target } from './target.js';

/** Pgpool-II, as Debian packages it (4.3: `socket_dir`, static children only). */
export function pgpool2Target(): Target {
  const program = findProgram('pgpool');
  return {
    name: 'pgpool2',
    missing: () => (program === null ? 'pgpool is not installed (Debian: apt install pgpool2)' : null),
    version: () => versionOf(program ?? 'pgpool'),
    mostClients: 400, // a process for each client
    preforked: true,
    takes: () => true,
    start: async (setup) => {
      const directory = makeScratchDirectory('pgpool2');
      const account = unprivilegedAccount();
      const port = await freePort();
      const files = ['pgpool.conf', 'pcp.conf'].map((name) => path.join(directory, name));
      const [configFile = '', pcpFile = ''] = files;
      const lines = [
        ...poolSettings(setup, port, await freePort()),
        ...accessSettings(setup, directory, account),
        `socket_dir = '${directory}'`,
        `pcp_socket_dir = '${directory}'`,
        `wd_ipc_socket_dir = '${directory}'`,
        `logdir = '${directory}'`,
        `pid_file_name = '${path.join(directory, 'pgpool.pid')}'`,
      ];
      writeFileSync(configFile, `${lines.join('\n')}\n`);
      writeFileSync(pcpFile, '');
      giveTo(account, [directory, ...files]);
      return startProxy({
        program: program ?? 'pgpool',
        args: ['-n', '-D', '-f', configFile, '-F', pcpFile, '-a', path.join(directory, 'pool_hba.conf')],
        directory,
        account,
        stopSignal: 'SIGINT', // fast; SIGTERM would wait for the clients
        login: loginTo(setup, '127.0.0.1', port),
      });
    },
  };
}
