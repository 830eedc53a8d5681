/**
 * The client's side of md5 and SCRAM-SHA-256, taken apart so that every field can be spoilt. Written for itself: a fault that
 * the fuzzer shared with pgloom would not be found.
 */
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';

export function md5Proof(password: string, user: string, salt: Buffer): string {
  const inner = createHash('md5').update(password).update(user).digest('hex');
  return `md5${createHash('md5').update(inner).update(salt).digest('hex')}`;
}

export interface ScramFirst {
  readonly mechanism: string;
  /** Channel binding flag, two commas. */
  readonly gs2: string;
  /** n=,r=… */
  readonly bare: string;
  readonly nonce: string;
}

export interface ServerFirst {
  readonly text: string;
  readonly nonce: string;
  readonly salt: string;
  readonly iterations: number;
}

/** Null when it is none: the fuzzer has asked in a way that deserved none. */
export function readServerFirst(payload: Buffer): ServerFirst | null {
  const text = payload.toString('latin1');
  const [, nonce, salt, iterations] = /^r=([^,]+),s=([^,]+),i=([0-9]+)$/.exec(text) ?? [];
  if (nonce === undefined || salt === undefined || iterations === undefined) return null;
  return { text, nonce, salt, iterations: Number(iterations) };
}

/** The three fields of client-final-message. */
export interface ScramFinal {
  readonly channel: string;
  readonly nonce: string;
  readonly proof: Buffer;
}

/** c= as it should be. @param binding of the server's certificate for -PLUS, else empty */
export function channelOf(first: ScramFirst, binding: Buffer): string {
  return Buffer.concat([Buffer.from(first.gs2, 'latin1'), binding]).toString('base64');
}

/** A proof that fits channel and nonce, be they right or wrong. */
export function scramFinal(password: string, first: ScramFirst, server: ServerFirst, channel: string, nonce: string): ScramFinal {
  const { clientKey, storedKey } = keysOf(password, server.salt, server.iterations);
  const signature = createHmac('sha256', storedKey).update(Buffer.from(`${first.bare},${server.text},c=${channel},r=${nonce}`, 'latin1')).digest();
  return { channel, nonce, proof: Buffer.from(clientKey.map((byte, at) => byte ^ (signature[at] ?? 0))) };
}

export function finalText({ channel, nonce, proof }: ScramFinal): Buffer {
  return Buffer.from(`c=${channel},r=${nonce},p=${proof.toString('base64')}`, 'latin1');
}

const keys = new Map<string, { readonly clientKey: Buffer; readonly storedKey: Buffer }>();
const mostKeys = 1000;

function keysOf(password: string, salt: string, iterations: number): { readonly clientKey: Buffer; readonly storedKey: Buffer } {
  const name = `${iterations} ${salt} ${password}`;
  let known = keys.get(name);
  if (known === undefined) {
    const salted = pbkdf2Sync(password.normalize('NFKC'), Buffer.from(salt, 'base64'), Math.min(iterations, 100_000), 32, 'sha256');
    const clientKey = createHmac('sha256', salted).update('Client Key').digest();
    known = { clientKey, storedKey: createHash('sha256').update(clientKey).digest() };
    if (keys.size >= mostKeys) keys.clear();
    keys.set(name, known);
  }
  return known;
}
