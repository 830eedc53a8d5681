/** A login by hand: it can give an empty password, or an answer without one, and keeps what the proxy has said. */
import { ServerLogin } from '../../src/shared/auth/server-login.js';
import { message } from '../protocol/messages.js';
import { WireClient } from '../support/wire.js';
import { errorFields } from '../support/wire-fields.js';
import { encryptedClient } from '../tls/fixture.js';

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
  const { port, user, database, tls } = login;
  const client = tls ? new WireClient(await encryptedClient({ host: '127.0.0.1', port }), limitMs) : await WireClient.connect(port, limitMs);
  try {
    client.startup({ user, database });
    return { ...await converse(client, login), end: () => end(client) };
  } catch (error) {
    client.destroy();
    throw error;
  }
}

/** Politely, so that the link behind it stays in the pool. */
async function end(client: WireClient): Promise<void> {
  client.end();
  await client.expectClose();
}

async function converse(client: WireClient, { user, password }: RawLogin): Promise<RawOutcome> {
  const begin = (): ServerLogin => new ServerLogin(user, { kind: 'plain', password: password ?? '' });
  const seen: string[] = [];
  const outcome = (loggedIn: boolean, sqlstate = '', text = ''): RawOutcome => ({ loggedIn, messages: seen.join(' '), sqlstate, message: text });
  let prover = begin();
  for (let heard = await client.nextMessage(); heard !== null; heard = await client.nextMessage()) {
    const { type, payload } = heard;
    const number = type === 'R' ? payload.readInt32BE(0) : 0;
    seen.push(type === 'R' ? `R${number}` : type);
    if (type === 'Z') return outcome(true);
    if (type === 'E') {
      const { C, M } = errorFields(heard);
      return outcome(false, C, M);
    }
    if (type !== 'R') continue;
    // Pgpool-II may ask twice, once for itself and once for a pooled link; libpq answers both.
    if (number === 3 || number === 5 || number === 10) prover = begin();
    const reply = password === null && number !== 0 ? message('p') : await prover.step(number, payload);
    if (reply !== null) client.write(reply);
  }
  return outcome(false, '', 'closed without a word');
}
