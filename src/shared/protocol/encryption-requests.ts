/** What a client may ask about encryption ahead of its startup packet, and what would be an attack or nonsense. */
import { errors, type PgError } from '../errors.js';

/** One for TLS and one for GSSAPI. */
const most = 2;

export class EncryptionRequests {
  private times = 0;
  private isEncrypted = false;

  /**
   * The client asks. @returns null when it is to be answered
   * @param isFollowed bytes came along that it cannot have sent behind our answer: an attempt to slip them past TLS
   */
  refusal(isFollowed: boolean): PgError | null {
    if (this.isEncrypted) return errors.protocolViolation('encryption request inside of an encrypted connection');
    if (++this.times > most) return errors.protocolViolation('too many encryption requests');
    return isFollowed ? errors.protocolViolation('received unencrypted data after an encryption request') : null;
  }

  /** Direct TLS may begin: nothing has been asked, and this is not inside TLS. */
  get isFirst(): boolean {
    return !this.isEncrypted && this.times === 0;
  }

  /** What is read from here on is inside TLS. */
  encrypted(): void {
    this.isEncrypted = true;
  }
}
