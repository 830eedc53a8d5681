/** The access files as the settings name them, for start and reload. */
import { resolve } from 'node:path';
import type { AccessFiles } from '../../shared/messages.js';
import type { Settings } from '../../shared/settings.js';
import { readPoolHba, type PoolHba } from './pool-hba.js';
import { readPoolPasswd } from './pool-passwd.js';

/** The settings looked at here. */
export type AccessSettings = Pick<Settings, 'enable_pool_hba' | 'pool_passwd' | 'configDirectory'>;

export interface LoadedAccess {
  readonly access: AccessFiles;
  readonly warnings: string[];
}

/** Methods the workers act on. A client that meets another is turned away with a message that says so. */
const methodsActedOn: ReadonlySet<string> = new Set(['trust', 'reject']);

/**
 * Reads pool_hba.conf (when enable_pool_hba is on) and pool_passwd.
 * @param hbaFile pool_hba.conf as the command line names it; beside pgpool.conf by default
 * @throws AccessFileError naming file, line and field; at a reload the old rules then stay
 */
export function loadAccess(settings: AccessSettings, hbaFile?: string): LoadedAccess {
  const hba: PoolHba = settings.enable_pool_hba ? readPoolHba(resolve(hbaFile ?? resolve(settings.configDirectory, 'pool_hba.conf'))) : { rules: [], warnings: [] };
  const passwd = settings.pool_passwd === ''
    ? { passwords: new Map<string, string>(), warnings: [] }
    : readPoolPasswd(resolve(settings.configDirectory, settings.pool_passwd));
  const notYet = hba.rules
    .filter(rule => !methodsActedOn.has(rule.method))
    .map(rule => `${rule.file}:${rule.line}: method field: ${rule.method} is not supported yet, clients that match are turned away`);
  return { access: { hba: hba.rules, passwords: passwd.passwords }, warnings: [...hba.warnings, ...notYet, ...passwd.warnings] };
}
