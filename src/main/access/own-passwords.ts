/** Encrypted passwords in pgpool.conf, of the users that pgloom itself logs in as. */
import { isAesPassword } from '../../shared/auth/aes-password.js';
import type { Settings } from '../../shared/settings.js';
import type { KeyFile } from './key-file.js';
import { storedForm } from './stored-form.js';

const parameters = ['sr_check_password', 'health_check_password', 'recovery_password', 'wd_lifecheck_password', 'auth_password'] as const;

/** The settings looked at here. */
export type OwnPasswordSettings = Pick<Settings, (typeof parameters)[number] | 'backends' | 'configFile'>;

export interface OwnPasswords {
  /** `AES…` as written → `TEXT…`; has no entry for what could not be decrypted. */
  readonly decrypted: ReadonlyMap<string, string>;
  readonly warnings: string[];
}

export function decryptOwnPasswords(settings: OwnPasswordSettings, keyFile: KeyFile): OwnPasswords {
  const keys = new Map<string, string>();
  for (const name of parameters) note(keys, name, settings[name]);
  for (const { id, health_check: { password } } of settings.backends) note(keys, `health_check_password${id}`, password);
  const decrypted = new Map<string, string>();
  const warnings: string[] = [];
  for (const [written, key] of keys) {
    const { stored, problem, keyMissing } = storedForm(written, keyFile);
    if (keyMissing) warnings.push(`${settings.configFile}: ${key}: it is encrypted with AES, and there is no key to decrypt it: ${keyFile.path}: ${keyFile.read().reason}`);
    else if (problem !== null) warnings.push(`${settings.configFile}: ${key}: it ${problem}`);
    else decrypted.set(written, stored);
  }
  return { decrypted, warnings };
}

/** The same text may stand in several parameters: the first one's name is told. */
function note(keys: Map<string, string>, key: string, written: string): void {
  if (isAesPassword(written) && !keys.has(written)) keys.set(written, key);
}
