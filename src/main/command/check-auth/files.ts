/** Step 1: the files as a start of pgpool would read them. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { AccessFileError } from '../../access/access-file.js';
import { readKeyFile } from '../../access/key-file.js';
import { loadAccess } from '../../access/load.js';
import { ConfigError } from '../../config/errors.js';
import { loadConfig } from '../../config/load.js';
import type { AccessFiles } from '../../../shared/messages.js';
import type { Settings } from '../../../shared/settings.js';
import { interruption } from '../interruption.js';
import type { CheckAuthLine } from './options.js';
import type { Finding } from './report.js';

export interface Files {
  readonly settings: Settings;
  readonly access: AccessFiles;
  readonly hbaFile: string;
  /** '' when pool_passwd is not set. */
  readonly passwdFile: string;
  readonly keyFile: string;
}

/** More warnings than these are left to check-config. */
const maxNotes = 5;

/** `files` is null when one is faulty: pgpool would not start. Never throws for what is in a file. */
export async function readFiles(line: CheckAuthLine): Promise<{ readonly files: Files | null; readonly findings: readonly Finding[] }> {
  try {
    const { settings, warnings } = loadConfig(line.configFile);
    const { access, warnings: accessWarnings } = await loadAccess(settings, line.hbaFile, line.keyFile, interruption());
    const files: Files = {
      settings, access,
      hbaFile: line.hbaFile ?? path.resolve(settings.configDirectory, 'pool_hba.conf'),
      passwdFile: settings.pool_passwd === '' ? '' : path.resolve(settings.configDirectory, settings.pool_passwd),
      keyFile: line.keyFile,
    };
    return { files, findings: findingsOf(files, [...warnings, ...accessWarnings]) };
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof AccessFileError)) throw error;
    return { files: null, findings: error.message.split('\n').map((text) => ({ mark: 'fails', about: 'files', text })) };
  }
}

function findingsOf(files: Files, warnings: readonly string[]): Finding[] {
  const { settings, access: { hba, tls }, hbaFile, passwdFile, keyFile } = files;
  const ofHba = (warning: string): boolean => warning.startsWith(`${hbaFile}:`);
  const ofPasswd = (warning: string): boolean => passwdFile !== '' && warning.startsWith(`${passwdFile}:`);
  const ofKey = (warning: string): boolean => warning.includes(`"${keyFile}"`) && !ofHba(warning) && !ofPasswd(warning);
  const key = readKeyFile(keyFile);
  const others = warnings.filter((warning) => !ofHba(warning) && !ofPasswd(warning) && !ofKey(warning));
  const clients = tls.server === null ? `clients are not offered TLS (${settings.ssl ? 'ssl_cert or ssl_key is not set' : 'ssl = off'})` : 'clients are offered TLS';
  return [
    { mark: 'ok', about: 'pgpool.conf', text: settings.configFile, notes: notes(others) },
    settings.enable_pool_hba
      ? { mark: 'ok', about: 'pool_hba.conf', text: `${hbaFile}, ${counted(hba.length, 'rule')}`, notes: notes(warnings.filter(ofHba)) }
      : { mark: 'skipped', about: 'pool_hba.conf', text: 'not read, because enable_pool_hba is off: clients are asked as the DB nodes ask (relay mode)' },
    passwdFinding(files, notes(warnings.filter(ofPasswd))),
    { mark: key.key === null ? 'skipped' : 'ok', about: 'key file', text: `${keyFile}${key.key === null ? `: ${key.reason}; only AES passwords need one` : ''}`, notes: notes(warnings.filter(ofKey)) },
    { mark: 'ok', about: 'TLS', text: `${clients}; DB nodes: ${nodeTls(files)}` },
  ];
}

function passwdFinding({ passwdFile, access: { passwords } }: Files, warnings: readonly string[]): Finding {
  if (passwdFile === '') return { mark: 'skipped', about: 'pool_passwd', text: "not read, because pool_passwd = ''" };
  if (!existsSync(passwdFile)) return { mark: 'skipped', about: 'pool_passwd', text: `there is no file ${passwdFile}`, notes: warnings };
  return { mark: 'ok', about: 'pool_passwd', text: `${passwdFile}, passwords of ${counted(passwords.size, 'user')}`, notes: warnings };
}

function nodeTls({ access: { tls: { backend: { use, verify, direct } } }, settings: { backend_sslmode: mode } }: Files): string {
  const what = { disable: 'no TLS', prefer: 'TLS where they have it', require: 'only with TLS' }[use];
  const checked = { none: '', ca: ', their certificates are verified', full: ', their certificates and names are verified' }[verify];
  return `${what}${use === 'disable' ? '' : checked}${direct && use !== 'disable' ? ', without asking for it first' : ''} (backend_sslmode = ${mode})`;
}

function notes(warnings: readonly string[]): string[] {
  const more = warnings.length - maxNotes;
  return more <= 0 ? [...warnings] : [...warnings.slice(0, maxNotes), `and ${counted(more, 'more warning')}, see pgpool check-config`];
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
