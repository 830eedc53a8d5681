/**
 * Reads the client's answers ('p' messages) during the login, one for each time that one is wanted. What else comes waits,
 * unread, in the kernel (for some seconds, then in the link); the bytes of an answer are wiped from the link's buffer, those of a half one, too.
 */
import { errors, type PgError } from '../../shared/errors.js';
import { F } from '../../shared/protocol/letters.js';
import type { ClientLink, ClientReader } from '../session/client-link.js';
import { LoginRefused } from './login-refused.js';

/** PostgreSQL's PG_MAX_AUTH_TOKEN_LENGTH, in which the length word counts. */
const maxAnswerBytes = 65_531;
const nothing: Buffer = Buffer.alloc(0);

export class PasswordReader implements ClientReader {
  private wanted: { readonly resolve: (answer: Buffer) => void; readonly reject: (error: LoginRefused) => void } | null = null;

  /** The payload that is being read, and how much of it is still to come. */
  private answer = nothing;
  private missing = 0;
  private isClosed = false;

  /** @param ended the client has said goodbye (null), or sent what is no answer */
  constructor(private readonly client: ClientLink, private readonly ended: (error: PgError | null) => void) {}

  /** The payload of the client's next answer. @throws LoginRefused when the client goes */
  next(): Promise<Buffer> {
    if (this.isClosed) return Promise.reject(gone());
    return new Promise((resolve, reject) => {
      this.wanted = { resolve, reject };
      if (this.client.isStalled) this.client.proceed();
    });
  }

  process(data: Buffer, start: number, end: number): number {
    if (this.wanted === null) {
      this.client.stall();
      return start;
    }
    if (this.missing > 0) return this.fill(data, start, end);
    const letter = data[start];
    if (letter !== F.password) return this.end(letter === F.terminate ? null : errors.protocolViolation(`expected password response, got message type ${letter}`), end);
    if (end - start < 5) return start;
    const length = data.readInt32BE(start + 1);
    if (length < 4 || length > 4 + maxAnswerBytes) return this.end(errors.badMessageLength('p', length), end);
    this.answer = Buffer.alloc(length - 4);
    this.missing = length - 4;
    return this.fill(data, start + 5, end);
  }

  /** Moves what is there of the answer out of the link's buffer. @returns position behind it */
  private fill(data: Buffer, start: number, end: number): number {
    const next = Math.min(end, start + this.missing);
    data.copy(this.answer, this.answer.length - this.missing, start, next);
    data.fill(0, start, next);
    this.missing -= next - start;
    if (this.missing > 0) return next;
    const { wanted, answer } = this;
    this.wanted = null;
    this.answer = nothing;
    wanted?.resolve(answer);
    if (next < end) this.client.stall();
    return next;
  }

  /** The session is over: nobody waits for an answer any longer. */
  close(): void {
    this.isClosed = true;
    this.answer.fill(0);
    this.wanted?.reject(gone());
    this.wanted = null;
  }

  private end(error: PgError | null, end: number): number {
    this.ended(error);
    return end;
  }
}

function gone(): LoginRefused {
  return new LoginRefused(errors.protocolViolation('the client has gone'), 'the client has gone', false);
}
