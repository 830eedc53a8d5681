/** The files in etc/ of a set-up. */
import { pcpMd5 } from '../../shared/auth/md5.js';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { md5Hash } from '../../shared/auth/md5.js';
import { sampleText } from '../config/sample-files.js';
import { sampleConfig } from '../config/sample.js';
import { dataDirectoryOf, type Layout, nodeNumbers, serverPortOf } from './layout.js';
import { settingLines } from './quoting.js';
import { scriptSettings, scriptSettingsFile, withScriptSettings } from './script-settings.js';
import { setupModes } from './setup-options.js';

type Values = Readonly<Record<string, string | number | boolean>>;

function generalSettings({ directory, options, socketDirectory, user }: Layout): Values {
  return {
    backend_clustering_mode: setupModes[options.mode],
    listen_addresses: 'localhost',
    port: options.basePort,
    unix_socket_directories: socketDirectory,
    pcp_listen_addresses: 'localhost',
    pcp_port: options.basePort + 1,
    pcp_socket_dir: socketDirectory,
    enable_pool_hba: true,
    pool_passwd: 'pool_passwd',
    pid_file_name: path.join(directory, 'run', 'pgpool.pid'),
    work_dir: path.join(directory, 'log'),
    // In the background there is no standard error: all goes to one file.
    logging_collector: true,
    log_directory: path.join(directory, 'log'),
    log_filename: 'pgpool.log',
    log_rotation_age: 0,
    log_rotation_size: 0,
    sr_check_user: user,
    sr_check_period: options.mode === 's' ? 5 : 0,
    health_check_user: user,
    health_check_period: 10,
    health_check_timeout: 10,
    health_check_max_retries: 3,
    ...(options.test ? { health_check_test: true } : {}),
  };
}

function scriptsOf({ directory, options, user }: Layout): Values {
  const script = (name: string): string => path.join(directory, 'etc', name);
  const recovery = { recovery_user: user, recovery_1st_stage_command: 'replication_mode_recovery_1st_stage', recovery_2nd_stage_command: 'replication_mode_recovery_2nd_stage' };
  if (options.mode === 'r' || options.mode === 'i') return recovery;
  if (options.mode !== 's') return {};
  return {
    failover_command: `${script('failover.sh')} %d %h %p %D %m %H %M %P %r %R %N %S`,
    follow_primary_command: `${script('follow_primary.sh')} %d %h %p %D %m %H %M %P %r %R`,
    recovery_user: user,
    recovery_1st_stage_command: 'recovery_1st_stage',
  };
}

function nodeSettings(layout: Layout, node: number): Values {
  return {
    [`backend_hostname${node}`]: layout.socketDirectory,
    [`backend_port${node}`]: serverPortOf(layout, node),
    [`backend_weight${node}`]: 1,
    [`backend_data_directory${node}`]: dataDirectoryOf(layout, node),
    [`backend_flag${node}`]: 'ALLOW_TO_FAILOVER',
    [`backend_application_name${node}`]: `server${node}`,
  };
}

/** The sample with what this set-up sets at its end, where it holds. */
function configText(layout: Layout): string {
  return [
    sampleConfig(),
    `#${'='.repeat(78)}`,
    '# By pgpool_setup. What is said last holds.',
    `#${'='.repeat(78)}`,
    settingLines({ ...generalSettings(layout), ...scriptsOf(layout) }),
    ...nodeNumbers(layout).map((node) => settingLines(nodeSettings(layout, node))),
    settingLines(layout.moreSettings),
  ].join('\n');
}

const hbaText = `# By pgpool_setup: for tests on this machine only.
local all all trust
host  all all 127.0.0.1/32 trust
host  all all ::1/128 trust
`;

/** A field of .pcppass: a colon and a backslash get a backslash. */
const pcpField = (text: string): string => text.replaceAll(/[\\:]/g, String.raw`\$&`);

/** Writes all of etc/; the scripts can be executed, and what holds passwords is private. */
export function writePgpoolFiles(layout: Layout): void {
  const { user, options } = layout;
  const write = (name: string, text: string, mode: number): void => writeFileSync(path.join(layout.directory, 'etc', name), text, { mode });
  write('pgpool.conf', configText(layout), 0o600);
  write('pool_hba.conf', hbaText, 0o600);
  write('pcp.conf', `${user}:${pcpMd5(user)}\n`, 0o600);
  write('pool_passwd', `${user}:${md5Hash(user, user)}\n`, 0o600);
  write('pcppass', `*:${options.basePort + 1}:${pcpField(user)}:${pcpField(user)}\n`, 0o600);
  writeFileSync(scriptSettingsFile(layout), scriptSettings(layout), { mode: 0o644 });
  for (const name of ['failover.sh', 'follow_primary.sh']) write(name, withScriptSettings(layout, sampleText(`${name}.sample`)), 0o755);
}
