/** The login (reference/wire.md section 4). */
import { md5Answer, md5Hash, pcpMd5 } from '../../../../shared/auth/md5.js';
import { malformed, PcpFailure } from '../failure.js';
import type { PcpConnection } from './connection.js';

const saltBytes = 4;
/** Pgpool-II's buffer for names holds 128 bytes with the NUL. */
const maxUserBytes = 127;

/** Logs in. @throws PcpFailure of kind `connection`, also when the reply is wrong */
export async function logIn(connection: PcpConnection, user: string, password: string): Promise<void> {
  if (Buffer.byteLength(user) > maxUserBytes) throw new PcpFailure('connection', 'ERROR: PCP authorization failed. username too long.');
  if (user.includes('\0')) throw new PcpFailure('connection', 'ERROR: PCP authorization failed. invalid username.');
  try {
    connection.sendQuietly('M');
    const salt = (await connection.read('m')).payload;
    if (salt.length !== saltBytes) throw malformed(`a salt of ${salt.length} bytes`);
    connection.sendQuietly('R', Buffer.from(`${user}\0${saltedPassword(password, user, salt)}\0`, 'utf8'));
    const { payload } = await connection.read('r');
    const answer = payload.toString('utf8').split('\0')[0] ?? '';
    if (answer !== 'AuthenticationOK') throw new PcpFailure('connection', `ERROR: authentication failed. reason="${answer}"`);
  } catch (error) {
    if (error instanceof PcpFailure && error.kind === 'command') throw new PcpFailure('connection', error.message, error.serverError);
    throw error;
  }
}

/** pcp.conf keeps md5(password); that takes the place of the password in PostgreSQL's md5 method, without the prefix. */
function saltedPassword(password: string, user: string, salt: Uint8Array): string {
  const stored = pcpMd5(password);
  return md5Answer(md5Hash(stored, user), salt).slice('md5'.length);
}
