/** The files that `npm start` writes for pgloom. */
import { pcpMd5 } from '../../shared/auth/md5.js';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerNode } from './server-node.js';

export interface StartFiles {
  readonly configFile: string;
  readonly pcpFile: string;
  readonly hbaFile: string;
}

export interface StartAccess {
  /** For clients. */
  readonly port: number;
  /** For metrics and the status page. */
  readonly httpPort: number;
  /** PCP user `demo` has it: for the buttons of the status page. */
  readonly pcpPassword: string;
}

/** Writes pgpool.conf, pcp.conf and pool_hba.conf for a cluster into `directory`. */
export function writeStartFiles(directory: string, nodes: readonly ServerNode[], access: StartAccess): StartFiles {
  const write = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  return {
    configFile: write('pgpool.conf', poolConfig(directory, nodes, access)),
    pcpFile: write('pcp.conf', `# user:md5 of the password, as pg_md5 prints it\ndemo:${pcpMd5(access.pcpPassword)}\n`),
    hbaFile: write('pool_hba.conf', 'local all all trust\nhost all all 127.0.0.1/32 trust\n'),
  };
}

function poolConfig(directory: string, nodes: readonly ServerNode[], { port, httpPort }: StartAccess): string {
  const general = `# Written by npm start.
backend_clustering_mode = 'streaming_replication'
listen_addresses = '127.0.0.1'
port = ${port}
unix_socket_directories = '${directory}'
# No TCP for PCP: its port may be taken.
pcp_listen_addresses = ''
pcp_socket_dir = '${directory}'
pid_file_name = '${join(directory, 'pgpool.pid')}'

# Metrics and the status page, for this machine only.
http_listen_addresses = '127.0.0.1'
http_port = ${httpPort}
work_dir = '${directory}'

enable_pool_hba = on
pool_passwd = ''
load_balance_mode = on

sr_check_user = 'postgres'
sr_check_period = 5
health_check_user = 'postgres'
health_check_period = 5
`;
  const backends = nodes.map((node) => `
backend_hostname${node.id} = '${node.host}'
backend_port${node.id} = ${node.port}
backend_weight${node.id} = 1
backend_data_directory${node.id} = '${node.directory}'
backend_flag${node.id} = 'ALLOW_TO_FAILOVER'
backend_application_name${node.id} = 'server${node.id}'
`);
  return general + backends.join('');
}
