/** The access files as the settings name them, for start and reload. */
import { resolve } from 'node:path';
import { certificateWanted } from '../../shared/auth/client-question.js';
import type { HbaRule } from '../../shared/auth/hba.js';
import type { AccessFiles } from '../../shared/messages.js';
import type { Settings } from '../../shared/settings.js';
import { defaultKeyFile, KeyFile } from './key-file.js';
import { decryptOwnPasswords, type OwnPasswordSettings } from './own-passwords.js';
import { readPoolHba, type PoolHba } from './pool-hba.js';
import { readPoolPasswd } from './pool-passwd.js';
import { missingPasswdWarnings, poolPasswdFile } from './missing-passwd.js';
import { loadTls, type TlsSettings } from '../tls/load-tls.js';

/** The settings looked at here. */
export type AccessSettings = Pick<Settings, 'enable_pool_hba' | 'pool_passwd' | 'auth_user' | 'configDirectory'> & OwnPasswordSettings & TlsSettings;

export interface LoadedAccess {
  readonly access: AccessFiles;
  readonly warnings: string[];
}

/**
 * Reads pool_hba.conf (when enable_pool_hba is on), pool_passwd and the files of TLS, all of them before it returns for the
 * first time: they are of one moment, even if ssl_passphrase_command then takes long.
 * @param hbaFile pool_hba.conf as the command line names it; beside pgpool.conf by default
 * @param keyFilePath has the key for AES passwords
 * @param giveUp ends ssl_passphrase_command
 * @throws AccessFileError naming file, line and field; at a reload the old rules then stay
 */
export async function loadAccess(settings: AccessSettings, hbaFile?: string, keyFilePath: string = defaultKeyFile(process.env), giveUp?: AbortSignal): Promise<LoadedAccess> {
  const keyFile = new KeyFile(resolve(keyFilePath));
  const hba: PoolHba = settings.enable_pool_hba ? readPoolHba(resolve(hbaFile ?? resolve(settings.configDirectory, 'pool_hba.conf'))) : { rules: [], warnings: [] };
  const passwdFile = poolPasswdFile(settings);
  const passwd = passwdFile === null ? { passwords: new Map<string, string>(), warnings: [] } : readPoolPasswd(passwdFile, keyFile);
  const own = decryptOwnPasswords(settings, keyFile);
  const warnings = [
    ...hba.warnings, ...hopeless(hba.rules, settings), ...missingPasswdWarnings(settings, hba.rules, passwd.passwords.size),
    ...keyFile.warnings, ...passwd.warnings, ...own.warnings,
  ];
  const tls = await loadTls(settings, giveUp);
  return { access: { hba: hba.rules, passwords: passwd.passwords, decrypted: own.decrypted, tls: tls.tls }, warnings: [...warnings, ...tls.warnings] };
}

/** Lines that cannot let anybody in with these settings. */
function hopeless(rules: readonly HbaRule[], { ssl, ssl_ca_cert: authority, ssl_ca_cert_dir: authorities }: AccessSettings): string[] {
  return rules.filter(({ type }) => type === 'hostssl').flatMap((rule) => {
    const { file, line } = rule;
    if (!ssl) return [`${file}:${line}: type field: a hostssl line matches nobody while ssl is off`];
    return certificateWanted(rule) !== null && authority === '' && authorities === '' ? [`${file}:${line}: no certificate is valid without ssl_ca_cert`] : [];
  });
}
