/**
 * What PCP clients cost those who query:
 * `node dist/bench/pcp/run.js [--rounds N] [--seconds N] [--clients N] [--pause MS] [--hostile-pause MS]`.
 *
 * pgbench runs through pgloom without and with 200 PCP clients and a fuzzer on the PCP port, in turns. Each client is logged
 * in and asks every five seconds, as monitors do, nine of ten for node info, one for all processes; the fuzzer makes some
 * twenty connections a second. pgbench takes all the CPU there is, so what the clients themselves use shows in the ratio,
 * too: ask more often and it falls. It is taken within each round. Exit status 1 when pgbench lost a transaction or the median
 * ratio is under 0.95.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCluster } from '../../src/main/demo/cluster.js';
import { pcpConfLine, PcpClient } from '../../test/pcp/pcp-client.js';
import { startPgloom, type Pgloom } from '../../test/support/pgloom.js';
import { numbersFrom } from '../fuzz/fuzz.js';
import { loginArguments, runProgram, runPgbench } from '../pgbench.js';
import { findProgram } from '../programs.js';
import { median } from '../summary.js';
import { attack } from './attack.js';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '5' }, clients: { type: 'string', default: '200' }, pause: { type: 'string', default: '5000' }, 'hostile-pause': { type: 'string', default: '50' } } });
const [rounds, seconds, clients, pauseMs, hostilePauseMs] = [values.rounds, values.seconds, values.clients, values.pause, values['hostile-pause']].map(Number) as [number, number, number, number, number];
const leastRatio = 0.95;
const user = 'postgres';

const pgbench = findProgram('pgbench');
if (pgbench === null) throw new Error('pgbench is not installed');
const cluster = await startCluster();
let pgloom: Pgloom | null = null;
try {
  const [primary] = cluster.nodes;
  if (primary === undefined) throw new Error('the cluster has no nodes');
  await runProgram(pgbench, ['-i', '-q', '-s', '10', ...loginArguments({ host: primary.host, port: primary.port, user, database: 'postgres' })], 120_000);
  await cluster.waitForReplay();
  // One worker: how sessions happen to be spread over several makes more of a difference than what is measured here.
  pgloom = await startPgloom({ nodes: cluster.nodes, pcp: pcpConfLine(), settings: { num_init_children: 32, worker_threads: 1 } });
  process.exitCode = await measure(pgloom, pgbench);
} finally {
  await pgloom?.stop();
  await cluster.stop();
}

async function measure(target: Pgloom, program: string): Promise<number> {
  const login = { host: target.host, port: target.port, user, database: 'postgres' };
  // Another address than the monitors', who would have to wait behind failed logins.
  const hostileSocket = join(target.socketDirectory, `.s.PGSQL.${target.pcpPort}`);
  const load = (): Promise<number> => runPgbench(program, ['-S', '-M', 'simple', '-c', '8', '-j', '1'], login, seconds, null).then((result) => result.transactionsPerSecond);
  await load();
  const ratios: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    const alone = round % 2 === 0 ? await load() : null;
    const stop = { now: false };
    const crowd = Promise.all([monitors(target, stop), attack({ where: hostileSocket, user, password: 'secret' }, numbersFrom(round), () => stop.now, hostilePauseMs)]);
    const beside = await load();
    stop.now = true;
    const [answers, { connections }] = await crowd;
    const without = alone ?? await load();
    ratios.push(beside / without);
    console.log(`round ${round}: alone ${Math.round(without)}/s, beside ${clients} PCP clients ${Math.round(beside)}/s (${(beside / without).toFixed(3)}); PCP: ${answers} answers, ${connections} hostile connections`);
  }
  const middle = median(ratios) ?? 0;
  console.log(`median ratio ${middle.toFixed(3)}`);
  return middle >= leastRatio ? 0 : 1;
}

/** Returns how many requests were answered. */
async function monitors(target: Pgloom, stop: { readonly now: boolean }): Promise<number> {
  let answers = 0;
  await Promise.all(Array.from({ length: clients }, async (_, at) => {
    const client = await PcpClient.login(target.pcpPort);
    // Spread over the time, and not longer than the load lasts.
    let nextMs = performance.now() + (at * pauseMs) / clients;
    while (!stop.now) {
      await sleep(Math.min(100, Math.max(1, nextMs - performance.now())));
      if (performance.now() < nextMs) continue;
      nextMs += pauseMs;
      await (at % 10 === 0 ? client.rows('P', '0\0') : client.rows('I', '-1\0'));
      answers += 1;
    }
    client.end();
  }));
  return answers;
}
