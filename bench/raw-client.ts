import net from 'node:net';
import { query, startup, terminate } from '../test/protocol/messages.js';
import { openEncrypted } from './encrypted-socket.js';

/** Where and as whom to log in. */
export interface Login {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  /** Over TLS; the server's certificate is not checked. */
  readonly encrypted?: boolean;
  readonly password?: string;
}

/**
 * A client with nothing in it: logs in without a password, sends simple queries, counts bytes and
 * keeps none. It costs the machine less than psql, so that what is measured is the proxy.
 */
export class RawClient {
  private readonly socket: net.Socket;
  private header = Buffer.alloc(5);
  private headerLength = 0;
  private bodyLeft = 0;
  private letter = 0;
  private errorText = Buffer.alloc(0);
  private bytes = 0;
  private settle: ((error: Error | null) => void) | null = null;

  private constructor(socket: net.Socket) {
    this.socket = socket;
  }

  /**
   * Connects and logs in.
   * @throws Error when the connection fails, closes, is refused by an ErrorResponse, or takes over timeoutMs.
   */
  static async connect(login: Login, timeoutMs = 30_000): Promise<RawClient> {
    const ready = login.encrypted === true ? await RawClient.overTls(login, timeoutMs) : RawClient.inClear(login);
    const { socket } = ready;
    socket.on('error', (error) => ready.finish(error));
    socket.on('close', () => ready.finish(new Error('connection closed')));
    const timer = setTimeout(() => socket.destroy(new Error(`no login within ${timeoutMs} ms`)), timeoutMs);
    try {
      await ready.waitForReady(startup({ user: login.user, database: login.database }));
    } finally {
      clearTimeout(timer);
    }
    return ready;
  }

  private static inClear({ host, port }: Login): RawClient {
    let client: RawClient | undefined;
    const onread = {
      buffer: Buffer.allocUnsafe(16_384),
      callback: (length: number, buffer: Uint8Array) => {
        client?.read(buffer, length);
        return true;
      },
    };
    client = new RawClient(net.connect({ host, port, noDelay: true, onread }));
    return client;
  }

  private static async overTls({ host, port }: Login, timeoutMs: number): Promise<RawClient> {
    const client = new RawClient(await openEncrypted(host, port, timeoutMs));
    client.socket.on('data', (chunk: Buffer) => client.read(chunk, chunk.length));
    return client;
  }

  /**
   * Sends one simple query and reads its answer to the end.
   * @returns bytes received.
   * @throws Error with the server's message, or when the connection breaks.
   */
  async query(text: string): Promise<number> {
    this.bytes = 0;
    await this.waitForReady(query(text));
    return this.bytes;
  }

  /** False once either side has closed. */
  get isOpen(): boolean {
    return !this.socket.destroyed;
  }

  /** Says Terminate and closes. */
  end(): void {
    this.socket.end(terminate);
    this.socket.setTimeout(1000, () => this.socket.destroy());
  }

  private waitForReady(message: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.socket.destroyed) {
        reject(new Error('connection closed'));
        return;
      }
      this.errorText = Buffer.alloc(0);
      this.settle = (error) => (error === null ? resolve() : reject(error));
      this.socket.write(message);
    });
  }

  private finish(error: Error | null): void {
    const settle = this.settle;
    this.settle = null;
    const text = this.errorText.toString('utf8').replaceAll('\0', ' ').trim();
    settle?.(text === '' ? error : new Error(text));
  }

  /** Walks over frames: only their headers, an error's text and ReadyForQuery matter. */
  private read(buffer: Uint8Array, length: number): void {
    this.bytes += length;
    let at = 0;
    while (at < length) {
      if (this.bodyLeft > 0) {
        const taken = Math.min(this.bodyLeft, length - at);
        if (this.letter === 0x45) this.errorText = Buffer.concat([this.errorText, buffer.subarray(at, at + taken)]);
        at += taken;
        this.bodyLeft -= taken;
        if (this.bodyLeft === 0 && this.letter === 0x5a) this.finish(null);
        continue;
      }
      this.header[this.headerLength++] = buffer[at++] ?? 0;
      if (this.headerLength < 5) continue;
      this.headerLength = 0;
      this.letter = this.header[0] ?? 0;
      this.bodyLeft = this.header.readInt32BE(1) - 4;
    }
  }
}
