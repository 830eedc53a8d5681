/** SHOW POOL_NODES, POOL_PROCESSES, POOL_POOLS, POOL_STATUS, POOL_VERSION: answered from shared memory by pgloom itself. */
import { ChildState, childStateText } from '../../shared/memory/child-table.js';
import { NodeRole, NodeStatus, PgRole, PgStatus } from '../../shared/memory/node-table.js';
import { poolStatusRows } from '../../shared/parameters/pool-status.js';
import { delayInForce } from '../../shared/replication-delay.js';
import { readyForQuery, textResult } from '../../shared/protocol/writer.js';
import { normalizedWeights } from '../../shared/settings.js';
import { version } from '../../shared/version.js';
import type { Plan } from '../sql/plan.js';
import type { Session } from './session.js';

type Table = readonly [columns: readonly string[], rows: readonly (readonly string[])[]];

const statusText: Readonly<Record<number, string>> = { [NodeStatus.unused]: 'unused', [NodeStatus.waiting]: 'waiting', [NodeStatus.up]: 'up', [NodeStatus.down]: 'down' };
const roleText: Readonly<Record<number, string>> = { [NodeRole.main]: 'main', [NodeRole.replica]: 'replica', [NodeRole.primary]: 'primary', [NodeRole.standby]: 'standby' };
const pgStatusText: Readonly<Record<number, string>> = { [PgStatus.unknown]: 'unknown', [PgStatus.up]: 'up', [PgStatus.down]: 'down' };
const pgRoleText: Readonly<Record<number, string>> = { [PgRole.unknown]: 'unknown', [PgRole.primary]: 'primary', [PgRole.standby]: 'standby' };

/** Local time as Pgpool-II shows it, `YYYY-MM-DD HH:MM:SS`; '' for none. */
export function timestamp(ms: number): string {
  if (ms === 0) return '';
  const date = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** Seconds as Pgpool-II counts down, `M:SS`. */
function countdown(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;
}

/** start_time, with the time left when an idle child that has served somebody will start anew. */
export function startTime(session: Session, row: number): string {
  const { childTable, settings } = session.worker;
  const started = timestamp(childTable.startedAt(row));
  if (settings.child_life_time === 0 || childTable.state(row) !== ChildState.waiting || childTable.served(row) === 0) return started;
  const left = Math.max(0, settings.child_life_time - (Date.now() - childTable.lastActivity(row)) / 1000);
  return `${started} (${countdown(left)} before process restarting)`;
}

function delayText(session: Session, node: number): string {
  const { nodes, settings } = session.worker;
  const { isTime, value } = delayInForce(nodes, settings, node);
  if (!isTime) return String(value);
  const seconds = value / 1_000_000;
  return `${seconds.toFixed(6)} ${seconds >= 2 ? 'seconds' : 'second'}`;
}

/** standby_delayN of SHOW POOL_STATUS: bytes, or seconds. */
function standbyDelay(session: Session, node: number): number {
  const { isTime, value } = delayInForce(session.worker.nodes, session.worker.settings, node);
  return isTime ? value / 1_000_000 : value;
}

function poolNodes(session: Session): Table {
  const { nodes, workerTable, settings } = session.worker;
  const weights = normalizedWeights(settings.backends);
  const reader = session.traffic.router.loadBalanceNode;
  const rows = settings.backends.map(({ id, hostname, port }) => [
    String(id), hostname, String(port), statusText[nodes.status(id)] ?? '', pgStatusText[nodes.pgStatus(id)] ?? '',
    (weights.get(id) ?? 0).toFixed(6), roleText[nodes.role(id)] ?? '', pgRoleText[nodes.pgRole(id)] ?? '', String(workerTable.selects(id)),
    String(id === reader), id === nodes.primary ? '0' : delayText(session, id), nodes.replicationState(id), nodes.syncState(id), timestamp(nodes.changedAt(id) * 1000),
  ]);
  return [['node_id', 'hostname', 'port', 'status', 'pg_status', 'lb_weight', 'role', 'pg_role', 'select_cnt', 'load_balance_node', 'replication_delay', 'replication_state', 'replication_sync_state', 'last_status_change'], rows];
}

function poolProcesses(session: Session): Table {
  const { childTable } = session.worker;
  const rows: string[][] = [];
  for (let row = 0; row < childTable.size; row++) {
    const state = childTable.state(row);
    if (state === ChildState.stopped) continue;
    rows.push([
      String(childTable.id(row)), startTime(session, row), String(childTable.served(row)), childTable.database(row), childTable.user(row),
      timestamp(childTable.backendConnectedAt(row)), state === ChildState.waiting ? '' : String(childTable.poolCounter(row)), childStateText[state] ?? '',
    ]);
  }
  return [['pool_pid', 'start_time', 'client_connection_count', 'database', 'username', 'backend_connection_time', 'pool_counter', 'status'], rows];
}

function poolStatus(session: Session): Table {
  const { nodes, settings } = session.worker;
  const rows = poolStatusRows(settings, { nodeStatus: (id) => nodes.status(id), standbyDelay: (id) => standbyDelay(session, id) });
  return [['item', 'value', 'description'], rows.map(([name, value, description]) => [name, value, description])];
}

function send(session: Session, [columns, rows]: Table, status: number): void {
  const { client } = session;
  const answer = Buffer.concat([textResult(columns, rows), readyForQuery(status)]);
  client.forward(answer, 0, answer.length, client);
}

/**
 * @param status transaction status for ReadyForQuery (Pgpool-II always says idle, also within a transaction)
 * @param ready called when an answer that had to wait can be given: the statement is then shown again
 */
export function answerPoolCommand(session: Session, plan: Plan, status: number, ready: () => void, wait: () => void): 'answered' | null {
  switch (plan.pool) {
    case 'pool_nodes':
      send(session, poolNodes(session), status);
      break;
    case 'pool_processes':
      send(session, poolProcesses(session), status);
      break;
    case 'pool_status':
      send(session, poolStatus(session), status);
      break;
    case 'pool_version':
      send(session, [['pool_version'], [[version]]], status);
      break;
    default: {
      const rows = session.worker.poolRows.take(session, ready);
      if (rows === null) {
        wait();
        return null;
      }
      send(session, rows, status);
    }
  }
  return 'answered';
}
