/**
 * ClientKey and ServerKey of SCRAM-SHA-256, remembered: 4096 rounds of PBKDF2 cost about a millisecond of a processor,
 * and a server sends one user the same salt every time. Each thread has its own memory of them.
 */
import { createHmac, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { Turns } from '../turns.js';
import { saslPrep } from './saslprep.js';

export interface ScramKeys {
  readonly clientKey: Buffer;
  readonly serverKey: Buffer;
}

/**
 * A server, or a stored verifier, may ask for so many rounds and no more: they take a quarter of a second. Any role can give
 * itself a verifier with more.
 */
export const maxIterations = 1_000_000;
/** Of the four threads that libuv has for all of the process's workers, some stay free. */
const mostAtOnce = 2;
/** Users that log in again and again; an entry is some 300 bytes. */
const cacheSize = 1000;
/** So that no password stands in the memory's keys. */
const cacheSecret = randomBytes(32);
const rounds = promisify(pbkdf2);
/** Least recently used first. A promise while the rounds are being computed, so that they are computed once. */
const cache = new Map<string, Promise<ScramKeys> | ScramKeys>();

/** @param salt base64, as the server wrote it */
export function scramKeys(password: string, salt: string, iterations: number): Promise<ScramKeys> | ScramKeys {
  const key = createHmac('sha256', cacheSecret).update(`${iterations} ${salt} `).update(password).digest('base64');
  const known = cache.get(key);
  if (known !== undefined) {
    cache.delete(key);
    cache.set(key, known);
    return known;
  }
  const computed = compute(password, Buffer.from(salt, 'base64'), iterations).then(
    keys => {
      if (cache.get(key) === computed) cache.set(key, keys);
      return keys;
    },
    (error: unknown) => {
      cache.delete(key);
      throw error;
    },
  );
  cache.set(key, computed);
  if (cache.size > cacheSize) {
    const [oldest] = cache.keys();
    if (oldest !== undefined) cache.delete(oldest);
  }
  return computed;
}

/** Forgets all, after pool_passwd was read again. */
export function forgetScramKeys(): void {
  cache.clear();
}

/** Entries held now, at most 1000. */
export function scramKeyCount(): number {
  return cache.size;
}

const turns = new Turns(mostAtOnce);

async function compute(password: string, salt: Buffer, iterations: number): Promise<ScramKeys> {
  const saltedPassword = await turns.take(() => rounds(saslPrep(password), salt, iterations, 32, 'sha256'));
  return {
    clientKey: createHmac('sha256', saltedPassword).update('Client Key').digest(),
    serverKey: createHmac('sha256', saltedPassword).update('Server Key').digest(),
  };
}
