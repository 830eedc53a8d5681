/** The values that the sample scripts get in a set-up: etc/script-settings.sh, which each reads first. */
import path from 'node:path';
import type { Layout } from './layout.js';
import { shellWord } from './quoting.js';

export function scriptSettingsFile(layout: Layout): string {
  return path.join(layout.directory, 'etc', 'script-settings.sh');
}

/** The sample script, reading the settings at its beginning. */
export function withScriptSettings(layout: Layout, script: string): string {
  const beginning = 'set -eu\n';
  if (!script.includes(beginning)) throw new Error('a sample script without its first command, set -eu');
  return script.replace(beginning, () => `${beginning}. ${shellWord(scriptSettingsFile(layout))}\n`);
}

/** Holds no secret: the servers' user reads it. */
export function scriptSettings(layout: Layout): string {
  const { options, programs, identity, user, directory } = layout;
  const values: Readonly<Record<string, string>> = {
    PGBIN: programs?.directory ?? layout.environment['PGBIN'] ?? '',
    SERVER_USER: identity?.name ?? user,
    REPLICATION_USER: user,
    RECOVERY_USER: user,
    USE_SLOT: options.slots ? 'yes' : 'no',
    USE_PG_REWIND: options.rewind ? 'yes' : 'no',
    ARCHIVE: path.join(layout.serversDirectory, 'archivedir', 'data0'),
    PGHOST: layout.socketDirectory,
    PCP_PORT: String(options.basePort + 1),
    PCP_USER: user,
    PCP_BIN: path.join(directory, 'bin'),
  };
  const library = layout.environment['PGLIB'] ?? '';
  return [
    '# shellcheck shell=sh disable=SC2034',
    '# Made by pgpool_setup; the scripts of this directory read it.',
    ...Object.entries(values).map(([name, value]) => `${name}=${shellWord(value)}`),
    `PCPPASSFILE=${shellWord(path.join(directory, 'etc', 'pcppass'))}`,
    'export PGHOST PCPPASSFILE',
    ...(library === '' ? [] : [`LD_LIBRARY_PATH=${shellWord(library)}`, 'export LD_LIBRARY_PATH']),
    '',
  ].join('\n');
}
