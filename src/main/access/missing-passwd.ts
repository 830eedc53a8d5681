/** pool_passwd that is not there: whether somebody counts on it. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { HbaRule } from '../../shared/auth/hba.js';
import type { Settings } from '../../shared/settings.js';
import { readAssignments } from '../config/include.js';

export type PasswdSettings = Pick<Settings, 'pool_passwd' | 'auth_user' | 'configDirectory' | 'configFile'>;

/** Files in which this process has seen passwords: at a reload it is told when one has gone. */
const seen = new Set<string>();

/** The whole path; null when pool_passwd is empty. */
export function poolPasswdFile({ pool_passwd: file, configDirectory }: Pick<PasswdSettings, 'pool_passwd' | 'configDirectory'>): string | null {
  return file === '' ? null : resolve(configDirectory, file);
}

/**
 * One warning when the file is missing, and pgpool.conf names it, rules need it, or it was there before. A file with the
 * default name that nobody counts on may be missing.
 * @param rules of pool_hba.conf; none when that is not in use
 * @param count of the users that it has now
 */
export function missingPasswdWarnings(settings: PasswdSettings, rules: readonly HbaRule[], count: number): string[] {
  const file = poolPasswdFile(settings);
  if (file === null) return [];
  if (count > 0) seen.add(file);
  if (existsSync(file)) return [];
  const without = settings.auth_user === '' ? 'no user has a password' : 'all users are looked up by auth_query';
  const told = (why: string): string[] => [`${file}: there is no such file, ${why}: ${without}`];
  // Once: whoever removed it on purpose is not told again.
  if (seen.delete(file)) return told('and it was there before');
  if (isNamed(settings.configFile)) return told(`though pool_passwd in ${settings.configFile} names it`);
  const needing = settings.auth_user === '' ? rules.find(({ method }) => method === 'md5' || method === 'scram-sha-256') : undefined;
  return needing === undefined ? [] : told(`and ${needing.file}:${needing.line} (${needing.method}) needs it`);
}

/** The value does not tell whether it was written or is the default. */
function isNamed(configFile: string): boolean {
  return readAssignments(configFile).assignments.some(({ key }) => key === 'pool_passwd');
}
