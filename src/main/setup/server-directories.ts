/** Makes the servers' data directories, before any of them runs: standbys are copies of a primary that never started. */
import { execFile } from 'node:child_process';
import { chown, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { sampleText } from '../config/sample-files.js';
import { copyDirectory, makeStandby, serverEnvironment, writeHba } from '../demo/data-directory.js';
import { spawnIdentity } from '../demo/unprivileged.js';
import { dataDirectoryOf, type Layout, nodeNumbers, replicationSlotOf, serverPortOf } from './layout.js';
import { settingLines } from './quoting.js';
import { withScriptSettings } from './script-settings.js';

const trustLocal = 'host all all 127.0.0.1/32 trust\nhost all all ::1/128 trust\nhost replication all 127.0.0.1/32 trust\nhost replication all ::1/128 trust';
/** More than num_init_children times max_pool, 128. */
const maxConnections = 200;
/** Since this version there is wal_keep_size. */
const walKeepSizeVersion = 13;

async function give(layout: Layout, file: string): Promise<void> {
  if (layout.identity !== undefined) await chown(file, layout.identity.uid, layout.identity.gid);
}

/** Makes a directory that belongs to the servers' user. */
export async function makeServersDirectory(layout: Layout, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await give(layout, directory);
}

async function runInitdb(layout: Layout, bin: string, directory: string): Promise<void> {
  const more = (layout.environment['INITDBARG'] ?? '--no-locale -E UTF8').split(/\s+/).filter((word) => word !== '');
  const library = layout.environment['PGLIB'] ?? '';
  await promisify(execFile)(path.join(bin, 'initdb'), ['-D', directory, '-U', layout.user, '-A', 'trust', ...more], {
    cwd: directory, env: { ...serverEnvironment, ...(library === '' ? {} : { LD_LIBRARY_PATH: library }) }, ...spawnIdentity(layout.identity),
  });
}

function serverSettings(layout: Layout, node: number, majorVersion: number): Record<string, string | number | boolean> {
  const { mode, rewind } = layout.options;
  const archive = path.join(layout.directory, 'archivedir', `data${node}`);
  return {
    port: serverPortOf(layout, node),
    listen_addresses: 'localhost',
    unix_socket_directories: layout.socketDirectory,
    max_connections: maxConnections,
    wal_level: mode === 'l' ? 'logical' : 'replica',
    max_wal_senders: layout.options.nodes + 10,
    max_replication_slots: layout.options.nodes + 10,
    archive_mode: true,
    archive_command: `test ! -f "${archive}/%f" && cp "%p" "${archive}/%f"`,
    ...(majorVersion >= walKeepSizeVersion ? { wal_keep_size: '128MB' } : {}),
    // Before its slot is there a standby is refused; it tries again soon.
    ...(mode === 's' ? { hot_standby: true, wal_retrieve_retry_interval: '500ms' } : {}),
    ...(rewind ? { wal_log_hints: true } : {}),
    ...(mode === 'i' ? { default_transaction_isolation: 'repeatable read' } : {}),
  };
}

/** The scripts that recovery looks for in a data directory. */
async function writeRecoveryScripts(layout: Layout, directory: string): Promise<void> {
  const names = layout.options.mode === 's' ? ['recovery_1st_stage'] : ['replication_mode_recovery_1st_stage', 'replication_mode_recovery_2nd_stage'];
  for (const name of [...names, 'pgpool_remote_start']) {
    const file = path.join(directory, name);
    await writeFile(file, withScriptSettings(layout, sampleText(`${name}.sample`)), { mode: 0o700 });
    await give(layout, file);
  }
}

function standbyConninfo(layout: Layout, node: number): string {
  return `host=${layout.socketDirectory} port=${serverPortOf(layout, 0)} user=${layout.user} application_name=server${node}`;
}

/** All data directories; in streaming replication mode node 0 is the primary. */
export async function createServers(layout: Layout, say: (text: string) => void): Promise<void> {
  if (layout.programs === null) return;
  const { directory: bin, majorVersion } = layout.programs;
  const primary = dataDirectoryOf(layout, 0);
  await makeServersDirectory(layout, path.join(layout.directory, 'archivedir'));
  for (const node of nodeNumbers(layout)) {
    const directory = dataDirectoryOf(layout, node);
    await makeServersDirectory(layout, path.join(layout.directory, 'archivedir', `data${node}`));
    if (node > 0 && layout.options.mode === 's') {
      say(`copying ${directory} from data0`);
      await copyDirectory(primary, directory, layout.identity);
      await makeStandby(directory, standbyConninfo(layout, node), layout.identity);
    } else {
      say(`creating ${directory}`);
      await makeServersDirectory(layout, directory);
      await runInitdb(layout, bin, directory);
      await writeHba(directory, trustLocal);
      await writeRecoveryScripts(layout, directory);
    }
  }
  // After the copies, or each would have the primary's.
  for (const node of nodeNumbers(layout)) await appendServerSettings(layout, node, majorVersion);
}

async function appendServerSettings(layout: Layout, node: number, majorVersion: number): Promise<void> {
  const directory = dataDirectoryOf(layout, node);
  const usesSlot = layout.options.mode === 's' && layout.options.slots && node > 0;
  const settings = { ...serverSettings(layout, node, majorVersion), ...(usesSlot ? { primary_slot_name: replicationSlotOf(node) } : {}) };
  await writeFile(path.join(directory, 'postgresql.conf'), `\n# By pgpool_setup.\n${settingLines(settings)}`, { flag: 'a' });
}
