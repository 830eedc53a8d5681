/** What a DB node says to a login: what it asks for, whether it is content, and rows of a query. */
import { Parser } from 'pg-protocol/dist/parser.js';
import type { BackendMessage, DatabaseError, DataRowMessage } from 'pg-protocol/dist/messages.js';
import type { Credential } from '../../../shared/auth/credential.js';
import type { ScramVerifier } from '../../../shared/auth/scram-verifier.js';
import { AuthenticationType, LoginError, methodOf, ServerLogin, type ServerMethod } from '../../../shared/auth/server-login.js';
import { B, F } from '../../../shared/protocol/letters.js';
import { int16, int32, message, syncMessage } from '../../../shared/protocol/writer.js';
import type { Backend } from '../../../shared/settings.js';
import { type BackendTls, BackendTlsError } from '../../../shared/tls/backend-tls.js';
import { ServerConversation, type ServerMessage } from './server-conversation.js';

/** An ErrorResponse. */
export interface ServerError {
  readonly sqlstate: string;
  readonly text: string;
}

/** The first Authentication message. */
export interface Question {
  readonly method: ServerMethod;
  readonly payload: Buffer;
}

export type NodeAnswer =
  | { readonly kind: 'asks'; readonly question: Question; readonly protocol: string | null }
  /** It runs, and does not even ask; `sqlstate` is '' when it asks for what pgloom does not know. */
  | { readonly kind: 'refuses'; readonly error: ServerError; readonly protocol: string | null }
  /** `isTls`: the server is there, and TLS with it cannot be had as backend_sslmode wants it. */
  | { readonly kind: 'silent'; readonly reason: string; readonly isTls: boolean };

export interface Target {
  readonly backend: Backend;
  readonly tls: BackendTls;
  readonly user: string;
  readonly database: string;
}

/** Sends a startup packet and reads what the node asks for, without an answer. Never throws. */
export async function askNode(target: Target): Promise<NodeAnswer> {
  try {
    return await ServerConversation.with(target.backend, target.tls, target, async (server) => {
      const { protocol } = server;
      const first = await spoken(server);
      if (first.letter === B.error) return { kind: 'refuses', error: errorOf(first), protocol };
      const type = authenticationType(first);
      const method = methodOf(type);
      if (method === null) return { kind: 'refuses', error: { sqlstate: '', text: unknownMethod(type, first.payload) }, protocol };
      // It has not looked yet whether there are such a role and such a database.
      const refused = method === 'trust' ? await untilReady(server) : null;
      return refused === null ? { kind: 'asks', question: { method, payload: Buffer.from(first.payload) }, protocol } : { kind: 'refuses', error: refused, protocol };
    });
  } catch (error) {
    return { kind: 'silent', reason: (error as Error).message, isTls: error instanceof BackendTlsError };
  }
}

/** What keeps pgloom from answering the node with this credential, in the words in which a client is told; null: nothing. */
export async function answerFault(user: string, credential: Credential, { payload }: Question): Promise<string | null> {
  try {
    await new ServerLogin(user, credential).step(payload.readInt32BE(0), payload);
    return null;
  } catch (error) {
    if (error instanceof LoginError) return error.message;
    throw error;
  }
}

/** Logs in, and leaves. @returns null when that went well. @throws Error when the node is not there */
export function tryLogin(target: Target, credential: Credential): Promise<ServerError | null> {
  return ServerConversation.with(target.backend, target.tls, target, (server) => logIn(server, target.user, credential));
}

/** Whether the node would use this verifier for SCRAM: its salt and rounds are shown before a proof is wanted. */
export async function hasVerifier(target: Target, { salt, iterations }: ScramVerifier): Promise<boolean> {
  const nothing = Buffer.alloc(32);
  const credential: Credential = { kind: 'scram', keys: { clientKey: nothing, serverKey: nothing }, salt, iterations, from: '' };
  return ServerConversation.with(target.backend, target.tls, target, async (server) => {
    const login = new ServerLogin(target.user, credential, server.binding);
    for (;;) {
      const answered = await spoken(server);
      if (answered.letter !== B.authentication) return false;
      try {
        const answer = await login.step(authenticationType(answered), answered.payload);
        // The proof is not sent: it would be a wrong password in the server's log.
        if (authenticationType(answered) === AuthenticationType.saslContinue) return true;
        if (answer !== null) server.send(answer);
      } catch (error) {
        if (error instanceof LoginError) return false;
        throw error;
      }
    }
  });
}

/** By the node. */
export class LoginRefused extends Error {
  override readonly name = 'LoginRefused';

  constructor(readonly refusal: ServerError) {
    super(`login failed: ${refusal.text}`);
  }
}

export type Row = readonly (string | null)[];

/** The rows of one statement, run after a login. @throws LoginRefused; LoginError when pgloom cannot answer; Error when the node is not there */
export function askRows(target: Target, credential: Credential, sql: string, values: readonly string[]): Promise<Row[] | ServerError> {
  return ServerConversation.with(target.backend, target.tls, target, async (server) => {
    const refused = await logIn(server, target.user, credential);
    if (refused !== null) throw new LoginRefused(refused);
    const bound = values.flatMap((value) => [int32(Buffer.byteLength(value)), Buffer.from(value)]);
    server.send(Buffer.concat([
      message(F.parse, '', sql, int16(0)),
      message(F.bind, '', '', int16(0), int16(values.length), ...bound, int16(0)),
      message(F.execute, '', int32(0)),
      syncMessage,
    ]));
    const rows: Row[] = [];
    let failure: ServerError | null = null;
    for (let answer = await server.next(); answer.letter !== B.readyForQuery; answer = await server.next()) {
      if (answer.letter === B.error) failure = errorOf(answer);
      if (answer.letter === B.dataRow) rows.push((parsed(answer) as DataRowMessage).fields as (string | null)[]);
    }
    return failure ?? rows;
  });
}

async function logIn(server: ServerConversation, user: string, credential: Credential): Promise<ServerError | null> {
  const login = new ServerLogin(user, credential, server.binding);
  while (!login.done) {
    const asked = await spoken(server);
    if (asked.letter === B.error) return errorOf(asked);
    const answer = await login.step(authenticationType(asked), asked.payload);
    if (answer !== null) server.send(answer);
  }
  return untilReady(server);
}

/** The next message that is about the login. */
async function spoken(server: ServerConversation): Promise<ServerMessage> {
  for (;;) {
    const answer = await server.next();
    if (answer.letter === B.error || answer.letter === B.authentication) return answer;
    if (answer.letter !== B.notice && answer.letter !== B.negotiateVersion) throw new Error('the server answers the login with something else');
  }
}

/** What comes behind AuthenticationOk. @returns the error instead of ReadyForQuery */
async function untilReady(server: ServerConversation): Promise<ServerError | null> {
  for (;;) {
    const answer = await server.next();
    if (answer.letter === B.readyForQuery) return null;
    if (answer.letter === B.error) return errorOf(answer);
  }
}

function authenticationType({ payload }: ServerMessage): number {
  if (payload.length < 4) throw new Error('truncated authentication request');
  return payload.readInt32BE(0);
}

function unknownMethod(type: number, payload: Buffer): string {
  try {
    void new ServerLogin('', { kind: 'none', why: '' }).step(type, payload);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

function errorOf(answer: ServerMessage): ServerError {
  const { message: text, code } = parsed(answer) as unknown as DatabaseError;
  return { sqlstate: code ?? '', text: text ?? '' };
}

/** @throws Error when it is cut off */
function parsed({ letter, payload }: ServerMessage): BackendMessage {
  const found: BackendMessage[] = [];
  new Parser().parse(message(letter, payload), (read) => found.push(read));
  const [only] = found;
  if (only === undefined) throw new Error('the server does not speak the PostgreSQL protocol');
  return only;
}
