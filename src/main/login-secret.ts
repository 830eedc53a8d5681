/**
 * The secret that salts of SCRAM are made with, also those of users who do not exist. Kept in a file of its own in work_dir, so that
 * a salt is the same after a restart: one that changes would tell users that are made up from others. Not made of any password:
 * every client sees salts, and could try passwords on them.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readPlainFile } from './plain-file.js';
import type { Settings } from '../shared/settings.js';

const sizeBytes = 32;
const fileName = 'pgpool_login_secret';

/** The one in work_dir, made if need be; where that cannot be written, one that holds until pgpool ends. */
export function loginSecret({ configDirectory, work_dir: workDirectory }: Pick<Settings, 'configDirectory' | 'work_dir'>): Uint8Array {
  const file = path.resolve(configDirectory, workDirectory, fileName);
  const fresh = randomBytes(sizeBytes);
  try {
    writeFileSync(file, fresh, { flag: 'wx', mode: 0o600 });
    chmodSync(file, 0o600);
    return fresh;
  } catch {
    return kept(file) ?? fresh;
  }
}

function kept(file: string): Uint8Array | null {
  try {
    const bytes = readPlainFile(file);
    return bytes.length === sizeBytes ? bytes : null;
  } catch {
    return null;
  }
}
