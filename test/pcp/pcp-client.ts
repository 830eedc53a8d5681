/** A PCP client that speaks the protocol itself, for what libpcp would never send (reference/wire.md). */
import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';

export interface PcpMessage {
  readonly type: string;
  readonly payload: Buffer;
}

const limitMs = 30_000;

export class PcpClient {
  private received: Buffer = Buffer.alloc(0);
  private closed = false;
  private wake: () => void = () => undefined;

  private constructor(readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
      this.wake();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.closed = true;
      this.wake();
    });
  }

  /** @param where a port of 127.0.0.1, or the path of a socket */
  static async connect(where: number | string): Promise<PcpClient> {
    const socket = typeof where === 'number' ? connect({ host: '127.0.0.1', port: where }) : connect(where);
    await once(socket, 'connect');
    return new PcpClient(socket);
  }

  /** Connects and logs in. */
  static async login(where: number | string, user = 'postgres', password = 'secret'): Promise<PcpClient> {
    const client = await PcpClient.connect(where);
    const answer = await client.tryLogin(user, password);
    if (answer.type !== 'r') throw new Error(`login failed: ${strings(answer.payload).join(' ')}`);
    return client;
  }

  /** Sends the login and returns the answer to it: `r`, or the error. */
  async tryLogin(user: string, password: string): Promise<PcpMessage> {
    const salt = await this.request('M');
    return this.request('R', `${user}\0${loginAnswer(user, password, salt.payload)}\0`);
  }

  send(type: string, payload: string | Buffer = ''): void {
    this.socket.write(pcpPacket(type, payload));
  }

  /** Sends a request and returns the next packet. */
  async request(type: string, payload: string | Buffer = ''): Promise<PcpMessage> {
    this.send(type, payload);
    return this.read();
  }

  /** Sends a request and returns all packets up to the one that completes it (or an error). */
  async rows(type: string, payload: string | Buffer = ''): Promise<PcpMessage[]> {
    this.send(type, payload);
    const messages: PcpMessage[] = [];
    for (;;) {
      const message = await this.read();
      messages.push(message);
      if (message.type === 'E' || message.payload.toString('latin1').startsWith('CommandComplete\0')) return messages;
    }
  }

  /** The next packet; rejects when the connection ends before it is whole. */
  async read(): Promise<PcpMessage> {
    await this.until(() => this.received.length >= 5 && this.received.length > this.received.readInt32BE(1));
    const sizeBytes = this.received.readInt32BE(1) + 1;
    const message = { type: String.fromCharCode(this.received[0] ?? 0), payload: this.received.subarray(5, sizeBytes) };
    this.received = this.received.subarray(sizeBytes);
    return message;
  }

  /** What comes until the other side closes. */
  async readToEnd(): Promise<PcpMessage[]> {
    const messages: PcpMessage[] = [];
    for (;;) {
      try {
        messages.push(await this.read());
      } catch {
        return messages;
      }
    }
  }

  end(): void {
    if (this.socket.writable) this.socket.end(pcpPacket('X'));
  }

  private async until(done: () => boolean): Promise<void> {
    const deadlineMs = Date.now() + limitMs;
    while (!done()) {
      if (this.closed) throw new Error('the connection has ended');
      const leftMs = deadlineMs - Date.now();
      if (leftMs <= 0) throw new Error(`nothing came within ${limitMs} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}

export function pcpPacket(type: string, payload: string | Buffer = ''): Buffer {
  const bytes = Buffer.from(payload);
  const head = Buffer.alloc(5);
  head.write(type, 'latin1');
  head.writeInt32BE(bytes.length + 4, 1);
  return Buffer.concat([head, bytes]);
}

const md5 = (...parts: readonly (string | Uint8Array)[]): string => {
  const hash = createHash('md5');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};

/** What a client sends for a password and a salt. */
export function loginAnswer(user: string, password: string, salt: Uint8Array): string {
  return md5(md5(md5(password), user), salt);
}

/** A line of pcp.conf. */
export function pcpConfLine(user = 'postgres', password = 'secret'): string {
  return `${user}:${md5(password)}\n`;
}

export function strings(payload: Buffer): string[] {
  return payload.toString('utf8').split('\0').slice(0, -1);
}

/** Severity, message and detail of an error packet. */
export function errorOf(message: PcpMessage | undefined): { severity: string | undefined; message: string | undefined; detail: string | undefined } {
  const fields = new Map(strings(message?.payload ?? Buffer.alloc(0)).map((field) => [field.charAt(0), field.slice(1)]));
  return { severity: fields.get('S'), message: fields.get('M'), detail: fields.get('D') };
}
