/** A connection to a DB node on which the messages of a login are seen one by one. There is a limit for all of it. */
import { connect, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { ChannelBinding } from '../../../shared/auth/scram.js';
import { startup } from '../../../shared/protocol/writer.js';
import type { Backend } from '../../../shared/settings.js';
import { type BackendTls, secureServerSocket } from '../../../shared/tls/backend-tls.js';

/** For one question to one node, from the first packet to the last. */
const limitMs = 5000;
/** What a login and a catalog's row need is a hundredth of it. */
const maxMessageBytes = 1024 * 1024;
const defaultSocketDirectory = '/tmp';
const closedText = 'the server closed the connection';

export interface ServerMessage {
  readonly letter: number;
  readonly payload: Buffer;
}

export class ServerConversation {
  private rest: Buffer = Buffer.alloc(0);
  private readonly chunks: AsyncIterator<Buffer>;

  private constructor(private readonly socket: Socket, readonly binding: ChannelBinding | null) {
    this.chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  /**
   * Connects as backend_sslmode wants it, sends the startup packet, and closes when `use` is done.
   * @throws Error that says in a few words what went wrong
   */
  static async with<T>(backend: Backend, tls: BackendTls, login: { readonly user: string; readonly database: string }, use: (server: ServerConversation) => Promise<T>): Promise<T> {
    const socket = openSocket(backend);
    // Whoever reads is told; an error that comes between two readers is not to end the process.
    socket.on('error', () => undefined);
    const limit = new Limit(socket);
    try {
      await connected(socket);
      const { socket: ready, binding } = await secureServerSocket(socket, tls, backend.hostname);
      ready.on('error', () => undefined);
      const server = new ServerConversation(ready, binding);
      server.send(startup([['user', login.user], ['database', login.database], ['application_name', 'pgpool check-auth']]));
      return await use(server);
    } catch (error) {
      throw limit.reason ?? error;
    } finally {
      limit.end();
      socket.destroy();
    }
  }

  /** `TLSv1.3`; null without TLS. */
  get protocol(): string | null {
    return this.socket instanceof TLSSocket ? this.socket.getProtocol() : null;
  }

  send(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  /** The next message, whatever it is. @throws Error when there is none, or no such thing as a message */
  async next(): Promise<ServerMessage> {
    for (;;) {
      const message = this.cut();
      if (message !== null) return message;
      const { value, done } = await this.chunks.next().catch(lost);
      if (done === true) throw new Error(closedText);
      this.rest = Buffer.concat([this.rest, value]);
    }
  }

  private cut(): ServerMessage | null {
    if (this.rest.length < 5) return null;
    const sizeBytes = 1 + this.rest.readUInt32BE(1);
    if (sizeBytes < 5 || sizeBytes > maxMessageBytes) throw new Error('the server does not speak the PostgreSQL protocol');
    if (this.rest.length < sizeBytes) return null;
    const message = { letter: this.rest[0] ?? 0, payload: this.rest.subarray(5, sizeBytes) };
    this.rest = this.rest.subarray(sizeBytes);
    return message;
  }
}

function lost(error: NodeJS.ErrnoException): never {
  throw new Error(error.code === 'ERR_STREAM_PREMATURE_CLOSE' ? closedText : error.code ?? error.message, { cause: error });
}

/** Ends the connection when its time is over. */
class Limit {
  reason: Error | null = null;
  private readonly timer: NodeJS.Timeout;

  constructor(socket: Socket) {
    this.timer = setTimeout(() => {
      this.reason = new Error(`no answer within ${limitMs / 1000} s`);
      socket.destroy();
    }, limitMs);
  }

  end(): void {
    clearTimeout(this.timer);
  }
}

function openSocket({ hostname, port }: Backend): Socket {
  if (hostname !== '' && !hostname.startsWith('/')) return connect({ host: hostname, port, noDelay: true });
  return connect(`${hostname === '' ? defaultSocketDirectory : hostname}/.s.PGSQL.${port}`);
}

function connected(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('connect', () => {
      socket.removeListener('error', onError).removeListener('close', onClose);
      resolve();
    });
    const onError = (error: NodeJS.ErrnoException): void => reject(new Error(error.code ?? error.message, { cause: error }));
    const onClose = (): void => reject(new Error('the connection was closed'));
    socket.once('error', onError).once('close', onClose);
  });
}
