/** A PCP server for what a real one cannot be made to do: it logs everybody in and answers a request with given bytes. */
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { body, int32, type Field } from '../support/wire-fields.js';

export function message(letter: string, ...fields: readonly Field[]): Buffer {
  const payload = body(...fields);
  return Buffer.concat([Buffer.from(letter, 'latin1'), int32(payload.length + 4), payload]);
}

export interface Script {
  /** Sent when the first request after the login has come. */
  readonly answer: readonly Uint8Array[];
  /** Sent byte by byte. */
  readonly slowly?: boolean;
  /** Closes the connection behind the answer, without waiting for the client. */
  readonly close?: boolean;
  /** Sent in place of the salt. */
  readonly salt?: Uint8Array;
  /** Sent in place of AuthenticationOK. */
  readonly welcome?: Uint8Array;
  readonly host?: string;
}

/** Has a zero byte in it. */
export const defaultSalt = Buffer.from([1, 0, 2, 3]);

export interface FakePcpServer {
  readonly port: number;
  /** The client's messages as letter and payload, those of the login with the letter only. */
  readonly requests: readonly string[];
  /** User and salted digest of each login. */
  readonly logins: readonly string[];
  /** Resolves when a request after the login has come. */
  readonly asked: Promise<void>;
}

/** Runs `use` with a server and ends it afterwards. */
export async function withFakePcpServer<T>(script: Script, use: (server: FakePcpServer) => Promise<T>): Promise<T> {
  const requests: string[] = [];
  const logins: string[] = [];
  const sockets = new Set<Socket>();
  let tellAsked = (): void => undefined;
  const asked = new Promise<void>((resolve) => { tellAsked = resolve; });
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
    readMessages(socket, (letter, payload) => {
      requests.push(letter === 'M' || letter === 'R' ? letter : `${letter}${payload.toString('latin1')}`);
      if (letter === 'R') logins.push(payload.toString('utf8'));
      if (letter === 'M') socket.write(script.salt ?? message('m', defaultSalt));
      else if (letter === 'R') socket.write(script.welcome ?? message('r', 'AuthenticationOK'));
      else if (letter === 'X') socket.end();
      else {
        tellAsked();
        void reply(socket, script);
      }
    });
  });
  listener.listen(0, script.host ?? '127.0.0.1');
  await once(listener, 'listening');
  try {
    return await use({ port: (listener.address() as AddressInfo).port, requests, logins, asked });
  } finally {
    for (const socket of sockets) socket.destroy();
    listener.close();
    await once(listener, 'close');
  }
}

function readMessages(socket: Socket, take: (letter: string, payload: Buffer) => void): void {
  let received = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    while (received.length >= 5 && received.length > received.readInt32BE(1)) {
      const sizeBytes = received.readInt32BE(1) + 1;
      take(received.toString('latin1', 0, 1), received.subarray(5, sizeBytes));
      received = received.subarray(sizeBytes);
    }
  });
}

async function reply(socket: Socket, { answer, slowly, close }: Script): Promise<void> {
  socket.setNoDelay(true);
  for (const bytes of slowly === true ? Array.from(Buffer.concat(answer), (byte) => Buffer.from([byte])) : answer) {
    if (socket.destroyed) return;
    socket.write(bytes);
    await new Promise((resolve) => { setImmediate(resolve); });
  }
  if (close === true) socket.end();
}
