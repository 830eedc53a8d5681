/** What is known of users' passwords: pool_passwd first, auth_query when that has no line. */
import { type StoredPassword, storedPassword } from '../../shared/auth/credential.js';
import { mockVerifier, saltOf, type ScramVerifier, scramVerifierOf } from '../../shared/auth/scram-verifier.js';
import type { PasswordDoubts } from '../../shared/memory/password-doubts.js';
import type { Worker } from '../worker.js';
import { AuthQuery } from './auth-query.js';

export interface Looked {
  readonly stored: StoredPassword;
  /** For messages. */
  readonly from: 'pool_passwd' | 'auth_query';
}

export class StoredPasswords {
  readonly query: AuthQuery;
  /** pool_passwd has SCRAM verifiers. */
  hasVerifiers = false;
  /** auth_query has given a password instead of a hash: its rounds take time, and for who does not exist the same has to be spent. */
  private queryGivesPasswords = false;
  /** Those of the passwords in pool_passwd, by user. */
  private verifiers = new Map<string, ScramVerifier>();

  /** @param secret makes salts, and the verifiers of users who do not exist */
  constructor(private readonly worker: Worker, private readonly secret: Uint8Array, doubts: PasswordDoubts) {
    this.query = new AuthQuery(worker, doubts);
    this.reloaded();
  }

  /** pool_passwd has been read. */
  reloaded(): void {
    this.query.forgetAll();
    this.verifiers = new Map();
    this.hasVerifiers = [...this.worker.access.passwords.values()].some((text) => text.startsWith('SCRAM-SHA-256$'));
    void this.prepare(this.verifiers);
  }

  /**
   * Makes the verifiers of all passwords, one after the other: a user whose rounds are still to be computed would be known by the
   * time that the first question takes him, for who does not exist needs none.
   */
  private async prepare(verifiers: Map<string, ScramVerifier>): Promise<void> {
    for (const [user, text] of this.worker.access.passwords) {
      if (verifiers !== this.verifiers) return;
      const stored = storedPassword(text, user);
      if (stored.kind === 'plain') await this.verifierOf(user, stored.password).catch(() => undefined);
    }
  }

  /** @throws LoginRefused when auth_query is wanted and cannot be asked */
  async find(user: string): Promise<Looked> {
    const written = this.worker.access.passwords.get(user);
    if (written === undefined && this.query.isOn) return { stored: storedPassword(await this.query.stored(user), user, 'auth_query'), from: 'auth_query' };
    return { stored: storedPassword(written, user), from: 'pool_passwd' };
  }

  /** As `find`, for a client that is to be asked then: the time until it is must not tell whose password stands where. */
  async look(user: string): Promise<Looked> {
    if (this.query.isOn && this.worker.access.passwords.has(user)) await this.query.takeItsTime(user);
    return this.find(user);
  }

  /** What a client is asked by scram-sha-256 with: for an unknown user, too, with the same salt each time. */
  async verifier(user: string, { stored, from }: Looked): Promise<ScramVerifier> {
    if (stored.kind === 'verifier') return stored.verifier;
    if (stored.kind === 'plain' && from === 'pool_passwd') return this.verifierOf(user, stored.password);
    const salt = saltOf(user, this.secret);
    if (stored.kind === 'plain') {
      this.queryGivesPasswords = true;
      return scramVerifierOf(stored.password, salt);
    }
    if (from === 'auth_query' && this.queryGivesPasswords) await scramVerifierOf('', salt);
    return mockVerifier(user, this.secret);
  }

  private async verifierOf(user: string, password: string): Promise<ScramVerifier> {
    const { verifiers } = this;
    const known = verifiers.get(user);
    if (known !== undefined) return known;
    const verifier = await scramVerifierOf(password, saltOf(user, this.secret));
    verifiers.set(user, verifier);
    return verifier;
  }
}
