/** User and password of an HTTP client, held against pcp.conf by the same code as PCP's own logins. */
import { pcpMd5 } from '../../shared/auth/md5.js';
import { setTimeout as sleep } from 'node:timers/promises';
import { AdministrationError } from '../administration.js';
import { authenticate, expectedAnswer, newSalt } from '../pcp/authentication.js';
import type { Logger } from '../../shared/logger.js';
import { FailureDelays } from '../pcp/failure-delays.js';

export class HttpCredentials {
  private readonly delays = new FailureDelays();

  constructor(private readonly pcpFile: string) {}

  /**
   * Resolves when they are right.
   * @param address of the client, '' for a Unix socket: after a failure its next check, right or wrong, waits (FailureDelays)
   * @throws AdministrationError, after the delay of a failure
   */
  async check(user: string, password: string, address: string): Promise<void> {
    await this.delays.attempt({
      address,
      login: () => login(user, password, this.pcpFile),
      pause: async (waitMs) => { await sleep(waitMs, undefined, { ref: false }); },
    });
  }

  /** Whether a failure is to be logged; many from one address are one line. */
  tells(address: string, log: Logger): boolean {
    return this.delays.tells(address, log);
  }
}

async function login(user: string, password: string, pcpFile: string): Promise<void> {
  if (user.includes('\0')) throw new AdministrationError('authentication failed', 'username and/or password does not match', 'FATAL');
  const salt = newSalt();
  const name = Buffer.from(user, 'utf8');
  const stored = pcpMd5(password);
  const answer = expectedAnswer(stored, name.toString('latin1'), salt);
  await authenticate(Buffer.concat([name, Buffer.from(`\0${answer}\0`, 'latin1')]), salt, pcpFile);
}

/** Of `Authorization: Basic …`; null when it is something else. */
export function basicCredentials(header: string | undefined): { readonly user: string; readonly password: string } | null {
  const encoded = /^Basic ([A-Za-z0-9+/]+=*)$/i.exec(header ?? '')?.[1];
  if (encoded === undefined) return null;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? null : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}
