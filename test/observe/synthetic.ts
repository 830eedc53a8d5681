/** A large pgloom that is not there: 128 nodes and 10,000 sessions in the real tables, behind the real HTTP server. */
import { AdmissionCounts } from '../../src/main/listen/admission-counts.js';
import type { Administration } from '../../src/main/administration.js';
import { loadConfig } from '../../src/main/config/load.js';
import type { Observed } from '../../src/main/observe/http-observed.js';
import { HttpServer } from '../../src/main/observe/http-server.js';
import { createLogger } from '../../src/shared/logger.js';
import { ChildState, ChildTable } from '../../src/shared/memory/child-table.js';
import { HealthTable } from '../../src/shared/memory/health-table.js';
import { ExchangeClass, LatencyTable } from '../../src/shared/memory/latency-table.js';
import { LoginFailures } from '../../src/shared/memory/login-failures.js';
import { NodeRole, NodeStatus, NodeTable } from '../../src/shared/memory/node-table.js';
import { CountedKind } from '../../src/shared/memory/statement-counts.js';
import { WorkerTable } from '../../src/shared/memory/worker-table.js';
import type { LinkRow } from '../../src/shared/report/link-row.js';
import { freePort } from '../../src/main/demo/free-port.js';
import { writeConfig } from '../engine/pgpool-command.js';

const nodeCount = 128;
const workerCount = 4;
export const sessionCount = 10_000;
/** What a hostile application calls itself. */
export const hostileName = '<script>document.title="no"</script><img src=x onerror=alert()>';

export interface Synthetic {
  readonly port: number;
  readonly observed: Observed;
  /** Lets the counters of two nodes go on. */
  work(): void;
  close(): Promise<void>;
}

/** @param directory for its pgpool.conf */
export async function startSynthetic(directory: string): Promise<Synthetic> {
  const port = await freePort();
  const backends = Object.fromEntries(Array.from({ length: nodeCount }, (_, id) => [
    [`backend_hostname${id}`, `db-${id}.cluster.internal`], [`backend_port${id}`, 5432], [`backend_weight${id}`, 1],
  ]).flat());
  const file = await writeConfig(directory, {
    num_init_children: 12_000, worker_threads: workerCount, http_port: port, http_listen_addresses: '127.0.0.1', log_min_messages: 'panic', ...backends,
  });
  const { settings } = loadConfig(file);
  const nodes = syntheticNodes();
  const children = syntheticChildren();
  const workers = new WorkerTable(workerCount);
  const latencies = new LatencyTable(workerCount);
  const health = new HealthTable();
  for (let thread = 1; thread <= workerCount; thread++) {
    const row = workers.claim(thread);
    workers.setSessions(row, sessionCount / workerCount);
    workers.setThreadHealth(row, { medianMs: 0.3, p99Ms: 4, maxMs: 21, heapBytes: 90e6 });
  }
  const work = (): void => {
    for (const [node, kind, times] of [[0, ExchangeClass.write, 40], [1, ExchangeClass.read, 900]] as const) {
      for (let i = 0; i < times; i++) {
        workers.countStatement(0, node, kind === ExchangeClass.write ? CountedKind.update : CountedKind.select);
        latencies.note(0, node, kind, 0.1 * 1.01 ** i);
      }
    }
  };
  work();
  const administration: Administration = {
    log: createLogger(settings),
    sources: () => ({ settings, nodes, children, workers, health }),
    links: async () => syntheticLinks(),
    attachNode: (node) => nodes.setStatus(node, NodeStatus.up),
    detachNode: async (node) => nodes.setStatus(node, NodeStatus.down),
    promoteNode: async () => undefined,
    stop: () => undefined,
    reload: async () => undefined,
    rotateLog: () => undefined,
  };
  const observed: Observed = {
    administration, latencies, loginFailures: new LoginFailures(), admission: { length: 3, capacity: 24_000, counts: new AdmissionCounts() }, engine: { sessions: sessionCount },
    startedMs: Date.now() - 93_784_000, isAccepting: () => true,
    loopDelays: () => ({ medianMs: 0, p99Ms: 0, maxMs: 0 }),
  };
  const server = await HttpServer.open(observed, `${directory}/pcp.conf`);
  return { port, observed, work, close: async () => server?.close() };
}

function syntheticNodes(): NodeTable {
  const nodes = new NodeTable();
  nodes.setCount(nodeCount);
  for (let node = 0; node < nodeCount; node++) {
    nodes.setStatus(node, node % 17 === 5 ? NodeStatus.down : NodeStatus.up);
    nodes.setRole(node, node === 0 ? NodeRole.primary : NodeRole.standby);
    nodes.setDelayBytes(node, node * 1_000_003);
    nodes.setReplication(node, 'streaming', 'async');
  }
  nodes.setPrimary(0);
  return nodes;
}

function syntheticChildren(): ChildTable {
  const children = new ChildTable(12_000, 3000);
  const states = [ChildState.idle, ChildState.executing, ChildState.idle, ChildState.idleInTransaction] as const;
  for (let row = 0; row < children.size; row++) {
    children.start(row, 1000 + row, Date.now() - 3_600_000);
    if (row >= sessionCount) continue;
    children.setClient(row, {
      database: `shop_${row % 7}`, user: `service_${row % 23}`, host: `10.1.${row % 200}.${row % 250}`, port: 40_000 + (row % 20_000),
      application: row === 3 ? hostileName : `worker ${row % 50}`, connectedMs: Date.now() - row * 1000, secret: new Uint8Array(32),
    });
    children.setState(row, states[row % states.length] ?? ChildState.idle);
    children.setLoadBalanceNode(row, row % nodeCount);
  }
  return children;
}

function syntheticLinks(): LinkRow[] {
  return Array.from({ length: sessionCount }, (_, i) => ({
    childRow: i, node: i % nodeCount, database: `shop_${i % 7}`, user: `service_${i % 23}`, openedMs: Date.now() - 60_000, idleSinceMs: 0,
    sessions: 4, backendPid: 100 + i, connected: i % 3 !== 0, entry: i % 161, statement: 'select secret',
  }));
}
