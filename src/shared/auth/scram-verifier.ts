/**
 * What a server keeps to check SCRAM-SHA-256 with: `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`, all but the
 * number in base64 (pg_authid.rolpassword). It proves nothing to a server by itself: ClientKey is not in it.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { maxIterations, scramKeys } from './scram-keys.js';

export interface ScramVerifier {
  readonly iterations: number;
  /** base64, as written. */
  readonly salt: string;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

/** Rounds of a verifier that pgloom makes from a password; PostgreSQL's scram_iterations is the same. */
export const ownIterations = 4096;
/** RFC 5802 asks for no more; PostgreSQL's salts are as long. */
const saltBytes = 16;

const form = /^SCRAM-SHA-256\$([1-9][0-9]{0,9}):([A-Za-z0-9+/]+={0,2})\$([A-Za-z0-9+/]{43}=):([A-Za-z0-9+/]{43}=)$/;

/** @returns null when the text is no verifier, or one that takes too long */
export function parseScramVerifier(text: string): ScramVerifier | null {
  const [, iterations, salt, storedKey, serverKey] = form.exec(text) ?? [];
  if (iterations === undefined || salt === undefined || storedKey === undefined || serverKey === undefined || Number(iterations) > maxIterations) return null;
  return { iterations: Number(iterations), salt, storedKey: Buffer.from(storedKey, 'base64'), serverKey: Buffer.from(serverKey, 'base64') };
}

/**
 * A salt that belongs to the user for as long as the secret lives, whether or not there is such a user: who asks twice learns
 * nothing from it.
 */
export function saltOf(user: string, secret: Uint8Array): string {
  return createHmac('sha256', secret).update('salt').update(user).digest().subarray(0, saltBytes).toString('base64');
}

/** The verifier of a password that is known. */
export async function scramVerifierOf(password: string, salt: string, iterations = ownIterations): Promise<ScramVerifier> {
  const { clientKey, serverKey } = await scramKeys(password, salt, iterations);
  return { iterations, salt, storedKey: createHash('sha256').update(clientKey).digest(), serverKey };
}

/** A verifier that no password matches, for a user who has none: it looks like any other. */
export function mockVerifier(user: string, secret: Uint8Array): ScramVerifier {
  const key = (what: string): Buffer => createHmac('sha256', secret).update(what).update(user).digest();
  return { iterations: ownIterations, salt: saltOf(user, secret), storedKey: key('StoredKey'), serverKey: key('ServerKey') };
}

/** Whether the password is the one that the verifier was made of. */
export async function matchesVerifier(password: string, verifier: ScramVerifier): Promise<boolean> {
  const { storedKey } = await scramVerifierOf(password, verifier.salt, verifier.iterations);
  return timingSafeEqual(storedKey, verifier.storedKey);
}
