/** A client is not who it says, or cannot show it. */
import { errors, type PgError } from '../../shared/errors.js';

export class LoginRefused extends Error {
  override readonly name = 'LoginRefused';

  /**
   * @param error what the client is told
   * @param reason what the log says besides; never a secret
   * @param isFailure counts as an attempt with a wrong password, and is answered late
   */
  constructor(readonly error: PgError, readonly reason: string, readonly isFailure: boolean) {
    super(reason);
  }
}

/** Wrong password, no such user, nothing to compare with: all of them look the same to the client. */
export function passwordRefused(user: string, reason: string): LoginRefused {
  return new LoginRefused(errors.passwordFailed(user), reason, true);
}

/** What the client sent is no answer to what it was asked. */
export function answerRefused(what: string): LoginRefused {
  return new LoginRefused(errors.protocolViolation(what), what, true);
}
