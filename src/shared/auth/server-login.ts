/**
 * Our side of the login at a PostgreSQL server: one Authentication message in, at most one answer out.
 *
 *   start ──AuthenticationOk──────────────────────────────────▶ done      (trust, cert, …)
 *   start ──CleartextPassword / MD5Password──▶ answered ──Ok──▶ done
 *   start ──SASL──▶ saslBegun ──SASLContinue──▶ saslProved ──SASLFinal──▶ answered ──Ok──▶ done
 *
 * Anything else is refused. An Ok in the middle of SASL above all: the server would skip proving that it knows the
 * password too, which is half of what SCRAM is for.
 */
import { PgError } from '../errors.js';
import type { Credential } from './credential.js';
import { md5Answer, md5Hash } from './md5.js';
import { plainMechanism, plusMechanism } from './scram-server.js';
import { type ChannelBinding, ScramClient, ScramError, type ScramSecret } from './scram.js';

/** The Int32 that begins an 'R' message. */
export const AuthenticationType = {
  ok: 0, kerberosV5: 2, cleartextPassword: 3, scmCredential: 6, md5Password: 5, gss: 7, gssContinue: 8, sspi: 9,
  sasl: 10, saslContinue: 11, saslFinal: 12,
} as const;

const methodNames: Readonly<Record<number, string>> = {
  2: 'Kerberos V5', 6: 'SCM credentials', 7: 'GSSAPI', 8: 'GSSAPI', 9: 'SSPI',
};

/** The login at a server failed on our side. The text names no secret. */
export class LoginError extends PgError {
  constructor(sqlstate: string, message: string) {
    super('FATAL', sqlstate, message);
    this.name = 'LoginError';
  }
}

/** What a server asks for. */
export type ServerMethod = 'trust' | 'password' | 'md5' | 'scram-sha-256';

/** The method that an Authentication message begins; null for one that pgloom does not know. */
export function methodOf(authType: number): ServerMethod | null {
  switch (authType) {
    case AuthenticationType.ok: return 'trust';
    case AuthenticationType.cleartextPassword: return 'password';
    case AuthenticationType.md5Password: return 'md5';
    case AuthenticationType.sasl: return 'scram-sha-256';
    default: return null;
  }
}

type State = 'start' | 'answered' | 'saslBegun' | 'saslProved' | 'done';

export class ServerLogin {
  private state: State = 'start';
  private scram: ScramClient | null = null;
  /** What the server has asked for; null before. */
  method: ServerMethod | null = null;

  /** @param binding of the server's certificate; null without TLS */
  constructor(private readonly user: string, private readonly credential: Credential, private readonly binding: ChannelBinding | null = null) {}

  /** AuthenticationOk was accepted. */
  get done(): boolean {
    return this.state === 'done';
  }

  /**
   * Takes one Authentication message.
   * @param authType the Int32 the message begins with
   * @param payload everything after the length word, that Int32 included
   * @returns the complete message to send, or null when there is nothing to send
   * @throws LoginError (or rejects with it); the link is of no use after that
   */
  step(authType: number, payload: Buffer): Promise<Buffer | null> | Buffer | null {
    if (payload.length < 4 || payload.readInt32BE(0) !== authType) throw violation('truncated authentication request');
    const data = payload.subarray(4);
    this.method ??= methodOf(authType);
    switch (authType) {
      case AuthenticationType.ok: return this.accept();
      case AuthenticationType.cleartextPassword: return this.cleartext();
      case AuthenticationType.md5Password: return this.md5(data);
      case AuthenticationType.sasl: return this.sasl(data);
      case AuthenticationType.saslContinue: return this.saslContinue(data);
      case AuthenticationType.saslFinal: return this.saslFinal(data);
      default: {
        const name = methodNames[authType];
        throw new LoginError('0A000', name === undefined
          ? `server asked for unknown authentication method ${authType}`
          : `server asked for ${name} authentication, which is not supported`);
      }
    }
  }

  private accept(): null {
    if (this.state === 'saslBegun' || this.state === 'saslProved') {
      throw violation('server ended SCRAM authentication without proving that it knows the password');
    }
    if (this.state === 'done') throw violation('second AuthenticationOk');
    this.state = 'done';
    return null;
  }

  private cleartext(): Buffer {
    this.begin('answered');
    const { credential } = this;
    if (credential.kind !== 'plain') throw this.lacking('password');
    return passwordMessage(Buffer.from(`${credential.password}\0`));
  }

  private md5(salt: Buffer): Buffer {
    this.begin('answered');
    if (salt.length !== 4) throw violation('md5 authentication request without a salt of 4 bytes');
    const { credential } = this;
    if (credential.kind === 'plain') return passwordMessage(Buffer.from(`${md5Answer(md5Hash(credential.password, this.user), salt)}\0`));
    if (credential.kind === 'md5') return passwordMessage(Buffer.from(`${md5Answer(credential.hash, salt)}\0`));
    throw this.lacking('md5');
  }

  private sasl(data: Buffer): Buffer {
    this.begin('saslBegun');
    // Names, each with its NUL, and an empty name at the end.
    const mechanisms = data.toString('latin1').split('\0');
    if (!data.subarray(-2).equals(Buffer.alloc(2))) throw violation('SASL mechanism list without its end');
    const isBound = this.binding !== null && mechanisms.includes(plusMechanism);
    if (!isBound && !mechanisms.includes(plainMechanism)) {
      throw new LoginError('0A000', 'server offers no SASL mechanism that is supported (SCRAM-SHA-256)');
    }
    this.scram = new ScramClient(this.scramSecret(), { binding: isBound || this.binding === null ? this.binding : 'unused' });
    const first = this.scram.first();
    const length = Buffer.alloc(4);
    length.writeInt32BE(first.length);
    return passwordMessage(Buffer.concat([Buffer.from(`${isBound ? plusMechanism : plainMechanism}\0`), length, first]));
  }

  private saslContinue(data: Buffer): Promise<Buffer> | Buffer {
    const scram = this.scram;
    if (scram === null || this.state !== 'saslBegun') throw violation('SASLContinue out of turn');
    this.state = 'saslProved';
    const answer = guarded(() => scram.continue(data));
    return answer instanceof Promise ? answer.then(passwordMessage, rethrow) : passwordMessage(answer);
  }

  private saslFinal(data: Buffer): null {
    const scram = this.scram;
    if (scram === null || this.state !== 'saslProved') throw violation('SASLFinal out of turn');
    guarded(() => scram.verify(data));
    this.state = 'answered';
    return null;
  }

  /** A server asks once; a second question would be a try for a weaker method. */
  private begin(next: State): void {
    if (this.state !== 'start') throw violation('second authentication request');
    this.state = next;
  }

  private scramSecret(): ScramSecret {
    const { credential } = this;
    if (credential.kind === 'plain' || credential.kind === 'scram') return credential;
    throw this.lacking('scram-sha-256');
  }

  /** What has to be where for the server's method to be answered. */
  private lacking(method: ServerMethod): LoginError {
    const { credential, user } = this;
    const asked = `the server asks for ${method} authentication of user "${user}"`;
    if (credential.kind === 'none') return new LoginError('28P01', `${asked}, and ${credential.why}`);
    if (credential.kind === 'plain') return new LoginError('XX000', asked);
    const has = credential.kind === 'md5' ? 'only an md5 hash of the password' : 'only a SCRAM-SHA-256 verifier';
    return new LoginError('28P01', `${asked}, and ${credential.from} has ${has}: the password itself is needed (TEXT or AES in pool_passwd)`);
  }
}

function violation(what: string): LoginError {
  return new LoginError('08P01', `protocol violation during authentication at the server: ${what}`);
}

function rethrow(error: unknown): never {
  throw error instanceof ScramError ? new LoginError(error.sqlstate, error.message) : error;
}

function guarded<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    return rethrow(error);
  }
}

/** 'p', length, body. */
function passwordMessage(body: Buffer): Buffer {
  const message = Buffer.allocUnsafe(5 + body.length);
  message[0] = 0x70;
  message.writeInt32BE(4 + body.length, 1);
  body.copy(message, 5);
  return message;
}
