/**
 * Asking the client for its password in the three ways of the protocol. Each throws LoginRefused.
 *
 *   clear text   R 3              ──▶   ◀── p password
 *   md5          R 5 salt         ──▶   ◀── p md5(md5(password + user) + salt)
 *   SCRAM        R 10 mechanisms  ──▶   ◀── p mechanism, client-first
 *                R 11 server-first──▶   ◀── p client-final
 *                R 12 server-final──▶
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { md5Answer } from '../../shared/auth/md5.js';
import { type ScramProof, ScramServer } from '../../shared/auth/scram-server.js';
import type { ScramVerifier } from '../../shared/auth/scram-verifier.js';
import { type ChannelBinding, ScramError } from '../../shared/auth/scram.js';
import { AuthenticationType } from '../../shared/auth/server-login.js';
import { errors } from '../../shared/errors.js';
import { B } from '../../shared/protocol/letters.js';
import { int32, message } from '../../shared/protocol/writer.js';
import { answerRefused, LoginRefused, passwordRefused } from './login-refused.js';

/** The client's side of the conversation. */
export interface Asking {
  readonly user: string;
  send(bytes: Buffer): void;
  /** The payload of the client's answer. @param isLast the verdict depends on it alone */
  next(isLast: boolean): Promise<Buffer>;
}

function request(type: number, ...parts: readonly (Uint8Array | string)[]): Buffer {
  return message(B.authentication, int32(type), ...parts);
}

/** @returns the password as the client has typed it, not empty */
export async function askClearText(asking: Asking): Promise<string> {
  asking.send(request(AuthenticationType.cleartextPassword));
  const password = textOf(await asking.next(true));
  if (password === '') throw passwordRefused(asking.user, 'the client sent an empty password');
  return password;
}

/** @param hash 'md5' and 32 digits; null: whatever the client answers is wrong, and `why` says so in the log */
export async function askMd5(asking: Asking, hash: string | null, why: string): Promise<void> {
  const salt = randomBytes(4);
  asking.send(request(AuthenticationType.md5Password, salt));
  const answer = Buffer.from(textOf(await asking.next(true)));
  const expected = Buffer.from(md5Answer(hash ?? `md5${randomBytes(16).toString('hex')}`, salt));
  const isSame = answer.length === expected.length && timingSafeEqual(answer, expected);
  if (!isSame || hash === null) throw passwordRefused(asking.user, hash === null ? why : 'wrong password (md5)');
}

/** @param why as askMd5, when the verifier is one that nothing matches; null when it is real */
export async function askScram(asking: Asking, verifier: ScramVerifier, binding: ChannelBinding | null, why: string | null): Promise<ScramProof> {
  const server = new ScramServer(verifier, binding);
  asking.send(request(AuthenticationType.sasl, ...server.mechanisms, ''));
  try {
    const { mechanism, data } = initialResponse(await asking.next(false));
    asking.send(request(AuthenticationType.saslContinue, server.first(mechanism, data)));
    const proof = server.final(await asking.next(true));
    if (proof === null || why !== null) throw passwordRefused(asking.user, why ?? 'wrong password (scram-sha-256)');
    asking.send(request(AuthenticationType.saslFinal, proof.answer));
    return proof;
  } catch (error) {
    if (!(error instanceof ScramError)) throw error;
    // The texts are our own; what the client sent is not repeated.
    const { sqlstate, message: text } = error;
    throw new LoginRefused(sqlstate === '28000' ? errors.scramFailed(text) : errors.protocolViolation(text), text, true);
  }
}

/** A text that ends with the only NUL. */
function textOf(answer: Buffer): string {
  const end = answer.indexOf(0);
  if (end !== answer.length - 1) throw answerRefused('invalid password packet size');
  const text = answer.toString('utf8', 0, end);
  answer.fill(0);
  return text;
}

/** Name of the mechanism, NUL, int32 length, so many bytes, and nothing more; a client may leave its data for later (-1). */
function initialResponse(answer: Buffer): { mechanism: string; data: Buffer } {
  const nameEnd = answer.indexOf(0);
  if (nameEnd < 0 || answer.length < nameEnd + 5) throw answerRefused('malformed SASLInitialResponse message');
  const length = answer.readInt32BE(nameEnd + 1);
  if (length < 0) throw answerRefused('SASLInitialResponse message without data');
  if (answer.length !== nameEnd + 5 + length) throw answerRefused('malformed SASLInitialResponse message');
  return { mechanism: answer.toString('latin1', 0, nameEnd), data: answer.subarray(nameEnd + 5) };
}
