/** A raw client of PostgreSQL's protocol 3 for tests that look at single messages, or send wrong ones. */
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { body, int16, int32, parameter } from './wire-fields.js';

export interface WireMessage {
  /** The message's letter. */
  readonly type: string;
  /** What follows the length. */
  readonly payload: Buffer;
}

/** A TCP port, by default on 127.0.0.1, or the path of a Unix socket. */
export type WireAddress = { readonly host?: string; readonly port: number } | { readonly path: string };

const protocol30 = 196_608;

export class WireClient {
  readonly socket: Socket;
  /** Every read fails after this long without what it waits for. */
  readonly limitMs: number;
  #received: Buffer = Buffer.alloc(0);
  #closed = false;
  #error: Error | undefined;
  #wake: (() => void) | undefined;

  /** @param socket connected, over TLS or not */
  constructor(socket: Socket, limitMs = 10_000) {
    this.socket = socket;
    this.limitMs = limitMs;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => { this.#received = Buffer.concat([this.#received, chunk]); this.#wake?.(); });
    socket.on('error', (error) => { this.#error = error; });
    for (const event of ['end', 'close']) socket.on(event, () => { this.#closed = true; this.#wake?.(); });
  }

  /** Connects to a TCP port on 127.0.0.1, to the path of a Unix socket, or to an address. */
  static async connect(to: number | string | WireAddress, limitMs = 10_000): Promise<WireClient> {
    const address = typeof to === 'number' ? { port: to } : typeof to === 'string' ? { path: to } : to;
    const socket = 'path' in address ? connect(address.path) : connect({ host: '127.0.0.1', ...address });
    await once(socket, 'connect');
    return new WireClient(socket, limitMs);
  }

  /** Connects and starts a session; resolves after the first ReadyForQuery. */
  static async login(to: number | string | WireAddress, params: Record<string, string> = {}, limitMs = 10_000): Promise<WireClient> {
    const client = await WireClient.connect(to, limitMs);
    client.startup({ user: 'postgres', database: 'test', ...params });
    await client.readUntil('Z');
    return client;
  }

  /** Writes bytes as they are. */
  write(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Sends a message: letter, length, payload. */
  send(letter: string, payload: Uint8Array = Buffer.alloc(0)): void {
    this.write(Buffer.concat([Buffer.from(letter, 'latin1'), int32(payload.length + 4), payload]));
  }

  startup(params: Record<string, string>, protocolVersion = protocol30): void {
    const pairs = Object.entries(params).flat();
    this.#sendUntyped(body(int32(protocolVersion), ...pairs, Buffer.from([0])));
  }

  /** SSLRequest; the answer is one byte without a length: read it with readBytes(1). */
  sslRequest(): void {
    this.#sendUntyped(int32(80_877_103));
  }

  gssEncRequest(): void {
    this.#sendUntyped(int32(80_877_104));
  }

  /** CancelRequest with the key of BackendKeyData, which may be longer than 4 bytes in protocol 3.2. */
  cancelRequest(processId: number, key: Uint8Array): void {
    this.#sendUntyped(body(int32(80_877_102), int32(processId), key));
  }

  query(text: string): void {
    this.send('Q', body(text));
  }

  parse(text: string, name = '', parameterTypes: readonly number[] = []): void {
    this.send('P', body(name, text, int16(parameterTypes.length), ...parameterTypes.map(int32)));
  }

  /** Parameters in text format, null for NULL. */
  bind(values: readonly (string | null)[] = [], statement = '', portal = ''): void {
    this.send('B', body(portal, statement, int16(0), int16(values.length), ...values.flatMap(parameter), int16(0)));
  }

  describe(kind: 'S' | 'P', name = ''): void {
    this.send('D', body(Buffer.from(kind), name));
  }

  /** `maxRows` 0 means all. */
  execute(portal = '', maxRows = 0): void {
    this.send('E', body(portal, int32(maxRows)));
  }

  /** Close of a statement or portal; the connection itself ends with `end`. */
  close(kind: 'S' | 'P', name = ''): void {
    this.send('C', body(Buffer.from(kind), name));
  }

  sync(): void {
    this.send('S');
  }

  flush(): void {
    this.send('H');
  }

  copyData(data: string | Uint8Array): void {
    this.send('d', typeof data === 'string' ? Buffer.from(data, 'utf8') : data);
  }

  copyDone(): void {
    this.send('c');
  }

  copyFail(reason: string): void {
    this.send('f', body(reason));
  }

  /** Function call with arguments and result in text format. */
  functionCall(oid: number, values: readonly (string | null)[]): void {
    this.send('F', body(int32(oid), int16(0), int16(values.length), ...values.flatMap(parameter), int16(0)));
  }

  /** As readMessage, and null when the other side has closed. */
  async nextMessage(): Promise<WireMessage | null> {
    await this.#waitUntil(() => this.#closed || this.#received.length > 0, 'a message or the end of the connection');
    return this.#received.length === 0 ? null : this.readMessage();
  }

  /** The next message. Throws when none comes in time or the connection ends before it is whole. */
  async readMessage(): Promise<WireMessage> {
    await this.#waitFor(5, 'a message');
    const sizeBytes = 1 + this.#received.readUInt32BE(1);
    await this.#waitFor(sizeBytes, `message ${JSON.stringify(String.fromCharCode(this.#received[0] ?? 0))}`);
    const message = this.#take(sizeBytes);
    return { type: String.fromCharCode(message[0] ?? 0), payload: message.subarray(5) };
  }

  /** Reads up to and with the first message of this letter and returns all of them. */
  async readUntil(letter: string): Promise<WireMessage[]> {
    const messages: WireMessage[] = [];
    for (;;) {
      let message: WireMessage;
      try {
        message = await this.readMessage();
      } catch (error) {
        throw new Error(`waiting for ${letter} after [${messages.map(describeMessage).join(', ')}]`, { cause: error });
      }
      messages.push(message);
      if (message.type === letter) return messages;
    }
  }

  /** Bytes that are no message, such as the answer to SSLRequest. */
  async readBytes(sizeBytes: number): Promise<Buffer> {
    await this.#waitFor(sizeBytes, `${sizeBytes} bytes`);
    return this.#take(sizeBytes);
  }

  /** Resolves when the other side has closed, with the messages that came before; fails when it does not in time. */
  async expectClose(): Promise<WireMessage[]> {
    const messages: WireMessage[] = [];
    for (let message = await this.nextMessage(); message !== null; message = await this.nextMessage()) messages.push(message);
    return messages;
  }

  /** Ends politely: Terminate, then our side of the connection. */
  end(): void {
    if (!this.socket.writable) return;
    this.send('X');
    this.socket.end();
  }

  /** Drops the connection without a word. */
  destroy(): void {
    this.socket.destroy();
  }

  /** Aborts the connection with a TCP reset. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  #sendUntyped(payload: Buffer): void {
    this.write(Buffer.concat([int32(payload.length + 4), payload]));
  }

  #take(sizeBytes: number): Buffer {
    const taken = this.#received.subarray(0, sizeBytes);
    this.#received = this.#received.subarray(sizeBytes);
    return taken;
  }

  async #waitFor(sizeBytes: number, what: string): Promise<void> {
    await this.#waitUntil(() => this.#closed || this.#received.length >= sizeBytes, what);
    if (this.#received.length >= sizeBytes) return;
    throw new Error(`the connection ended while waiting for ${what}, ${this.#received.length} of ${sizeBytes} bytes came`,
      { cause: this.#error });
  }

  async #waitUntil(done: () => boolean, what: string): Promise<void> {
    const deadline = Date.now() + this.limitMs;
    while (!done()) {
      const leftMs = deadline - Date.now();
      if (leftMs <= 0) throw new Error(`${what} did not come within ${this.limitMs} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#wake = () => { clearTimeout(timer); resolve(); };
      });
      this.#wake = undefined;
    }
  }
}

function describeMessage(message: WireMessage): string {
  return message.type === 'E' ? `E ${message.payload.toString('utf8').replaceAll('\0', ' ')}` : message.type;
}

/** Gives a logged-in client to `use`, and ends it afterwards whatever happens. */
export async function withWireClient<T>(port: number, use: (client: WireClient) => Promise<T>): Promise<T> {
  const client = await WireClient.login(port);
  try {
    return await use(client);
  } finally {
    client.end();
  }
}
