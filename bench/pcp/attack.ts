/** Damaged and random packets at a PCP port. The same seed gives the same bytes. */
import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

/** Requests that a PCP client sends; without those that stop pgloom or take nodes out of service. */
const requests: readonly (readonly [type: string, payload: string])[] = [
  ['M', ''], ['R', 'postgres\0aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\0'], ['A', 'client_min_messages\0log\0'], ['B', ''], ['C', '0\0'], ['F', ''], ['G', ''],
  ['H', '1\0'], ['I', '-1\0'], ['L', ''], ['N', ''], ['O', '0\0'], ['P', '0\0'], ['P', '3\0'], ['V', 'l'], ['W', '-1\0'],
];

export interface PcpLogin {
  /** A port of 127.0.0.1, or the path of a socket: there failed logins do not hold up the others. */
  readonly where: number | string;
  readonly user: string;
  readonly password: string;
}

export interface AttackResult {
  readonly connections: number;
  readonly bytesSent: number;
}

/**
 * Opens connections one after the other; each logs in or not, sends valid, damaged and random packets, and goes.
 * @param pauseMs between two of them
 */
export async function attack(login: PcpLogin, random: () => number, until: (connections: number) => boolean, pauseMs = 0): Promise<AttackResult> {
  let connections = 0;
  let bytesSent = 0;
  while (!until(connections)) {
    const socket = await open(login.where);
    if (socket === null) continue;
    connections += 1;
    if (random() < 0.7) await logIn(socket, login);
    for (let packets = Math.floor(random() * 8); packets >= 0 && !socket.destroyed; packets--) {
      const bytes = madePacket(random);
      bytesSent += bytes.length;
      socket.write(bytes);
      if (random() < 0.5) await turn();
    }
    if (random() >= 0.3) await bye(socket);
    // A Unix socket is reset when the answer is not read.
    else if (typeof login.where === 'number') socket.resetAndDestroy();
    else socket.destroy();
    if (pauseMs > 0) await sleep(pauseMs);
  }
  return { connections, bytesSent };
}

function madePacket(random: () => number): Buffer {
  const kind = random();
  if (kind < 0.15) return randomBytes(1 + Math.floor(random() * 400), random);
  const [type, payload] = requests[Math.floor(random() * requests.length)] ?? ['L', ''];
  const bytes = packetBytes(type, payload);
  if (kind < 0.4) return bytes;
  // Damaged: a byte, the length, the end, the type. Never into a stop or a detach: a type that changes becomes '?'.
  if (kind < 0.6 && bytes.length > 5) bytes[5 + Math.floor(random() * (bytes.length - 5))] = Math.floor(random() * 256);
  else if (kind < 0.75) bytes.writeInt32BE(Math.floor(random() * 2 ** 32) - 2 ** 31, 1);
  else if (kind < 0.9) return bytes.subarray(0, Math.floor(random() * bytes.length));
  else bytes[0] = '?'.charCodeAt(0);
  return bytes;
}

function randomBytes(length: number, random: () => number): Buffer {
  // With its high bit set no byte is the letter of an order that would be obeyed.
  return Buffer.from(Array.from({ length }, () => 0x80 | Math.floor(random() * 128)));
}

function packetBytes(type: string, payload: string): Buffer {
  const bytes = Buffer.alloc(5 + payload.length);
  bytes.write(type, 'latin1');
  bytes.writeInt32BE(payload.length + 4, 1);
  bytes.write(payload, 5, 'latin1');
  return bytes;
}

async function open(where: number | string): Promise<Socket | null> {
  const socket = typeof where === 'number' ? connect({ host: '127.0.0.1', port: where }) : connect(where);
  socket.on('error', () => undefined);
  await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => undefined);
  if (socket.destroyed || socket.connecting) return null;
  return socket;
}

async function logIn(socket: Socket, { user, password }: PcpLogin): Promise<void> {
  socket.write(packetBytes('M', ''));
  const answer = await new Promise<Buffer | null>((resolve) => {
    socket.once('data', resolve);
    socket.once('close', () => resolve(null));
  });
  if (answer === null || answer.length < 9) return;
  const md5 = (...parts: readonly (string | Uint8Array)[]): string => {
    const hash = createHash('md5');
    for (const part of parts) hash.update(part);
    return hash.digest('hex');
  };
  socket.write(packetBytes('R', `${user}\0${md5(md5(md5(password), user), answer.subarray(5, 9))}\0`));
}

/** Ends our side, and does not wait for long: a wrong login is answered late. */
async function bye(socket: Socket): Promise<void> {
  socket.resume();
  socket.end();
  const timer = setTimeout(() => socket.destroy(), 20);
  if (!socket.destroyed) await once(socket, 'close').catch(() => undefined);
  clearTimeout(timer);
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
