import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { installCertificate } from '../certificate.js';
import { giveTo, type Account } from '../programs.js';
import type { Setup } from './target.js';

/** The lines that pgloom and Pgpool-II read alike, so that both are measured with the same settings. */
export function poolSettings(setup: Setup, port: number, pcpPort: number): string[] {
  const balance = setup.nodes.length > 1;
  const lines = [
    "listen_addresses = '127.0.0.1'",
    `port = ${port}`,
    "pcp_listen_addresses = '127.0.0.1'",
    `pcp_port = ${pcpPort}`,
    `num_init_children = ${setup.clients + 6}`,
    'max_pool = 4',
    'child_life_time = 0',
    'authentication_timeout = 600',
    "backend_clustering_mode = 'streaming_replication'",
    `load_balance_mode = ${balance ? 'on' : 'off'}`,
    'sr_check_period = 0', // no delay checks while measuring
    `sr_check_user = '${setup.user}'`,
    "sr_check_database = 'postgres'",
    'health_check_period = 0',
    'memory_cache_enabled = off',
    'log_connections = off',
    'log_statement = off',
  ];
  for (const [index, node] of setup.nodes.entries()) {
    lines.push(
      `backend_hostname${index} = '${node.host}'`,
      `backend_port${index} = ${node.port}`,
      `backend_weight${index} = 1`,
    );
  }
  return lines;
}

/**
 * Writes what decides how clients come in (pool_hba.conf, and certificate or passwords where they are needed) and
 * tells the lines for it, again the same for both.
 * @param account whom the proxy runs as; null = as we are
 */
export function accessSettings(setup: Setup, directory: string, account: Account | null): string[] {
  const write = (name: string, text: string): void => {
    const file = path.join(directory, name);
    writeFileSync(file, text, { mode: 0o600 });
    giveTo(account, [file]);
  };
  const lines: string[] = [];
  if (setup.password === null) {
    write('pool_hba.conf', '');
    lines.push('enable_pool_hba = off', "pool_passwd = ''");
  } else {
    write('pool_hba.conf', 'host all all 127.0.0.1/32 scram-sha-256\n');
    write('pool_passwd', `${setup.user}:TEXT${setup.password}\n`);
    lines.push('enable_pool_hba = on', "pool_passwd = 'pool_passwd'");
  }
  if (setup.certificate !== null) {
    const { certificateFile, keyFile } = installCertificate(setup.certificate, directory, account);
    lines.push('ssl = on', `ssl_cert = '${certificateFile}'`, `ssl_key = '${keyFile}'`);
  }
  return lines;
}
