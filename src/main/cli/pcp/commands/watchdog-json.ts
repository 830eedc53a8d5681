/** The JSON text of a watchdog reply, checked. */
import { malformed } from '../failure.js';

export interface WatchdogNode {
  readonly id: number;
  readonly name: string;
  readonly host: string;
  readonly delegateIp: string;
  readonly pgpoolPort: number;
  readonly watchdogPort: number;
  readonly priority: number;
  readonly state: number;
  readonly stateName: string;
  readonly membership: number;
  readonly membershipName: string;
  /** Told since 4.8. */
  readonly lifecheckStarted: boolean | undefined;
}

export interface Watchdog {
  /** Without the one that answers. */
  readonly remoteNodes: number;
  readonly memberRemoteNodes: number;
  readonly aliveNodes: number;
  readonly nodesForQuorum: number;
  /** 1 exists, 0 on the edge, -1 absent, -2 no leader. */
  readonly quorum: number;
  readonly escalated: boolean;
  readonly leaderName: string;
  readonly leaderHost: string;
  readonly nodes: readonly WatchdogNode[];
}

type JsonObject = Readonly<Record<string, unknown>>;

/** @throws PcpFailure for anything that is not such a text */
export function readWatchdog(text: string): Watchdog {
  const object = parseObject(text);
  const nodes = object['WatchdogNodes'];
  if (!Array.isArray(nodes) || nodes.length !== integer(object, 'NodeCount')) throw malformed('WatchdogNodes are not as many as NodeCount says');
  return {
    remoteNodes: integer(object, 'RemoteNodeCount'),
    // Old servers do not send these two.
    memberRemoteNodes: integer(object, 'MemberRemoteNodeCount', -1),
    nodesForQuorum: integer(object, 'NodesRequireForQuorum', -1),
    aliveNodes: integer(object, 'AliveNodeCount'),
    quorum: integer(object, 'QuorumStatus'),
    escalated: integer(object, 'Escalated') !== 0,
    leaderName: string(object, 'LeaderNodeName'),
    leaderHost: string(object, 'LeaderHostName'),
    nodes: nodes.map((node: unknown) => {
      if (!isObject(node)) throw malformed('a watchdog node is not an object');
      return readNode(node);
    }),
  };
}

function readNode(node: JsonObject): WatchdogNode {
  const started = node['LifecheckStarted'];
  return {
    id: integer(node, 'ID'),
    name: string(node, 'NodeName'),
    host: string(node, 'HostName'),
    delegateIp: string(node, 'DelegateIP'),
    pgpoolPort: integer(node, 'PgpoolPort'),
    watchdogPort: integer(node, 'WdPort'),
    priority: integer(node, 'Priority'),
    state: integer(node, 'State'),
    stateName: string(node, 'StateName'),
    membership: integer(node, 'Membership', 0),
    membershipName: node['MembershipString'] === undefined ? '' : string(node, 'MembershipString'),
    lifecheckStarted: started === undefined ? undefined : started === true || started === 1,
  };
}

function parseObject(text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed('the watchdog information is not JSON');
  }
  if (!isObject(value)) throw malformed('the watchdog information is not an object');
  return value;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function integer(object: JsonObject, key: string, whenMissing?: number): number {
  const value = object[key] ?? whenMissing;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw malformed(`${key} is not a whole number`);
}

function string(object: JsonObject, key: string): string {
  const value = object[key];
  if (typeof value === 'string') return value;
  throw malformed(`${key} is not a string`);
}
