import { plainAccess, tlsAccess, type ClientAccess } from '../client-access.js';
import { cpuOfTree, memoryOfTree, procIsThere } from '../proc-cpu.js';
import { RawClient } from '../raw-client.js';
import { cpuPerUnit } from './pgbench-load.js';
import { nothingMeasured, type Workload } from './workload.js';

const rows = 200_000;
const bigQuery = `SELECT repeat('x', 1000) FROM generate_series(1, ${rows})`;

/** A result of 200 MB read by one client that counts its bytes and keeps none. */
function bigResultOver(name: string, access: ClientAccess): Workload {
  return {
    name,
    unit: 'MB',
    title: () => `one client reads \`${bigQuery}\`${access.encrypted ? ' over TLS' : ''}`,
    access,
    clients: 64,
    fresh: false,
    suitsDirect: true,
    measure: async (_context, _target, { login, pid }) => {
      const client = await RawClient.connect(login);
      await client.query(`SELECT repeat('x', 1000) FROM generate_series(1, 20000)`); // grows buffers
      const proxyPid = procIsThere ? pid : null;
      const before = proxyPid === null ? null : cpuOfTree(proxyPid);
      const startMs = performance.now();
      const megabytes = (await client.query(bigQuery)) / 1e6;
      const perSecond = (megabytes / (performance.now() - startMs)) * 1000;
      const cpu = proxyPid === null || before === null ? {} : cpuPerUnit(before, cpuOfTree(proxyPid), megabytes);
      const memoryBytes = proxyPid === null ? null : memoryOfTree(proxyPid);
      client.end();
      return { ...nothingMeasured, ...cpu, perSecond, memoryBytes };
    },
  };
}

export const bigResult: Workload = bigResultOver('big', plainAccess);
export const bigResultOverTls: Workload = bigResultOver('tls-big', tlsAccess);
