/** One hostile client after the other, until enough messages have been sent. */
import { connect, type Socket } from 'node:net';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { burst, firstPacket, pick, type Random } from './grammar.js';

export interface Attack {
  readonly port: number;
  readonly random: Random;
  /** Messages sent so far by all attackers, and how many there are to be. */
  readonly progress: { sent: number; connections: number; readonly wanted: number };
}

const damage = 0.01;
const mostInBurst = 30;
/** An answer is waited for this long at most before the next burst. */
const patienceMs = 20;

export async function attack({ port, random, progress }: Attack): Promise<void> {
  while (progress.sent < progress.wanted) {
    progress.connections++;
    const socket = connect({ host: '127.0.0.1', port });
    socket.on('error', () => {});
    // Some never read what they are sent.
    if (random() < 0.95) socket.resume();
    await write(socket, firstPacket(random), random);
    progress.sent++;
    for (let bursts = Math.floor(random() * 12); bursts > 0 && !socket.destroyed; bursts--) {
      const { bytes, count } = burst(random, mostInBurst, damage);
      await write(socket, bytes, random);
      progress.sent += count;
      if (random() < 0.7) await answer(socket);
    }
    await leave(socket, random);
  }
}

async function write(socket: Socket, bytes: Buffer, random: Random): Promise<void> {
  const whole = random() < 0.8;
  for (let at = 0; at < bytes.length && !socket.destroyed;) {
    const size = whole ? bytes.length : 1 + Math.floor(random() * 200);
    socket.write(bytes.subarray(at, at + size));
    at += size;
    if (!whole) await setImmediate();
  }
}

function answer(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      socket.off('data', done).off('close', done);
      resolve();
    };
    const timer = setTimeout(done, patienceMs);
    socket.once('data', done).once('close', done);
  });
}

async function leave(socket: Socket, random: Random): Promise<void> {
  if (random() < 0.5) await sleep(random() * patienceMs);
  if (socket.destroyed) return;
  switch (pick(random, ['terminate', 'fin', 'reset', 'vanish'])) {
    case 'terminate':
      socket.end(Buffer.from([0x58, 0, 0, 0, 4]));
      break;
    case 'fin':
      socket.end();
      break;
    case 'reset':
      socket.resetAndDestroy();
      return;
    default:
      socket.destroy();
      return;
  }
  socket.resume();
  setTimeout(() => socket.destroy(), 1000).unref();
}
