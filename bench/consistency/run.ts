/**
 * The long consistency test: writers and readers through pgloom, every answer checked. Ends with status 1 when one was
 * wrong.
 */
import { parseArgs } from 'node:util';
import { startCluster } from '../../src/main/demo/cluster.js';
import { startPgloom } from '../../test/support/pgloom.js';
import { residentBytes } from '../fuzz/fuzz.js';
import { describeMachine, machineLine } from '../machine.js';
import type { Ledger } from './ledger.js';
import { createSchema } from './schema.js';
import { Soak } from './soak.js';

const usage = `node dist/bench/consistency/run.js [flags]
  --minutes N   ends after so many minutes (10)
  --queries N   or after so many queries (2000000)
  --clients N   sessions at a time (24)
  --workers N   worker_threads of pgloom (2)
  --seed N      of the random numbers (1)
`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' }, queries: { type: 'string', default: '2000000' }, clients: { type: 'string', default: '24' },
    workers: { type: 'string', default: '2' }, seed: { type: 'string', default: '1' }, help: { type: 'boolean', default: false },
  },
});
const [minutes, queries, clients, workers, seed] = [values.minutes, values.queries, values.clients, values.workers, values.seed].map(Number) as [number, number, number, number, number];
if (values.help || ![minutes, queries, clients, workers, seed].every((value) => value > 0)) {
  process.stderr.write(usage);
  process.exit(values.help ? 0 : 2);
}

const reportMs = 30_000;

process.exitCode = await main();

async function main(): Promise<number> {
  console.log(machineLine(describeMachine()));
  const cluster = await startCluster();
  try {
    await createSchema((sql, database) => cluster.query(0, sql, database));
    await cluster.waitForReplay();
    const pgloom = await startPgloom({ nodes: cluster.nodes, settings: { num_init_children: clients * 2 + 8, worker_threads: workers, reserved_connections: 0 } });
    try {
      const startedMs = Date.now();
      const soak = new Soak({ port: pgloom.port, primaryPort: cluster.nodes[0]?.port ?? 0, queries, limitMs: minutes * 60_000, clients, seed });
      const report = reporter(soak.ledger, startedMs, pgloom.pid);
      const timer = setInterval(report, reportMs);
      const ledger = await soak.run().finally(() => clearInterval(timer));
      report();
      console.log([...ledger.byScenario].sort().map(([name, count]) => `${name} ${count}`).join(', '));
      console.log(`reads by node: ${cluster.nodes.map(({ id, port }) => `${id}: ${soak.readsByPort.get(port) ?? 0}`).join(', ')}`);
      for (const [error, count] of ledger.errors) console.log(`ERROR ${count} times: ${error}`);
      const faults = pgloom.stderr().split('\n').filter((text) => /internal error|PANIC|uncaught|did not follow/i.test(text));
      for (const fault of faults.slice(0, 20)) console.log(`LOG ${fault}`);
      return ledger.clean && faults.length === 0 ? 0 : 1;
    } finally {
      await pgloom.stop();
    }
  } finally {
    await cluster.stop();
  }
}

/** Says how far it is, and at once what was wrong since the last time. */
function reporter(ledger: Ledger, startedMs: number, pid: number): () => void {
  let told = 0;
  const errors = new Set<string>();
  return () => {
    console.log(line(ledger, startedMs, pid));
    for (const { what, expected, got } of ledger.wrong.slice(told)) console.log(`WRONG ${what}\n  expected ${expected}\n  got      ${got}`);
    told = ledger.wrong.length;
    for (const error of ledger.errors.keys()) if (!errors.has(error)) console.log(`ERROR ${error}`);
    for (const error of ledger.errors.keys()) errors.add(error);
  };
}

function line(ledger: Ledger, startedMs: number, pid: number): string {
  const seconds = (Date.now() - startedMs) / 1000;
  return `${Math.round(seconds)} s: ${ledger.queries} queries (${Math.round(ledger.queries / seconds)}/s), ${ledger.transactions} transactions, ${ledger.sessions} sessions, `
    + `${ledger.cancelled} cancelled, ${ledger.vanished} vanished, ${ledger.checks} checks, ${ledger.wrong.length} wrong, ${ledger.errors.size} kinds of errors, pgloom ${Math.round(residentBytes(pid) / 1e6)} MB`;
}
