/** A login by hand: it can give an empty password, or an answer without one, and keeps what the proxy has said. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { ServerLogin } from '../../src/shared/auth/server-login.js';
import { body, int32 } from '../support/wire-fields.js';

export interface RawLogin {
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly tls: boolean;
  /** null: messages without content where a password belongs. */
  readonly password: string | null;
}

export interface RawOutcome {
  readonly loggedIn: boolean;
  /** Letters of the messages, and for `R` its number: `R10 R11 E`. */
  readonly messages: string;
  /** Of the error; '' for none. */
  readonly sqlstate: string;
  readonly message: string;
}

const protocol30 = 196_608;
const sslRequest = 80_877_103;
const limitMs = 20_000;

export interface RawSession extends RawOutcome {
  /** Says good-bye and resolves when the connection is closed. */
  end(): Promise<void>;
}

/** A login and its end. It never fails because the login does: a connection that closes without a word has no messages. */
export async function rawLogin(login: RawLogin): Promise<RawOutcome> {
  const session = await openSession(login);
  await session.end();
  return session;
}

/** A login whose session goes on until its end() is called. */
export async function openSession(login: RawLogin): Promise<RawSession> {
  const socket = await openSocket(login);
  const timer = setTimeout(() => socket.destroy(), limitMs);
  socket.write(frame('', body(int32(protocol30), 'user', login.user, 'database', login.database, Buffer.from([0]))));
  try {
    const outcome = await converse(socket, login);
    return { ...outcome, end: () => end(socket) };
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Politely, so that the link behind it stays in the pool. */
async function end(socket: Socket): Promise<void> {
  if (socket.writable) socket.end(frame('X', Buffer.alloc(0)));
  socket.resume();
  const overdue = setTimeout(() => socket.destroy(), limitMs);
  if (!socket.closed) await once(socket, 'close');
  clearTimeout(overdue);
}

async function openSocket(login: RawLogin): Promise<Socket> {
  const plain = connect({ host: '127.0.0.1', port: login.port });
  await once(plain, 'connect');
  // The proxy may reset the connection before or after its last word.
  plain.on('error', () => undefined);
  if (!login.tls) return plain;
  plain.write(frame('', int32(sslRequest)));
  const [answer] = await once(plain, 'data') as [Buffer];
  if (answer.toString('latin1') !== 'S') throw new Error(`SSLRequest is answered with ${JSON.stringify(answer.toString('latin1'))}`);
  const secure = connectTls({ socket: plain, rejectUnauthorized: false });
  await once(secure, 'secureConnect');
  secure.on('error', () => undefined);
  return secure;
}

async function converse(socket: Socket, login: RawLogin): Promise<RawOutcome> {
  const begin = (): ServerLogin => new ServerLogin(login.user, { kind: 'plain', password: login.password ?? '' });
  const seen: string[] = [];
  let prover = begin();
  for await (const { letter, payload } of messagesOf(socket)) {
    const number = letter === 'R' ? payload.readInt32BE(0) : 0;
    seen.push(letter === 'R' ? `R${number}` : letter);
    if (letter === 'E') return { loggedIn: false, messages: seen.join(' '), sqlstate: field(payload, 'C'), message: field(payload, 'M') };
    if (letter === 'Z') return { loggedIn: true, messages: seen.join(' '), sqlstate: '', message: '' };
    if (letter !== 'R') continue;
    // Pgpool-II may ask twice, once for itself and once for a pooled link; libpq answers both.
    if (number === 3 || number === 5 || number === 10) prover = begin();
    const reply = login.password === null && number !== 0 ? frame('p', Buffer.alloc(0)) : await prover.step(number, payload);
    if (reply !== null) socket.write(reply);
  }
  return { loggedIn: false, messages: seen.join(' '), sqlstate: '', message: 'closed without a word' };
}

/** Up to the end of the connection, however it ends. */
async function* messagesOf(socket: Socket): AsyncGenerator<{ letter: string; payload: Buffer }> {
  let received = Buffer.alloc(0);
  try {
    for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 5 && received.length > received.readUInt32BE(1)) {
        const end = 1 + received.readUInt32BE(1);
        yield { letter: received.toString('latin1', 0, 1), payload: received.subarray(5, end) };
        received = received.subarray(end);
      }
    }
  } catch (error) {
    if (!['ECONNRESET', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

function field(payload: Buffer, code: string): string {
  return payload.toString('utf8').split('\0').find((text) => text.startsWith(code))?.slice(1) ?? '';
}

/** A message; the first of a connection has no letter. */
function frame(letter: string, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from(letter, 'latin1'), int32(4 + payload.length), payload]);
}
