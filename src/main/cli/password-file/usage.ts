/** What -h of pg_md5 and of pg_enc prints: Pgpool-II's words, for programs that look for them. */
import path from 'node:path';
import { versionText } from '../../../shared/version.js';
import { homeDirectory } from '../../access/key-file.js';
import { maxPasswordBytes } from './tool.js';

export const md5Usage = `Usage:

  pg_md5 [OPTIONS]
  pg_md5 <PASSWORD>

  --prompt, -p         Prompt password using standard input.
  --md5auth, -m        Produce md5 authentication password.
  --username, -u USER  When producing a md5 authentication password,
                       create the pool_passwd entry for USER.
  --config-file, -f CONFIG-FILE  Specify pgpool.conf.
  --input-file, -i INPUT-FILE  Specify file containing username and password pairs.
  --help, -h           This help menu.

Warning: At most ${maxPasswordBytes} characters are allowed for input.
Warning: Plain password argument is deprecated for security concerns
         and kept for compatibility. Please prefer using password
         prompt or input file method.
`;

export function encUsage(): string {
  return `${versionText()},
  password encryption utility for Pgpool

Usage:
  pg_enc [OPTIONS] <PASSWORD>
  -k, --key-file=KEY_FILE
                       Set the path to the encryption key file.
                       Default: ${path.join(homeDirectory(), '.pgpoolkey')}
                       Can be overridden by the PGPOOLKEYFILE environment variable.
  -K, --enc-key=ENCRYPTION_KEY
                       Encryption key to be used for encrypting database passwords.
  -f, --config-file=CONFIG_FILE
                       Specifies the pgpool.conf file.
  -i, --input-file=INPUT-FILE
                       Specify file containing username and password pairs.
  -p, --prompt         Prompt for database password using standard input.
  -P, --prompt-for-key Prompt for encryption key using standard input.
  -m, --update-pass    Create encrypted password entry in the pool_passwd file.
  -u, --username       The username for the pool_password entry.
  -h, --help           Print this help.

`;
}
