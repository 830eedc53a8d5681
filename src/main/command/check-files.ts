/** Looks for faults in all files that pgpool reads, without starting it. */
import path from 'node:path';
import { accessLines, AccessFileError, readAccessFile } from '../access/access-file.js';
import { KeyFile } from '../access/key-file.js';
import { missingPasswdWarnings, poolPasswdFile } from '../access/missing-passwd.js';
import { readPoolHba } from '../access/pool-hba.js';
import { readPoolPasswd } from '../access/pool-passwd.js';
import { loadAccess } from '../access/load.js';
import { ConfigError } from '../config/errors.js';
import { type LoadedConfig, loadConfig } from '../config/load.js';
import { checkUserWarnings } from './check-users.js';
import { interruption } from './interruption.js';
import type { CommandLine } from './options.js';

export interface CheckedFiles {
  /** Null when pgpool.conf is faulty. */
  readonly config: LoadedConfig | null;
  /** With these pgpool does not start, or does not let anybody in. */
  readonly faults: readonly string[];
  readonly warnings: readonly string[];
}

/** MAX_USER_PASSWD_LEN of Pgpool-II. */
const maxPcpNameBytes = 128;

interface Findings {
  readonly faults: string[];
  readonly warnings: string[];
}

/** pgpool.conf with its includes, pool_hba.conf, pool_passwd and pcp.conf. Never throws for what is in a file. */
export async function checkFiles({ configFile, hbaFile, pcpFile, keyFile }: CommandLine): Promise<CheckedFiles> {
  const found: Findings = { faults: [], warnings: [] };
  const config = await attempt(found, () => loadConfig(configFile));
  found.warnings.push(...config?.warnings ?? []);
  const beside = (name: string): string => path.join(path.dirname(configFile), name);
  if (config === null) await checkHba(hbaFile ?? beside('pool_hba.conf'), hbaFile !== undefined, found.faults, found);
  else await checkAccess(config, hbaFile, keyFile, found);
  await checkPcpConf(pcpFile ?? beside('pcp.conf'), found);
  return { config, faults: found.faults, warnings: [...new Set(found.warnings)] };
}

/** As a start would read them. A rule file that is not in use can do no harm yet. */
async function checkAccess({ settings }: LoadedConfig, hbaFile: string | undefined, keyFilePath: string, found: Findings): Promise<void> {
  // pool_passwd apart, so that the faults of all files are found.
  const loaded = await attempt(found, () => loadAccess({ ...settings, pool_passwd: '' }, hbaFile, keyFilePath, interruption()));
  found.warnings.push(...loaded?.warnings ?? []);
  if (!settings.enable_pool_hba) {
    const notInUse: string[] = [];
    await checkHba(hbaFile ?? path.join(settings.configDirectory, 'pool_hba.conf'), false, notInUse, found);
    found.warnings.push(...notInUse.map((fault) => `${fault} (enable_pool_hba is off, so the file is not read)`));
  }
  const file = poolPasswdFile(settings);
  const keyFile = new KeyFile(keyFilePath);
  const passwd = file === null ? { passwords: new Map<string, string>(), warnings: [] } : await attempt(found, () => readPoolPasswd(file, keyFile));
  if (passwd === null) return;
  const missing = missingPasswdWarnings(settings, loaded?.access.hba ?? [], passwd.passwords.size);
  found.warnings.push(...missing, ...keyFile.warnings, ...passwd.warnings, ...checkUserWarnings(settings, passwd.passwords));
}

async function checkHba(file: string, mustExist: boolean, faults: string[], found: Findings): Promise<void> {
  const here: Findings = { faults, warnings: found.warnings };
  if (!mustExist && await attempt(here, () => readAccessFile(file)) === null) return;
  found.warnings.push(...(await attempt(here, () => readPoolHba(file)))?.warnings ?? []);
}

/** `user:md5` lines, `#` in the first column for a comment. A bad line keeps only its own user out. */
async function checkPcpConf(file: string, found: Findings): Promise<void> {
  const text = await attempt(found, () => readAccessFile(file));
  if (text === null) {
    found.warnings.push(`${file}: there is no such file, so nobody can log in to the PCP port`);
    return;
  }
  for (const { number, text: line } of accessLines(text)) {
    if (line === '' || line.startsWith('#')) continue;
    const colon = line.indexOf(':');
    if (colon < 1) found.faults.push(`${file}:${number}: it must be user:md5, the md5 as pg_md5 prints it`);
    else if (colon > maxPcpNameBytes) found.faults.push(`${file}:${number}: the user's name is longer than ${maxPcpNameBytes} bytes, which keeps everybody out`);
    else if (!/^[\da-f]{32}$/i.test(line.slice(colon + 1))) found.faults.push(`${file}:${number}: what follows the user's name is no md5 of 32 hexadecimal digits`);
  }
}

/** Null when it failed for a reason that is now among the faults. */
async function attempt<T>(found: Findings, read: () => T | Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof AccessFileError)) throw error;
    found.faults.push(...error.message.split('\n'));
    return null;
  }
}
