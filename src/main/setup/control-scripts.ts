/** The scripts of a set-up: startall, shutdownall, pgpool_reload, what they share, and the commands in bin/. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Layout, nodeNumbers, serverPortOf } from './layout.js';
import { shellWord } from './quoting.js';

/** Also bin/pgpool; the others are in PGPOOL_INSTALL_DIR/bin if that is set. */
const pcpNames = [
  'attach_node', 'detach_node', 'health_check_stats', 'invalidate_query_cache', 'log_rotate', 'node_count', 'node_info', 'pool_status',
  'proc_count', 'proc_info', 'promote_node', 'recovery_node', 'reload_config', 'stop_pgpool', 'watchdog_info',
].map((name) => `pcp_${name}`);

const startLimitS = 60;

function shared(layout: Layout): string {
  const { directory, identity, options, programs, user } = layout;
  const library = layout.environment['PGLIB'] ?? '';
  const etc = (name: string): string => shellWord(path.join(directory, 'etc', name));
  return `# shellcheck shell=sh disable=SC2034
# Made by pgpool_setup; startall, shutdownall and pgpool_reload read it.
DIRECTORY=${shellWord(directory)}
NODES=${shellWord(programs === null ? '' : nodeNumbers(layout).join(' '))}
PGBIN=${shellWord(programs?.directory ?? '')}
SERVER_USER=${shellWord(identity?.name ?? user)} # PostgreSQL does not run as root
SOCKET=${shellWord(path.join(layout.socketDirectory, `.s.PGSQL.${options.basePort}`))}
${library === '' ? '' : `LD_LIBRARY_PATH=${shellWord(library)}\nexport LD_LIBRARY_PATH\n`}
as_server() {
  if [ "$(id -u)" -ne 0 ]; then "$@"
  elif command -v runuser > /dev/null; then runuser -u "$SERVER_USER" -- "$@"
  else su -s /bin/sh -c 'exec "$@"' -- "$SERVER_USER" sh "$@"; fi
}
# server NODE ARGUMENT...: pg_ctl on that node's data directory; it finds the process by its own postmaster.pid.
server() {
  node=$1
  shift
  as_server "$PGBIN/pg_ctl" -D "$DIRECTORY/data$node" "$@"
}
server_runs() { server "$1" status > /dev/null 2>&1; }
pgpool() { "$DIRECTORY/bin/pgpool" -f ${etc('pgpool.conf')} -F ${etc('pcp.conf')} -a ${etc('pool_hba.conf')} "$@"; }
`;
}

const head = (layout: Layout, comment: string): string => `#!/bin/sh
# ${comment}
set -eu
cd ${shellWord(layout.directory)}
. ./etc/programs.sh
`;

function startAll(layout: Layout): string {
  return `${head(layout, 'Starts the servers and pgpool of this directory; with --servers only the servers. Other options go to pgpool.')}
for node in $NODES; do
  server_runs "$node" || server "$node" -l "$DIRECTORY/log/servers/postgresql$node.log" -w -s start < /dev/null
done
[ "\${1:-}" != --servers ] || exit 0
pgpool${layout.options.debug ? ' -d' : ''} "$@" < /dev/null > "$DIRECTORY/run/start.log" 2>&1 || { cat "$DIRECTORY/run/start.log" >&2; exit 1; }
waited=0
until [ -S "$SOCKET" ]; do
  [ "$waited" -lt ${startLimitS} ] || { echo "pgpool does not listen; see $DIRECTORY/log" >&2; exit 1; }
  sleep 1
  waited=$((waited + 1))
done
`;
}

function shutdownAll(layout: Layout): string {
  return `${head(layout, 'Stops pgpool and the servers of this directory: the processes in its own pid files, and no others.')}
status=0
[ ! -s run/pgpool.pid ] || pgpool -m fast stop || status=1
for node in $NODES; do
  if server_runs "$node"; then server "$node" -m fast -w -s stop || status=1; fi
done
exit "$status"
`;
}

function pgpoolReload(layout: Layout): string {
  return `${head(layout, 'Makes the pgpool of this directory read its files again.')}
pgpool reload
`;
}

function bashrcPorts(layout: Layout): string {
  const { basePort } = layout.options;
  const servers = nodeNumbers(layout).map((node) => `export PGPORT${node}=${serverPortOf(layout, node)}\n`);
  return [`export PGPOOL_PORT=${basePort}\n`, `export PCP_PORT=${basePort + 1}\n`, ...servers].join('');
}

/** The ports in words: README.port, and the end of the set-up's output. */
export function portText(layout: Layout): string {
  const { basePort } = layout.options;
  const servers = nodeNumbers(layout).map((node) => `#${node + 1} port is ${serverPortOf(layout, node)}\n`);
  return [...servers, `pgpool port is ${basePort}\n`, `pcp port is ${basePort + 1}\n`].join('');
}

/** Small scripts in bin/, so that the commands can be called by their names from anywhere. */
function writeCommands(layout: Layout): void {
  const bin = path.join(layout.directory, 'bin');
  // The name that Node.js is called with tells the program which pcp_* command it is.
  const named = path.join(bin, 'programs');
  mkdirSync(named, { recursive: true });
  const write = (name: string, command: readonly string[]): void =>
    writeFileSync(path.join(bin, name), `#!/bin/sh\nexec ${command.map(shellWord).join(' ')} "$@"\n`, { mode: 0o755 });
  write('pgpool', layout.pgpoolCommand);
  for (const name of pcpNames) {
    if (layout.pcpDirectory !== null) {
      write(name, [path.join(layout.pcpDirectory, name)]);
    } else {
      symlinkSync(layout.pcpProgram, path.join(named, name));
      write(name, [process.execPath, path.join(named, name)]);
    }
  }
}

export function writeControlScripts(layout: Layout): void {
  const write = (name: string, text: string, mode: number): void => writeFileSync(path.join(layout.directory, name), text, { mode });
  write('etc/programs.sh', shared(layout), 0o644);
  write('startall', startAll(layout), 0o755);
  write('shutdownall', shutdownAll(layout), 0o755);
  write('pgpool_reload', pgpoolReload(layout), 0o755);
  write('bashrc.ports', bashrcPorts(layout), 0o644);
  write('README.port', portText(layout), 0o644);
  writeCommands(layout);
}
