/** A connection to a PCP port: letter, length, payload in both directions (reference/wire.md section 2). */
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { malformed, PcpFailure, serverErrorText } from '../failure.js';
import { readErrorFields } from './error-fields.js';
import { addressesOf, connectFailure, type PcpAddress } from './address.js';

export interface PcpMessage {
  readonly letter: string;
  readonly payload: Buffer;
}

/** A server could make us read for ever: the list of 100,000 processes is 1 MB, a watchdog's JSON a few kB. */
const maxPayloadBytes = 16 * 1024 * 1024;
const headerBytes = 5;

export class PcpConnection {
  readonly #socket: Socket;
  readonly #trace: ((line: string) => void) | undefined;
  readonly #chunks: AsyncIterator<Buffer>;
  /** What has been taken from the socket and not yet read. */
  #received: Buffer[] = [];
  #receivedBytes = 0;

  private constructor(socket: Socket, trace: ((line: string) => void) | undefined) {
    this.#socket = socket;
    this.#trace = trace;
    socket.setNoDelay(true);
    // Told by the next read.
    socket.on('error', () => undefined);
    this.#chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  /**
   * Tries the addresses of the host one after the other, each as long as the system does.
   * @param trace is called with a line for each message, those of the login's requests apart (as with -d of Pgpool-II)
   * @throws PcpFailure of kind `connection`
   */
  static async open(target: PcpAddress, trace?: (line: string) => void): Promise<PcpConnection> {
    let failure: PcpFailure | undefined;
    for (const address of await addressesOf(target)) {
      const socket = connect(address);
      try {
        await once(socket, 'connect');
        return new PcpConnection(socket, trace);
      } catch (error) {
        socket.destroy();
        failure = connectFailure(target, error as NodeJS.ErrnoException);
      }
    }
    throw failure ?? connectFailure(target, new Error('no address'));
  }

  /** Sends one of the login's messages. */
  sendQuietly(letter: string, payload: Uint8Array = Buffer.alloc(0)): void {
    const header = Buffer.alloc(headerBytes);
    header.write(letter, 'latin1');
    header.writeInt32BE(payload.length + 4, 1);
    this.#socket.write(Buffer.concat([header, payload]));
  }

  send(letter: string, payload: Uint8Array = Buffer.alloc(0)): void {
    this.#trace?.(`DEBUG: send: tos="${letter}", len=${payload.length + 4}\n`);
    this.sendQuietly(letter, payload);
  }

  /**
   * The next message with this letter; notices before it are passed over.
   * @throws PcpFailure for an error of the server's, another letter, a wrong length or the end of the connection
   */
  async read(letter: string): Promise<PcpMessage> {
    for (;;) {
      const message = await this.#readAny();
      if (message.letter === letter) return message;
      if (message.letter === 'E') {
        const serverError = readErrorFields(message.payload);
        throw new PcpFailure('command', serverError.message, serverError);
      }
      if (message.letter !== 'N') throw new PcpFailure('command', `ERROR: invalid PCP packet type ="${message.letter}"`);
      this.#trace?.(`BACKEND ${serverErrorText(readErrorFields(message.payload))}`);
    }
  }

  /** Says good-bye and closes. */
  end(): void {
    if (!this.#socket.destroyed) this.send('X');
    this.#socket.end();
    // What the server still sends is not waited for.
    this.#socket.destroySoon();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  async #readAny(): Promise<PcpMessage> {
    const header = await this.#readBytes(headerBytes);
    const letter = header.toString('latin1', 0, 1);
    const lengthBytes = header.readInt32BE(1);
    const payloadBytes = lengthBytes - 4;
    if (payloadBytes < 0 || payloadBytes > maxPayloadBytes) throw malformed(`a message "${letter}" with the length ${lengthBytes}`);
    const payload = await this.#readBytes(payloadBytes);
    this.#trace?.(`DEBUG: recv: tos="${letter}", len=${lengthBytes}\n`);
    return { letter, payload };
  }

  /** Takes more from the socket only when a message needs it. */
  async #readBytes(sizeBytes: number): Promise<Buffer> {
    while (this.#receivedBytes < sizeBytes) {
      const chunk = await this.#chunks.next().catch(() => null);
      if (chunk === null || chunk.done === true) throw new PcpFailure('command', 'ERROR: unable to read data from socket.');
      this.#received.push(chunk.value);
      this.#receivedBytes += chunk.value.length;
    }
    const [first = Buffer.alloc(0), ...more] = this.#received;
    const all = more.length === 0 ? first : Buffer.concat(this.#received);
    this.#received = [all.subarray(sizeBytes)];
    this.#receivedBytes -= sizeBytes;
    return all.subarray(0, sizeBytes);
  }
}
