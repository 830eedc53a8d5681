/** One connection of the fuzzer: writes in any pieces, and looks at every byte that comes back. */
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { pick, type Random } from '../grammar.js';
import { chance, upTo } from './mutation.js';

export interface Message {
  readonly type: string;
  readonly payload: Buffer;
}

/**
 * What comes next: `byte`, an answer to an encryption request; `messages`; `raw`, anything, for a TLS handshake is under way or
 * was meant to be.
 */
type Mode = 'byte' | 'messages' | 'raw';

/** pgloom did what it must never do. */
export class Violation extends Error {}

export type Where = { readonly port: number; readonly localAddress: string } | { readonly path: string };

/** A reply that is due comes sooner, on a machine however loaded. */
const answerLimitMs = 30_000;
const mostAnswerBytes = 100_000;
/** All that may be said to somebody who has not proved himself: R with a question, E, N and v. */
const beforeLogin = 'RENv';
const questions = [3, 5, 10, 11];

export class Peer {
  stream: Socket | TLSSocket;
  private readonly raw: Socket;
  private mode: Mode = 'messages';
  private received: Buffer = Buffer.alloc(0);
  private readonly messages: Message[] = [];
  private wake: () => void = () => undefined;
  closed = false;
  /** Set by the first thing that is wrong. */
  violation: Violation | null = null;
  /** What came, as far as it has to be the same for all, for comparing one refusal with another. */
  transcript = '';

  /** @param mayLogIn false: whatever says more than a question or an error is a violation */
  constructor(where: Where, private readonly random: Random, private readonly mayLogIn: boolean) {
    this.raw = 'path' in where ? connect(where.path) : connect({ host: '127.0.0.1', ...where, noDelay: true });
    this.stream = this.raw;
    this.listen(this.raw);
  }

  /** Resolves when connected; false when it could not be. */
  connected(): Promise<boolean> {
    return new Promise((resolve) => {
      this.stream.once('connect', () => resolve(true)).once('close', () => resolve(false));
    });
  }

  expect(mode: Mode): void {
    this.mode = mode;
  }

  /** Whole, in two pieces, in single bytes. Nothing when it is closed. */
  async write(bytes: Buffer): Promise<void> {
    const roll = this.random();
    if (roll < 0.8 || bytes.length < 2) return void this.put(bytes);
    if (roll < 0.95 || bytes.length > 300) {
      const cut = 1 + upTo(this.random, bytes.length - 1);
      this.put(bytes.subarray(0, cut));
      await (chance(this.random, 0.3) ? sleep(1) : setImmediate());
      return void this.put(bytes.subarray(cut));
    }
    for (let at = 0; at < bytes.length && !this.closed; at++) {
      this.put(bytes.subarray(at, at + 1));
      await setImmediate();
    }
  }

  /** In one piece. */
  put(bytes: Buffer): void {
    if (this.stream.writable) this.stream.write(bytes);
  }

  /** The next message; null when the connection is over. @throws Violation when none comes though one is due */
  next(): Promise<Message | null> {
    return this.within(answerLimitMs, () => this.messages.shift(), 'an answer');
  }

  /** As `next`, for when none may be due: undefined after a while. */
  async nextSoon(waitMs: number): Promise<Message | null | undefined> {
    const deadline = Date.now() + waitMs;
    while (this.messages.length === 0 && !this.closed && Date.now() < deadline) await this.somethingOr(deadline - Date.now());
    return this.messages.shift() ?? (this.closed ? null : undefined);
  }

  /** The answer to an encryption request; null when the connection is over. */
  async nextByte(): Promise<string | null> {
    const byte = await this.within(answerLimitMs, () => {
      if (this.received.length === 0) return undefined;
      const first = this.received.subarray(0, 1);
      this.received = this.received.subarray(1);
      return first.toString('latin1');
    }, 'the answer to an encryption request');
    if (byte === 'E') {
      this.received = Buffer.concat([Buffer.from('E'), this.received]);
      this.mode = 'messages';
      this.parse();
      return null;
    }
    if (byte !== null && byte !== 'N' && byte !== 'S') this.fail(`answered ${JSON.stringify(byte)} to an encryption request`);
    if (this.received.length > 0) this.fail('sent more than one byte in answer to an encryption request');
    return byte;
  }

  private async within<T>(limitMs: number, take: () => T | undefined, what: string): Promise<T | null> {
    const deadline = Date.now() + limitMs;
    for (;;) {
      if (this.violation !== null) throw this.violation;
      const taken = take();
      if (taken !== undefined) return taken;
      if (this.closed) return null;
      const leftMs = deadline - Date.now();
      if (leftMs <= 0) throw this.fail(`${what} did not come within ${limitMs} ms`);
      await this.somethingOr(leftMs);
    }
  }

  private somethingOr(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Goes on over TLS; false when the handshake fails. */
  upgrade(options: ConnectionOptions): Promise<boolean> {
    const { raw } = this;
    raw.off('data', this.heard).off('end', this.over).off('close', this.over);
    const secure = connectTls({ ...options, socket: raw, rejectUnauthorized: false });
    this.stream = secure;
    this.listen(secure);
    this.mode = 'messages';
    return new Promise((resolve) => {
      secure.once('secureConnect', () => resolve(true)).once('close', () => resolve(false)).once('error', () => resolve(false));
    });
  }

  leave(): void {
    const { stream } = this;
    if (stream.destroyed) return;
    const way = pick(this.random, ['fin', 'reset', 'destroy', 'terminate']);
    if (way === 'terminate') this.put(Buffer.from([0x58, 0, 0, 0, 4]));
    // Node 20 crashes when the socket under its TLS is reset, and loses the descriptor of one whose end has been sent.
    if (way === 'reset' && stream === this.raw && this.raw.writable && this.raw.remoteAddress !== undefined) this.raw.resetAndDestroy();
    if (way === 'fin') stream.end();
    stream.destroy();
  }

  /** For good; nothing of it is left. */
  destroy(): void {
    this.stream.destroy();
    this.raw.destroy();
  }

  private listen(stream: Socket | TLSSocket): void {
    stream.on('data', this.heard).on('error', () => undefined).on('end', this.over).on('close', this.over);
  }

  private readonly over = (): void => {
    this.closed = true;
    this.wake();
  };

  private readonly heard = (chunk: Buffer): void => {
    this.received = this.received.length === 0 ? chunk : Buffer.concat([this.received, chunk]);
    if (this.received.length > mostAnswerBytes) this.fail(`answered with more than ${mostAnswerBytes} bytes`);
    if (this.mode === 'messages') this.parse();
    // AuthenticationOk in the clear, whatever stands around it.
    if (this.mode === 'raw' && this.received.includes(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0]))) this.fail('AuthenticationOk in the middle of a handshake');
    this.wake();
  };

  private parse(): void {
    while (this.received.length >= 5) {
      const sizeBytes = this.received.readUInt32BE(1);
      if (sizeBytes < 4 || sizeBytes > mostAnswerBytes) return void this.fail(`sent a message of ${sizeBytes} bytes`);
      if (this.received.length < sizeBytes + 1) return;
      const message = { type: String.fromCharCode(this.received[0] ?? 0), payload: this.received.subarray(5, sizeBytes + 1) };
      this.received = this.received.subarray(sizeBytes + 1);
      this.check(message);
      this.messages.push(message);
    }
  }

  private check({ type, payload }: Message): void {
    const code = type === 'R' && payload.length >= 4 ? payload.readInt32BE(0) : -1;
    // The mechanisms of SASL; of the others, which are of random bytes, the sizes.
    this.transcript += type === 'R' ? `R${code}:${code === 10 ? payload.toString('latin1', 4).replaceAll('\0', ',') : payload.length} ` : `${type} `;
    if (type === 'R' && code < 0) this.fail('truncated authentication message');
    if (this.mayLogIn) return;
    if (!beforeLogin.includes(type) || (type === 'R' && !questions.includes(code))) this.fail(`let somebody in: ${this.transcript}`);
  }

  fail(what: string): Violation {
    this.violation ??= new Violation(what);
    this.stream.destroy();
    return this.violation;
  }
}
