/** pcp_node_info. */
import { readDecimal, readInteger, readRows } from '../client/replies.js';
import type { PcpCommand, PcpResult } from '../command.js';
import { malformed } from '../failure.js';
import { records, type Cell } from '../layout.js';

/** The weight is sent as a share of RAND_MAX. */
const randMax = 2_147_483_647;
/** Up to 4.3 a row has no field that says whether the delay is a time. */
const oldFieldCount = 12;

interface NodeInfo {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly status: number;
  readonly quarantine: boolean;
  readonly backendStatus: string;
  readonly weight: number;
  readonly role: string;
  readonly backendRole: string;
  /** In microseconds if delayIsTime, else in bytes. */
  readonly delay: number;
  readonly delayIsTime: boolean;
  readonly replicationState: string;
  readonly syncState: string;
  readonly changedSeconds: number;
}

const statusNames: readonly string[] = ['unused', 'waiting', 'up', 'down'];
const roleNames: readonly string[] = ['main', 'replica', 'primary', 'standby'];
const downStatus = 3;

export const nodeInfo: PcpCommand = {
  name: 'pcp_node_info',
  summary: 'shows what pgpool knows of its nodes',
  options: ['node-id', 'all'],
  id: 'node-id',
  async run(connection, { id, all, verbose }) {
    connection.send('I', Buffer.from(`${id ?? -1}\0`));
    const nodes = (await readRows(connection, 'i', 'NodeInfo')).map((row, index) => readNode(row, id ?? index));
    return nodeResult(nodes.filter(({ host }) => all || host !== ''), verbose, nodes.length);
  },
};

function readNode(row: readonly string[], nodeId: number): NodeInfo {
  if (row.length < oldFieldCount) throw malformed(`a node with ${row.length} fields`);
  // In front of the delay 4.4 has put the field that tells its unit. With it the rows of all versions are read alike.
  const [host = '', port, status, quarantine, backendStatus = '', weight, role, backendRole = '', isTime, delay, replicationState = '', syncState = '', changed]
    = row.length === oldFieldCount ? row.toSpliced(8, 0, '0') : row;
  return {
    nodeId, host, backendStatus, backendRole, replicationState, syncState,
    port: readInteger(port, 'a port'),
    status: readInteger(status, 'a status'),
    quarantine: readInteger(quarantine, 'a quarantine flag') !== 0,
    weight: (readDecimal(weight, 'a weight') ?? 0) / randMax,
    role: roleNames[readInteger(role, 'a role')] ?? 'unknown',
    delay: readInteger(delay, 'a delay'),
    delayIsTime: readInteger(isTime, "a delay's unit") !== 0,
    changedSeconds: readInteger(changed, 'a time'),
  };
}

function nodeResult(nodes: readonly NodeInfo[], verbose: boolean, received: number): PcpResult {
  const json = { nodes: nodes.map(nodeJson) };
  // Pgpool-II's words for a reply without rows, and for one whose rows are all unused.
  if (received === 0) return { text: 'pcp_node_info -- Command Successful\n', json };
  if (nodes.length === 0) return { text: 'No node information available\n\n', json };
  return { text: records(nodes.map((node) => nodeCells(node, verbose)), verbose), json };
}

function statusName({ status, quarantine }: NodeInfo): string {
  return status === downStatus && quarantine ? 'quarantine' : statusNames[status] ?? 'unknown';
}

function nodeCells(node: NodeInfo, verbose: boolean): Cell[] {
  return [
    ['Hostname', node.host],
    ['Port', String(node.port)],
    ['Status', String(node.status)],
    ['Weight', node.weight.toFixed(6)],
    ['Status Name', statusName(node)],
    ['Backend Status Name', node.backendStatus],
    ['Role', node.role],
    ['Backend Role', node.backendRole],
    ['Replication Delay', delayText(node, verbose)],
    ['Replication State', node.replicationState || 'none'],
    ['Replication Sync State', node.syncState || 'none'],
    ['Last Status Change', localTime(node.changedSeconds)],
  ];
}

function delayText({ delay, delayIsTime }: NodeInfo, verbose: boolean): string {
  if (!delayIsTime) return String(delay);
  const seconds = delay / 1_000_000;
  if (!verbose) return seconds.toFixed(6);
  return `${seconds.toFixed(6)} ${seconds >= 2 ? 'seconds' : 'second'}`;
}

function nodeJson(node: NodeInfo): Record<string, unknown> {
  return {
    node_id: node.nodeId,
    hostname: node.host,
    port: node.port,
    status: statusName(node),
    backend_status: node.backendStatus,
    weight: node.weight,
    role: node.role,
    backend_role: node.backendRole,
    replication_delay_bytes: node.delayIsTime ? null : node.delay,
    replication_delay_seconds: node.delayIsTime ? node.delay / 1_000_000 : null,
    replication_state: node.replicationState || null,
    replication_sync_state: node.syncState || null,
    last_status_change: timeJson(node.changedSeconds),
  };
}

/** As strftime's `%F %T` in the time zone of this machine. */
function localTime(seconds: number): string {
  const time = new Date(seconds * 1000);
  if (Number.isNaN(time.getTime())) return String(seconds);
  const two = (part: number): string => String(part).padStart(2, '0');
  const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${date} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}

/** null for a time that no calendar has. */
function timeJson(seconds: number): string | null {
  const time = new Date(seconds * 1000);
  return Number.isNaN(time.getTime()) ? null : time.toISOString();
}
