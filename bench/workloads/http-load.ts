import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';
import { plainAccess } from '../client-access.js';
import { percentiles } from '../pgbench.js';
import { cpuOfTree, memoryOfTree, procIsThere } from '../proc-cpu.js';
import type { Login } from '../raw-client.js';
import { registerUndo } from '../scratch.js';
import { cpuPerUnit } from './pgbench-load.js';
import { nothingMeasured, type Workload } from './workload.js';

const serviceFile = fileURLToPath(new URL('../http-service.js', import.meta.url));
const connections = 32;

/** Starts the HTTP service with its pool pointed at a login; resolves with its port. */
async function startService(login: Login, accounts: number): Promise<{ port: number; stop: () => Promise<void> }> {
  const child: ChildProcess = fork(serviceFile, [], {
    env: {
      ...process.env,
      PGHOST: login.host, PGPORT: String(login.port), PGUSER: login.user, PGDATABASE: login.database,
      BENCH_ACCOUNTS: String(accounts),
    },
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = registerUndo(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const port = await new Promise<number>((resolve, reject) => {
    child.once('message', (message) => resolve(Number(message)));
    child.once('exit', (code) => reject(new Error(`the HTTP service ended with ${code}`)));
    child.once('error', reject);
  });
  return { port, stop };
}

/** One autocannon run; its own percentiles are whole milliseconds, so that each response's time is kept here. */
async function shoot(
  port: number, method: 'GET' | 'POST', seconds: number,
): Promise<{ requests: number; perSecond: number; latenciesUs: number[] }> {
  const latenciesUs: number[] = [];
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const instance = autocannon(
      { url: `http://127.0.0.1:${port}/account`, method, connections, duration: seconds },
      (error: unknown, finished: autocannon.Result) => (error ? reject(error) : resolve(finished)),
    );
    instance.on('response', (_client, _status, _bytes, responseMs) => latenciesUs.push(responseMs * 1000));
  });
  const bad = result.non2xx + result.errors;
  if (bad > 0) throw new Error(`${bad} of ${result.requests.total} requests failed`);
  return { requests: result.requests.total, perSecond: result.requests.total / result.duration, latenciesUs };
}

/** autocannon against an HTTP service with a pg pool behind the proxy. */
export function httpLoad(name: string, method: 'GET' | 'POST', accounts: number): Workload {
  return {
    name,
    unit: 'request',
    title: (seconds) => `autocannon -c ${connections} -d ${seconds} -m ${method} http://…/account`,
    access: plainAccess,
    clients: 64,
    fresh: false,
    suitsDirect: true,
    measure: async (context, _target, { login, pid }) => {
      const service = await startService(login, accounts);
      try {
        await shoot(service.port, method, 1);
        const proxyPid = procIsThere ? pid : null;
        const before = proxyPid === null ? null : cpuOfTree(proxyPid);
        const { requests, perSecond, latenciesUs } = await shoot(service.port, method, context.seconds);
        const cpu = proxyPid === null || before === null ? {} : cpuPerUnit(before, cpuOfTree(proxyPid), requests);
        const memoryBytes = proxyPid === null ? null : memoryOfTree(proxyPid);
        return { ...nothingMeasured, ...cpu, ...percentiles(latenciesUs), perSecond, memoryBytes };
      } finally {
        await service.stop();
      }
    },
  };
}
