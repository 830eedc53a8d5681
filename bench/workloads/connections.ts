import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { plainAccess } from '../client-access.js';
import { descriptorsOfTree, memoryOfProcess, memoryOfTree } from '../proc-cpu.js';
import { raiseDescriptorLimit } from '../programs.js';
import { RawClient, type Login } from '../raw-client.js';
import type { RunningTarget, Target } from '../targets/target.js';
import { nothingMeasured, type Measurement, type Workload } from './workload.js';

/** Descriptors that a process needs beside its connections. */
const spareDescriptors = 500;

/** How many connections are feasible: what the target serves, and what descriptors allow. */
function feasible(wanted: number, target: Target): number {
  const byDescriptors = raiseDescriptorLimit(wanted * 2 + spareDescriptors) - spareDescriptors;
  // Two descriptors a connection while a socket is handed over, and for a session that has its backend link.
  return Math.max(1, Math.min(wanted, target.mostClients, Math.floor(byDescriptors / 2)));
}

/** Opens things in small groups, so that no listen queue overflows. */
async function openAll<T>(count: number, open: () => Promise<T>): Promise<T[]> {
  const opened: T[] = [];
  while (opened.length < count) {
    const group = Math.min(50, count - opened.length);
    opened.push(...(await Promise.all(Array.from({ length: group }, open))));
  }
  return opened;
}

/** Connects and says nothing. */
function openSilent(login: Login): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: login.host, port: login.port });
    socket.once('connect', () => {
      socket.removeListener('error', reject);
      socket.on('error', () => socket.destroy());
      socket.resume();
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

/** Logs in and runs one query, so that the session has had its server connection. */
async function openSession(login: Login): Promise<RawClient> {
  const client = await RawClient.connect(login);
  await client.query('SELECT 1');
  return client;
}

/** Waits until the proxy has taken what the kernel queued for it: its open descriptors stop changing. */
async function settle(pid: number): Promise<void> {
  let previous = -1;
  for (let tries = 0; tries < 30; tries++) {
    await sleep(700);
    const now = descriptorsOfTree(pid);
    if (now === previous) return;
    previous = now;
  }
}

/**
 * Memory that `count` connections add, for each. A preforked target has a process ready for each
 * client before it comes: there all but the root process is counted as the clients' memory.
 */
async function measureMemory(
  target: Target, running: RunningTarget, count: number, wanted: number, open: () => Promise<() => boolean>,
): Promise<Measurement> {
  const { pid } = running;
  if (pid === null) return nothingMeasured;
  await sleep(500);
  const freshBytes = memoryOfTree(pid);
  const stillOpen = await openAll(count, open);
  await settle(pid);
  const memoryBytes = memoryOfTree(pid);
  const baseBytes = target.preforked ? memoryOfProcess(pid) : freshBytes;
  const lost = stillOpen.filter((isOpen) => !isOpen()).length;
  const notes = [
    ...(count < wanted ? [`${count} connections only`] : []),
    ...(target.preforked ? ['its processes are counted whole'] : []),
    ...(lost > 0 ? [`${lost} connections were closed by the proxy`] : []),
  ];
  const note = notes.length === 0 ? null : notes.join('; ');
  return { ...nothingMeasured, memoryBytes, memoryEachBytes: (memoryBytes - baseBytes) / count, note };
}

function connectionLoad(
  name: string, what: string, wanted: number,
  openOne: (login: Login) => Promise<{ close: () => void; isOpen: () => boolean }>,
): Workload {
  return {
    name,
    unit: 'connection',
    title: () => `${wanted} ${what}`,
    access: plainAccess,
    clients: wanted,
    fresh: true,
    suitsDirect: false,
    measure: async (_context, target, running) => {
      const closes: (() => void)[] = [];
      try {
        return await measureMemory(target, running, feasible(wanted, target), wanted, async () => {
          const opened = await openOne(running.login);
          closes.push(opened.close);
          return opened.isOpen;
        });
      } finally {
        for (const close of closes) close();
      }
    },
  };
}

/** Connections that never send a byte. */
export const silentConnections: Workload = connectionLoad(
  'silent', 'TCP connections that send nothing', 5000,
  async (login) => {
    const socket = await openSilent(login);
    return { close: () => socket.destroy(), isOpen: () => !socket.destroyed };
  },
);

/** Sessions that ran one query and then stay. */
export const idleSessions: Workload = connectionLoad(
  'idle', 'logged-in sessions that have run one query', 400,
  async (login) => {
    const client = await openSession(login);
    return { close: () => client.end(), isOpen: () => client.isOpen };
  },
);
