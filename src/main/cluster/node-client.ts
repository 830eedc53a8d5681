/**
 * A connection of the primary thread to a node, for its own few questions: connect, log in, simple queries, close.
 *
 * Frames are cut here (bounded, for even a server may be anything that listens on that port), the login is
 * src/shared/auth's, everything else is read by pg-protocol. Every operation has a deadline; when it passes, or anything
 * unexpected comes, the connection is destroyed.
 */
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { serialize } from 'pg-protocol';
import { Parser } from 'pg-protocol/dist/parser.js';
import type { BackendMessage, DatabaseError, DataRowMessage } from 'pg-protocol/dist/messages.js';
import { credentialOfText } from '../../shared/auth/credential.js';
import { ServerLogin } from '../../shared/auth/server-login.js';
import { backendTls, BackendTlsError, isOfOpenSsl, openSslReason, secureServerSocket, type BackendTls, type ServerSocket } from '../../shared/tls/backend-tls.js';
import { noTls, type BackendTlsMaterials } from '../../shared/tls/materials.js';
import { int32 } from '../../shared/protocol/writer.js';
import { sslRequestCode } from '../../shared/protocol/letters.js';

/** Answers to our questions are small; a frame beyond this is garbage. */
const maxFrameBytes = 1024 * 1024;
const maxRows = 10_000;
const authenticationLetter = 0x52; // 'R'
const defaultSocketDirectory = '/tmp';

export interface NodeAddress {
  /** Host, or the directory of a Unix socket when it is empty or starts with '/'. */
  readonly hostname: string;
  readonly port: number;
}

export interface NodeLogin {
  readonly user: string;
  readonly database: string;
  /** As pool_passwd stores it; undefined when there is none. */
  readonly password: string | undefined;
  /** TLS as backend_sslmode wants it; none when undefined. */
  readonly tls?: BackendTlsMaterials;
}

export type Row = readonly (string | null)[];

/** A question could not be asked. `sqlState` is set when the server itself refused, '' otherwise. */
export class NodeError extends Error {
  override readonly name = 'NodeError';

  /** @param answered the server has spoken: it runs, whatever it said */
  constructor(message: string, readonly answered: boolean, readonly sqlState = '') {
    super(message);
  }
}

interface Operation {
  readonly onMessage: (message: BackendMessage) => void;
  readonly fail: (error: NodeError) => void;
}

function openSocket({ hostname, port }: NodeAddress): Socket {
  if (hostname !== '' && !hostname.startsWith('/')) return connect({ host: hostname, port, noDelay: true });
  return connect(path.join(hostname === '' ? defaultSocketDirectory : hostname, `.s.PGSQL.${port}`));
}

/** Contexts are dear: one serves all connections until a reload brings other materials. */
const contexts = new WeakMap<BackendTlsMaterials, BackendTls>();

function tlsOf({ tls: materials = noTls.backend }: NodeLogin): BackendTls {
  let tls = contexts.get(materials);
  if (tls === undefined) contexts.set(materials, tls = backendTls(materials));
  return tls;
}

/** @throws NodeError when there is no connection within `connectMs`, or no TLS as it is wanted within `limitMs` */
function openSecured(address: NodeAddress, tls: BackendTls, connectMs: number, limitMs: number, signal: AbortSignal | undefined): Promise<ServerSocket> {
  return new Promise((resolve, reject) => {
    const socket = openSocket(address);
    const settle = (): void => {
      clearTimeout(connectTimer);
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
    };
    const fail = (message: string, answered: boolean): void => {
      settle();
      socket.destroy();
      reject(new NodeError(message, answered));
    };
    const giveUp = (): void => fail('given up', false);
    const connectTimer = setTimeout(() => fail(`no connection within ${connectMs} ms`, false), connectMs);
    const timer = setTimeout(() => fail(`no answer within ${limitMs} ms`, false), limitMs);
    signal?.addEventListener('abort', giveUp);
    const onError = (error: NodeJS.ErrnoException): void => fail(error.code ?? error.message, error instanceof BackendTlsError);
    socket.once('error', onError);
    socket.once('connect', () => {
      clearTimeout(connectTimer);
      secureServerSocket(socket, tls, address.hostname).then((secured) => {
        settle();
        resolve(secured);
      }, onError);
    });
  });
}

export class NodeClient {
  private readonly parser = new Parser();
  private rest: Buffer = Buffer.alloc(0);
  private operation: Operation | null = null;
  private login: ServerLogin | null = null;
  private answered = false;

  private constructor(private readonly socket: Socket, private readonly binding: ServerSocket['binding']) {
    socket.on('data', (chunk: Buffer) => this.receive(chunk));
    socket.resume();
    socket.on('error', (error) => this.fail(isOfOpenSsl(error) ? new NodeError(`TLS: ${openSslReason(error)}`, true) : lostConnection(error, this.answered)));
    socket.on('close', () => this.fail(new NodeError('the server closed the connection', this.answered)));
  }

  /**
   * Connects and logs in.
   * @param connectMs limit for the connection alone, @param limitMs for connection and login together
   * @param signal gives up before that
   * @throws NodeError
   */
  static async open(address: NodeAddress, login: NodeLogin, connectMs: number, limitMs: number, signal?: AbortSignal): Promise<NodeClient> {
    if (signal?.aborted === true) throw new NodeError('given up', false);
    const deadlineMs = performance.now() + limitMs;
    const { socket, binding } = await openSecured(address, tlsOf(login), connectMs, limitMs, signal);
    const client = new NodeClient(socket, binding);
    const giveUp = (): void => client.fail(new NodeError('given up', client.answered));
    signal?.addEventListener('abort', giveUp);
    try {
      await client.logIn(login, Math.max(1, deadlineMs - performance.now()));
    } finally {
      signal?.removeEventListener('abort', giveUp);
    }
    return client;
  }

  get closed(): boolean {
    return this.socket.destroyed;
  }

  /** Rows of one statement, as text. @throws NodeError */
  async query(sql: string, limitMs: number): Promise<Row[]> {
    const rows: Row[] = [];
    let failure: NodeError | null = null;
    await this.perform(limitMs, serialize.query(sql), (message, done) => {
      if (message.name === 'dataRow' && rows.length < maxRows) rows.push((message as DataRowMessage).fields as (string | null)[]);
      if (message.name === 'error') failure = refusal(message);
      if (message.name === 'readyForQuery') done();
    });
    if (failure !== null) throw failure as NodeError;
    return rows;
  }

  /** Says goodbye and closes. Never throws. */
  close(): void {
    if (this.socket.destroyed) return;
    this.socket.end(serialize.end());
    const timer = setTimeout(() => this.socket.destroy(), 1_000);
    this.socket.once('close', () => clearTimeout(timer));
  }

  private async logIn(login: NodeLogin, limitMs: number): Promise<void> {
    this.login = new ServerLogin(login.user, credentialOfText(login.password, login.user), this.binding);
    const startup = serialize.startup({ user: login.user, database: login.database, application_name: 'pgloom' });
    await this.perform(limitMs, startup, (message, done) => {
      if (message.name === 'error') this.fail(refusal(message));
      if (message.name !== 'readyForQuery') return;
      if (this.login?.done === true) done();
      else this.fail(new NodeError('the server skipped authentication', true));
    });
    this.login = null;
  }

  private perform(limitMs: number, request: Buffer, onMessage: (message: BackendMessage, done: () => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.fail(new NodeError(`no answer within ${Math.round(limitMs)} ms`, false)), limitMs);
      const end = (): void => {
        clearTimeout(timer);
        this.operation = null;
      };
      this.operation = {
        onMessage: (message) => onMessage(message, () => {
          end();
          resolve();
        }),
        fail: (error) => {
          end();
          reject(error);
        },
      };
      if (this.socket.destroyed) this.fail(new NodeError('the connection is closed', this.answered));
      else this.socket.write(request);
    });
  }

  private fail(error: NodeError): void {
    this.operation?.fail(error);
    this.socket.destroy();
  }

  private receive(chunk: Buffer): void {
    this.answered = true;
    this.rest = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    try {
      for (;;) {
        const frame = this.nextFrame();
        if (frame === null || this.socket.destroyed) return;
        if (frame[0] === authenticationLetter) this.authenticate(frame);
        else this.parser.parse(frame, (message) => this.operation?.onMessage(message));
      }
    } catch (error) {
      this.fail(new NodeError((error as Error).message, true));
    }
  }

  private nextFrame(): Buffer | null {
    if (this.rest.length < 5) return null;
    const sizeBytes = 1 + this.rest.readUInt32BE(1);
    if (sizeBytes < 5 || sizeBytes > maxFrameBytes) throw new Error('the server does not speak the PostgreSQL protocol');
    if (this.rest.length < sizeBytes) return null;
    const frame = this.rest.subarray(0, sizeBytes);
    this.rest = this.rest.subarray(sizeBytes);
    return frame;
  }

  private authenticate(frame: Buffer): void {
    const { login } = this;
    if (login === null || frame.length < 9) throw new Error('unexpected authentication message');
    const answer = login.step(frame.readInt32BE(5), frame.subarray(5));
    if (answer instanceof Promise) answer.then((bytes) => this.send(bytes)).catch((error: unknown) => this.fail(new NodeError((error as Error).message, true)));
    else this.send(answer);
  }

  private send(bytes: Buffer | null): void {
    if (bytes !== null && !this.socket.destroyed) this.socket.write(bytes);
  }
}

function lostConnection(error: NodeJS.ErrnoException, answered: boolean): NodeError {
  return new NodeError(error.code ?? error.message, answered);
}

function refusal(message: BackendMessage): NodeError {
  const { message: text, code } = message as unknown as DatabaseError;
  return new NodeError(text, true, code ?? '');
}

/**
 * Asks for an answer without logging in: a PostgreSQL server answers an SSLRequest with one byte, and has to start a
 * process for it, which a stopped one cannot. Servers log nothing about it.
 * @throws NodeError
 */
export function knock(address: NodeAddress, limitMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = openSocket(address);
    const end = (error: NodeError | null): void => {
      clearTimeout(timer);
      socket.destroy();
      if (error === null) resolve();
      else reject(error);
    };
    const timer = setTimeout(() => end(new NodeError(`no answer within ${limitMs} ms`, false)), limitMs);
    socket.on('error', (error: NodeJS.ErrnoException) => end(new NodeError(error.code ?? error.message, false)));
    socket.once('close', () => end(new NodeError('the server closed the connection', false)));
    socket.once('data', () => end(null));
    socket.once('connect', () => socket.write(Buffer.concat([int32(8), int32(sslRequestCode)])));
  });
}
