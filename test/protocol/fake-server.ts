/** A server that misbehaves, for what a real one cannot be made to do. Speaks just enough for a login with trust. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { body, int32 } from '../support/wire-fields.js';
import { message } from './messages.js';

export interface FakeServer {
  readonly host: string;
  readonly port: number;
  /** Connections that are open now. */
  connections(): number;
  stop(): Promise<void>;
}

export const authenticationOk = message('R', int32(0));
export const ready = message('Z', Buffer.from('I'));
export const greeting = Buffer.concat([
  authenticationOk, message('S', body('server_version', '18.0')), message('S', body('client_encoding', 'UTF8')),
  message('S', body('standard_conforming_strings', 'on')), message('K', Buffer.concat([int32(4711), int32(815)])), ready,
]);

/** One row with one column of text. */
export const row = (text: string): Buffer => message('D', Buffer.concat([Buffer.from([0, 1]), int32(Buffer.byteLength(text)), Buffer.from(text)]));
export const complete = (tag: string): Buffer => message('C', body(tag));
export const answer = (text: string): Buffer => Buffer.concat([row(text), complete('SELECT 1'), ready]);

/**
 * Health checks and the like are greeted, and get an empty answer.
 * @param onStartup what is said to a startup packet; the greeting by default
 * @param onQuery what is said to a simple query; may write to the socket itself and return nothing
 */
export async function fakeServer(
  onQuery: (sql: string, socket: Socket) => Uint8Array | undefined, onStartup: (socket: Socket) => Uint8Array | undefined = () => greeting,
): Promise<FakeServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    let received: Buffer = Buffer.alloc(0);
    let started = false;
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      for (;;) {
        const head = started ? 1 : 0;
        if (received.length < head + 4) return;
        const size = head + received.readInt32BE(head);
        if (received.length < size) return;
        const packet = received.subarray(0, size);
        received = received.subarray(size);
        const reply = started ? answerTo(packet, socket) : onStartup(socket);
        started = true;
        if (reply !== undefined && !socket.destroyed) socket.write(reply);
      }
    });
  });
  const answerTo = (packet: Buffer, socket: Socket): Uint8Array | undefined => {
    if (packet[0] !== 0x51) return undefined;
    return onQuery(packet.toString('utf8', 5, packet.length - 1), socket);
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    connections: () => sockets.size,
    stop: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}
