/** One client of pgloom whose every answer is looked at. */
import { firstError, rowsOf } from '../../test/support/wire-fields.js';
import { WireClient, type WireMessage } from '../../test/support/wire.js';
import { bind, execute, parse, sync } from '../../test/protocol/messages.js';
import type { Ledger } from './ledger.js';

export type Rows = (string | null)[][];

/** Stands between the server's rows and the checks, for the test that the checks would notice. */
export type Tamper = (rows: Rows) => Rows;

export interface Login {
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly applicationName: string;
}

/** Not an answer that was asked for. */
export class SessionError extends Error {
  constructor(readonly sqlState: string, message: string) {
    super(message);
  }
}

/** An answer that does not come within this time is an error. */
const answerLimitMs = 60_000;

export class Session {
  private key: { processId: number; secret: Buffer } = { processId: 0, secret: Buffer.alloc(0) };
  private number = 0;
  /** One of its answers was. */
  wasWrong = false;

  private constructor(readonly client: WireClient, readonly login: Login, readonly tag: string, readonly ledger: Ledger, private readonly tamper: Tamper | null) {}

  static async open(login: Login, tag: string, ledger: Ledger, tamper: Tamper | null): Promise<Session> {
    const client = await WireClient.connect(login.port, answerLimitMs);
    const session = new Session(client, login, tag, ledger, tamper);
    client.startup({ user: login.user, database: login.database, application_name: login.applicationName });
    const messages = await client.readUntil('Z');
    const key = messages.find(({ type }) => type === 'K');
    if (key !== undefined) session.key = { processId: key.payload.readInt32BE(0), secret: key.payload.subarray(4) };
    ledger.sessions++;
    return session;
  }

  /** A text that no other session and no other question has. */
  unique(): string {
    return `${this.tag}.${++this.number}`;
  }

  /** A simple query; its rows. @throws SessionError when the server refuses it */
  async ask(text: string): Promise<Rows> {
    this.client.query(text);
    return this.answer();
  }

  /** The same, with parameters and the extended protocol. */
  async askWith(text: string, values: readonly (string | null)[], name = '', isPrepared = false): Promise<Rows> {
    this.client.write(Buffer.concat([...(isPrepared ? [] : [parse(text, name)]), bind(values, name), execute(), sync]));
    return this.answer();
  }

  /** A query that is to fail. */
  async fail(text: string, sqlState: string): Promise<void> {
    this.client.query(text);
    const messages = await this.messages();
    this.equal(firstError(messages)?.['C'], sqlState, text);
  }

  /** Sends what was built by hand. */
  write(bytes: Uint8Array): void {
    this.client.write(bytes);
  }

  /** The rows up to the next ReadyForQuery. */
  async answer(): Promise<Rows> {
    const messages = await this.messages();
    const error = firstError(messages);
    if (error !== undefined) throw new SessionError(error['C'] ?? '', error['M'] ?? '');
    return this.rows(messages);
  }

  async messages(): Promise<WireMessage[]> {
    this.ledger.queries++;
    return this.client.readUntil('Z');
  }

  rows(messages: readonly WireMessage[]): Rows {
    const rows = rowsOf(messages);
    return this.tamper === null ? rows : this.tamper(rows);
  }

  /** COPY … FROM STDIN with these lines. */
  async copyIn(text: string, lines: readonly string[]): Promise<void> {
    this.client.query(text);
    const first = await this.client.readMessage();
    if (first.type !== 'G') throw new SessionError('', `${text} was answered with ${first.type}`);
    this.client.copyData(lines.map((line) => `${line}\n`).join(''));
    this.client.copyDone();
    await this.answer();
  }

  /** COPY … TO STDOUT; its lines as rows of one column. */
  async copyOut(text: string): Promise<Rows> {
    this.client.query(text);
    const messages = await this.messages();
    const error = firstError(messages);
    if (error !== undefined) throw new SessionError(error['C'] ?? '', error['M'] ?? '');
    const rows = messages.filter(({ type }) => type === 'd').map(({ payload }) => [payload.toString('utf8').trimEnd()]);
    return this.tamper === null ? rows : this.tamper(rows);
  }

  async begin(how = 'begin'): Promise<void> {
    await this.ask(how);
    this.ledger.transactions++;
  }

  /** Compares, with the session's name in the report. */
  equal(got: unknown, expected: unknown, what: string): void {
    if (!this.ledger.equal(got, expected, `${this.login.database}/${this.login.user}/${this.tag}: ${what}`)) this.wasWrong = true;
  }

  holds(condition: boolean, what: string, got: unknown): void {
    if (!this.ledger.holds(condition, `${this.login.database}/${this.login.user}/${this.tag}: ${what}`, got)) this.wasWrong = true;
  }

  /** Asks for the end of what runs now, on a connection of its own; resolves when pgloom has taken it. */
  async cancel(): Promise<void> {
    const other = await WireClient.connect(this.login.port, answerLimitMs);
    other.cancelRequest(this.key.processId, this.key.secret);
    await other.expectClose().catch(() => []);
    other.destroy();
  }
}
