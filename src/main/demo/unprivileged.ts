/** PostgreSQL refuses to run as root, so under root its programs get another user's identity. */
import { readFileSync } from 'node:fs';

export interface Identity {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Found in the password file of every Unix; the numbers are the usual ones where the entry is missing. */
const nobody: Identity = { name: 'nobody', uid: 65534, gid: 65534 };

/**
 * Whose identity the servers take: `undefined` (ours) unless we are root, then `postgres` if that user exists,
 * else `nobody`.
 */
export function serverIdentity(): Identity | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const entries = readPasswordFile();
  return entries.find((entry) => entry.name === 'postgres' && entry.uid !== 0)
    ?? entries.find((entry) => entry.name === 'nobody' && entry.uid !== 0)
    ?? nobody;
}

function readPasswordFile(): Identity[] {
  let text: string;
  try {
    text = readFileSync('/etc/passwd', 'utf8');
  } catch {
    return [];
  }
  return text.split('\n').map((line) => {
    const [name = '', , uid = '', gid = ''] = line.split(':');
    return { name, uid: Number.parseInt(uid, 10), gid: Number.parseInt(gid, 10) };
  }).filter((entry) => Number.isInteger(entry.uid) && Number.isInteger(entry.gid));
}

/** The part of spawn's options that gives a child this identity. */
export function spawnIdentity(identity: Identity | undefined): { uid?: number; gid?: number } {
  return identity === undefined ? {} : { uid: identity.uid, gid: identity.gid };
}
