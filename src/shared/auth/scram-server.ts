/**
 * The server of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677), towards clients, by the rules of PostgreSQL's
 * auth-scram.c.
 *
 *   first()   ◀── n,,n=…,r=<client's nonce>
 *             r=<both nonces>,s=<salt>,i=<iterations>   ──▶
 *   final()   ◀── c=…,r=<both nonces>,p=<proof>
 *             v=<server signature>                      ──▶
 *
 * The proof shows the client's ClientKey: with it pgloom can log in at a server that has the same verifier.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { ScramKeys } from './scram-keys.js';
import type { ScramVerifier } from './scram-verifier.js';
import { base64, type ChannelBinding, gs2Header, hmac, ScramError } from './scram.js';

export const plainMechanism = 'SCRAM-SHA-256';
export const plusMechanism = 'SCRAM-SHA-256-PLUS';

/** gs2 flag with its binding type, no authzid; user name (the startup packet's counts); nonce; extensions are passed over. */
const clientFirst = /^(n|y|p=[A-Za-z0-9.-]+),(a=[^,]*)?,(n=[^,]*,r=([\x21-\x2b\x2d-\x7e]+)(?:,.*)?)$/;
const clientFinal = /^(c=([A-Za-z0-9+/=]*),r=([\x21-\x2b\x2d-\x7e]+)(?:,.*)?),p=([A-Za-z0-9+/=]+)$/;

/** What a client that knows the password has shown. */
export interface ScramProof {
  /** server-final-message */
  readonly answer: Buffer;
  readonly keys: ScramKeys;
}

export class ScramServer {
  private header = '';
  private isBound = false;
  private firstBare = '';
  private serverFirst = '';
  private nonce = '';

  /** @param binding of our TLS certificate; null without TLS, or when it has none */
  constructor(
    private readonly verifier: ScramVerifier,
    private readonly binding: ChannelBinding | null,
    private readonly ownNonce: string = randomBytes(18).toString('base64'),
  ) {}

  /** Names for AuthenticationSASL, the best first. */
  get mechanisms(): readonly string[] {
    return this.binding === null ? [plainMechanism] : [plusMechanism, plainMechanism];
  }

  /**
   * @returns server-first-message
   * @throws ScramError
   */
  first(mechanism: string, message: Buffer): Buffer {
    if (!this.mechanisms.includes(mechanism)) throw new ScramError('client selected an invalid SASL authentication mechanism');
    const [, flag, authzid, bare, nonce] = clientFirst.exec(message.toString('latin1')) ?? [];
    if (flag === undefined || bare === undefined || nonce === undefined) throw malformed();
    if (authzid !== undefined) throw new ScramError('client uses authorization identity, but it is not supported', '0A000');
    if (bare.startsWith('m=')) throw new ScramError('client requires an unsupported SCRAM extension', '0A000');
    this.checkFlag(flag, mechanism);
    this.header = `${flag},,`;
    this.firstBare = bare;
    this.nonce = nonce + this.ownNonce;
    this.serverFirst = `r=${this.nonce},s=${this.verifier.salt},i=${this.verifier.iterations}`;
    return Buffer.from(this.serverFirst, 'latin1');
  }

  private checkFlag(flag: string, mechanism: string): void {
    if (mechanism === plusMechanism) {
      if (flag === 'n' || flag === 'y') throw malformed('the client selected SCRAM-SHA-256-PLUS, but its message does not include channel binding data');
      if (`${flag},,` !== gs2Header({ data: Buffer.alloc(0) })) throw new ScramError('unsupported SCRAM channel-binding type');
      this.isBound = true;
      return;
    }
    if (flag.startsWith('p')) throw malformed('the client selected SCRAM-SHA-256 without channel binding, but its message includes channel binding data');
    // Whoever removed -PLUS from our list is found out here.
    if (flag === 'y' && this.binding !== null) {
      throw new ScramError('SCRAM channel binding negotiation error: the client supports it but thinks that the server does not', '28000');
    }
  }

  /**
   * @returns null when the proof is wrong
   * @throws ScramError for a message that is no SCRAM, or belongs to another exchange or another TLS connection
   */
  final(message: Buffer): ScramProof | null {
    const [, withoutProof, channel, nonce, encodedProof] = clientFinal.exec(message.toString('latin1')) ?? [];
    if (withoutProof === undefined || channel === undefined || nonce === undefined || encodedProof === undefined) throw malformed();
    if (!base64.test(channel) || !base64.test(encodedProof)) throw malformed();
    if (!same(Buffer.from(channel, 'base64'), this.bound())) throw new ScramError('SCRAM channel binding check failed', '28000');
    if (!same(Buffer.from(nonce, 'latin1'), Buffer.from(this.nonce, 'latin1'))) throw malformed('nonce does not match');
    const proof = Buffer.from(encodedProof, 'base64');
    const { storedKey, serverKey } = this.verifier;
    if (proof.length !== storedKey.length) throw malformed();
    const authMessage = Buffer.from(`${this.firstBare},${this.serverFirst},${withoutProof}`, 'latin1');
    const signature = hmac(storedKey, authMessage);
    const clientKey = Buffer.from(proof.map((byte, at) => byte ^ (signature[at] ?? 0)));
    if (!timingSafeEqual(createHash('sha256').update(clientKey).digest(), storedKey)) return null;
    return { answer: Buffer.from(`v=${hmac(serverKey, authMessage).toString('base64')}`), keys: { clientKey, serverKey } };
  }

  /** What c= has to be. */
  private bound(): Buffer {
    const header = Buffer.from(this.header);
    return this.isBound && this.binding !== null ? Buffer.concat([header, this.binding.data]) : header;
  }
}

function same(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

function malformed(detail?: string): ScramError {
  return new ScramError(detail === undefined ? 'malformed SCRAM message' : `malformed SCRAM message: ${detail}`);
}
