/** What is known of users' passwords: pool_passwd first, auth_query when that has no line. */
import { createHmac } from 'node:crypto';
import { type StoredPassword, storedPassword } from '../../shared/auth/credential.js';
import { mockVerifier, saltOf, type ScramVerifier, scramVerifierOf } from '../../shared/auth/scram-verifier.js';
import type { Worker } from '../worker.js';
import { AuthQuery } from './auth-query.js';

export interface Looked {
  readonly stored: StoredPassword;
  /** For messages. */
  readonly from: 'pool_passwd' | 'auth_query';
}

export class StoredPasswords {
  readonly query: AuthQuery;

  constructor(private readonly worker: Worker, private readonly loginSecret: Uint8Array) {
    this.query = new AuthQuery(worker);
  }

  /** Makes salts and the verifiers of users who do not exist. The same after a restart when it can be. */
  private get secret(): Uint8Array {
    const { auth_password: password } = this.worker.settings;
    return password === '' ? this.loginSecret : createHmac('sha256', 'pgloom login secret').update(password).digest();
  }

  /** @throws LoginRefused when auth_query is wanted and cannot be asked */
  async look(user: string): Promise<Looked> {
    const written = this.worker.access.passwords.get(user);
    if (written !== undefined || !this.query.isOn) return { stored: storedPassword(written, user), from: 'pool_passwd' };
    return { stored: storedPassword(await this.query.stored(user), user, 'auth_query'), from: 'auth_query' };
  }

  /** What a client is asked by scram-sha-256 with: for an unknown user, too, with the same salt each time and the same work. */
  async verifier(user: string, { stored, from }: Looked): Promise<ScramVerifier> {
    const { secret } = this;
    if (stored.kind === 'plain') return scramVerifierOf(stored.password, saltOf(user, secret));
    const mock = mockVerifier(user, secret);
    // The rounds that a password in pool_passwd costs, once for each user.
    if (from === 'pool_passwd') await scramVerifierOf(mock.salt, mock.salt);
    return stored.kind === 'verifier' ? stored.verifier : mock;
  }
}
