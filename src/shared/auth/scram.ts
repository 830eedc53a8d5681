/**
 * The client of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677, RFC 5929) as PostgreSQL speaks it: empty user name
 * (the startup packet has it), nothing behind the iteration count.
 *
 *   first()     n,,n=,r=<our nonce>                     ──▶     y,,… over TLS without -PLUS, p=tls-server-end-point,,… with
 *   continue()  ◀── r=<our nonce><theirs>,s=<salt>,i=<iterations>
 *               c=biws,r=<both nonces>,p=<proof>        ──▶     c= also holds the binding
 *   verify()    ◀── v=<server signature>
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { maxIterations, scramKeys, type ScramKeys } from './scram-keys.js';

/** The server's messages are wrong, or it does not know the password. */
export class ScramError extends Error {
  constructor(message: string, readonly sqlstate = '08P01') {
    super(message);
    this.name = 'ScramError';
  }
}

/** Fixed nonce and user name, for the vector of RFC 7677. */
export interface ScramOptions {
  readonly nonce?: string;
  readonly user?: string;
  /** -PLUS with this binding; 'unused': we could bind, but the server does not offer it; none without TLS. */
  readonly binding?: ChannelBinding | 'unused' | null;
}

/** tls-server-end-point of RFC 5929: the hash of the certificate of the TLS server. */
export interface ChannelBinding {
  readonly data: Buffer;
}

/** A password, or the keys made of it with this salt and so many rounds. */
export type ScramSecret =
  | { readonly password: string }
  | { readonly keys: ScramKeys; readonly salt: string; readonly iterations: number };

/** What begins client-first-message, and is repeated in c=. */
export function gs2Header(binding: ChannelBinding | 'unused' | null): string {
  if (binding === 'unused') return 'y,,';
  return binding === null ? 'n,,' : 'p=tls-server-end-point,,';
}

/** Base64 with its padding, possibly empty. */
export const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
/** r=, printable ASCII without a comma; s=, base64; i=, a number. */
const serverFirst = /^r=([\x21-\x2b\x2d-\x7e]+),s=([A-Za-z0-9+/=]+),i=([1-9][0-9]{0,9})$/;

export class ScramClient {
  private readonly nonce: string;
  private readonly firstBare: string;
  private serverSignature: Buffer | null = null;
  private readonly binding: ChannelBinding | 'unused' | null;

  constructor(private readonly secret: ScramSecret, options: ScramOptions = {}) {
    this.binding = options.binding ?? null;
    this.nonce = options.nonce ?? randomBytes(18).toString('base64');
    this.firstBare = `n=${options.user ?? ''},r=${this.nonce}`;
  }

  /** client-first-message */
  first(): Buffer {
    return Buffer.from(gs2Header(this.binding) + this.firstBare);
  }

  /**
   * client-final-message. A promise when the rounds have to be computed (on libuv's threads, not on this one).
   * @throws ScramError for anything but a well-formed server-first-message that goes on from our nonce
   */
  continue(serverFirstMessage: Buffer): Promise<Buffer> | Buffer {
    const text = serverFirstMessage.toString('latin1');
    if (text.startsWith('m=')) throw new ScramError('server asks for an unknown SCRAM extension');
    const match = serverFirst.exec(text);
    const [, nonce, salt, rounds] = match ?? [];
    if (nonce === undefined || salt === undefined || rounds === undefined || !base64.test(salt)) {
      throw new ScramError('malformed SCRAM message from the server');
    }
    if (!nonce.startsWith(this.nonce) || nonce.length === this.nonce.length) throw new ScramError('server did not extend our SCRAM nonce');
    const iterations = Number(rounds);
    if (iterations > maxIterations) throw new ScramError(`server asks for ${iterations} SCRAM iterations, more than ${maxIterations}`);
    const keys = this.keys(salt, iterations);
    return keys instanceof Promise ? keys.then(k => this.final(k, text, nonce)) : this.final(keys, text, nonce);
  }

  /** @throws ScramError when we have keys, but of another verifier */
  private keys(salt: string, iterations: number): Promise<ScramKeys> | ScramKeys {
    const { secret } = this;
    if ('password' in secret) return scramKeys(secret.password, salt, iterations);
    if (secret.salt === salt && secret.iterations === iterations) return secret.keys;
    throw new ScramError('server has another SCRAM-SHA-256 verifier than the one the client has proved itself with', '28P01');
  }

  private final(keys: ScramKeys, serverFirstText: string, nonce: string): Buffer {
    const header = Buffer.from(gs2Header(this.binding));
    const bound = this.binding === null || this.binding === 'unused' ? header : Buffer.concat([header, this.binding.data]);
    const withoutProof = `c=${bound.toString('base64')},r=${nonce}`;
    const authMessage = Buffer.from(`${this.firstBare},${serverFirstText},${withoutProof}`, 'latin1');
    this.serverSignature = hmac(keys.serverKey, authMessage);
    const storedKey = createHash('sha256').update(keys.clientKey).digest();
    const proof = hmac(storedKey, authMessage);
    for (let i = 0; i < proof.length; i++) proof[i] = (proof[i] ?? 0) ^ (keys.clientKey[i] ?? 0);
    return Buffer.from(`${withoutProof},p=${proof.toString('base64')}`);
  }

  /**
   * Checks that the server knows the password too.
   * @throws ScramError when it does not, when it reports an error, or when nothing was asked yet
   */
  verify(serverFinalMessage: Buffer): void {
    const expected = this.serverSignature;
    if (expected === null) throw new ScramError('server ends SCRAM before it began');
    const text = serverFinalMessage.toString('latin1');
    // The reason is the server's own word; keep it out of our logs but for plain letters.
    if (text.startsWith('e=')) throw new ScramError(`server reports a SCRAM error: ${text.slice(2, 66).replaceAll(/[^a-z-]/g, '?')}`, '28P01');
    const encoded = text.slice(2);
    if (!text.startsWith('v=') || !base64.test(encoded)) throw new ScramError('malformed SCRAM message from the server');
    const signature = Buffer.from(encoded, 'base64');
    if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) {
      throw new ScramError('wrong SCRAM signature: the server does not know the password', '28P01');
    }
    this.serverSignature = null;
  }
}

/** HMAC-SHA-256. */
export function hmac(key: Uint8Array, data: Uint8Array): Buffer {
  return createHmac('sha256', key).update(data).digest();
}
