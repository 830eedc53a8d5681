import { plainAccess, scramAccess, tlsAccess, type ClientAccess } from '../client-access.js';
import { runPgbench, takeLatency } from '../pgbench.js';
import { cpuOfEndedChildrenUs, cpuOfTree, memoryOfTree, procIsThere, type CpuTime } from '../proc-cpu.js';
import { nothingMeasured, type Measurement, type Workload } from './workload.js';

/** The CPU between two readings, for each of `units`. */
export function cpuPerUnit(
  before: CpuTime, after: CpuTime, units: number,
): Pick<Measurement, 'cpuUserUs' | 'cpuSystemUs' | 'cpuUs'> {
  const userUs = (after.userUs - before.userUs) / units;
  const systemUs = (after.systemUs - before.systemUs) / units;
  return { cpuUserUs: userUs, cpuSystemUs: systemUs, cpuUs: userUs + systemUs };
}

function titlePrefix({ encrypted, scram }: ClientAccess): string {
  return `${encrypted ? 'PGSSLMODE=require ' : ''}${scram ? 'PGPASSWORD=… ' : ''}`;
}

/**
 * Seconds of a run before the measured one: pools fill, code gets compiled. A connection takes a way through much more code than a
 * statement, and there are a hundred times fewer in a second: what is measured is to be a proxy that has been up for a while.
 */
const warmUpSeconds = { statements: 1, connections: 8 } as const;

/** A pgbench run with a transaction log, after one that is not measured. */
function pgbenchLoad(name: string, loadArguments: string, clients: number, access: ClientAccess = plainAccess): Workload {
  const connects = loadArguments.split(' ').includes('-C');
  // A thread of pgbench makes its connections one after the other, and waits for each.
  const args = [...loadArguments.split(' '), '-c', String(clients), '-j', String(connects ? clients : 1)];
  return {
    name,
    unit: 'transaction',
    title: (seconds) => `${titlePrefix(access)}pgbench -n ${args.join(' ')} -T ${seconds}`,
    access,
    clients,
    fresh: false,
    suitsDirect: true,
    measure: async (context, _target, { login, pid }) => {
      await runPgbench(context.pgbench, args, login, connects ? warmUpSeconds.connections : warmUpSeconds.statements, null);
      const proxyPid = procIsThere ? pid : null;
      const before = proxyPid === null ? null : cpuOfTree(proxyPid);
      const clientBeforeUs = cpuOfEndedChildrenUs();
      const result = await runPgbench(context.pgbench, args, login, context.seconds, context.logDirectory);
      const clientCpuUs = procIsThere ? (cpuOfEndedChildrenUs() - clientBeforeUs) / result.transactions : null;
      const latency = takeLatency(context.logDirectory, connects);
      if (proxyPid === null || before === null) {
        return { ...nothingMeasured, ...latency, clientCpuUs, perSecond: result.transactionsPerSecond };
      }
      return {
        ...nothingMeasured,
        ...latency,
        ...cpuPerUnit(before, cpuOfTree(proxyPid), result.transactions),
        clientCpuUs,
        perSecond: result.transactionsPerSecond,
        memoryBytes: memoryOfTree(proxyPid),
      };
    },
  };
}

/** All that pgbench drives, from the cheapest transaction to the dearest. */
export const pgbenchLoads: readonly Workload[] = [
  pgbenchLoad('simple', '-S -M simple', 8),
  pgbenchLoad('extended', '-S -M extended', 8),
  pgbenchLoad('prepared', '-S -M prepared', 8),
  pgbenchLoad('single', '-S -M simple', 1),
  pgbenchLoad('many', '-S -M simple', 64),
  pgbenchLoad('connect', '-S -C', 4),
  pgbenchLoad('tpcb', '-b tpcb-like', 8),
];

/** Those of above whose clients come in over TLS, or have to log in with a password. */
export const guardedLoads: readonly Workload[] = [
  pgbenchLoad('tls-simple', '-S -M simple', 8, tlsAccess),
  pgbenchLoad('tls-prepared', '-S -M prepared', 8, tlsAccess),
  pgbenchLoad('tls-connect', '-S -C', 4, tlsAccess),
  pgbenchLoad('scram-connect', '-S -C', 4, scramAccess),
];
