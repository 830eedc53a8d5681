/** The version that is shown. */
import { readFileSync } from 'node:fs';

/** The Pgpool-II whose configuration and commands are understood; tools read this number. */
const pgpoolVersion = '4.7.0';

/** From package.json, three folders above the built file. */
function ownVersion(): string {
  const packageFile: unknown = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
  const version = (packageFile as { version?: unknown }).version;
  return typeof version === 'string' ? version : 'unknown';
}

/** SHOW POOL_VERSION. */
export const version = `${pgpoolVersion} (pgloom ${ownVersion()})`;

/** `pgpool -v`. */
export function versionText(): string {
  return `pgpool-II version ${version}`;
}
