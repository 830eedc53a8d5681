/** pcp_watchdog_info: the reply is JSON (reference/wire.md section 5). */
import { readComplete } from '../client/replies.js';
import type { PcpCommand } from '../command.js';
import { plainLine } from '../layout.js';
import { escapeControls } from '../../../../shared/log-prefix.js';
import { readWatchdog, type Watchdog, type WatchdogNode } from './watchdog-json.js';

export const watchdogInfo: PcpCommand = {
  name: 'pcp_watchdog_info',
  summary: 'shows the watchdog and its nodes',
  options: ['watchdog-id'],
  id: 'watchdog-id',
  async run(connection, { id, verbose }) {
    connection.send('W', Buffer.from(`${id ?? -1}\0`));
    const [json] = await readComplete(connection, 'w');
    const watchdog = readWatchdog(json ?? '');
    return { text: verbose ? verboseText(watchdog) : plainText(watchdog), json: watchdogJson(watchdog) };
  },
};

const quorumTexts: Readonly<Record<number, string>> = {
  0: 'QUORUM IS ON THE EDGE', 1: 'QUORUM EXIST', [-1]: 'QUORUM ABSENT', [-2]: 'NO LEADER NODE',
};

const quorumNames: Readonly<Record<number, string>> = { 0: 'on the edge', 1: 'exists', [-1]: 'absent', [-2]: 'no leader node' };

const yesOrNo = (value: boolean): string => (value ? 'YES' : 'NO');

function plainText({ remoteNodes, memberRemoteNodes, escalated, leaderName, leaderHost, nodes }: Watchdog): string {
  const first = plainLine([String(remoteNodes + 1), String(memberRemoteNodes + 1), yesOrNo(escalated), leaderName, leaderHost]);
  return `${first}\n${nodes.map((node) => plainLine([
    node.name, node.host, String(node.pgpoolPort), String(node.watchdogPort), String(node.state), node.stateName,
    String(node.membership), node.membershipName,
    // Servers before 4.8 do not tell it.
    ...(node.lifecheckStarted === undefined ? [] : [yesOrNo(node.lifecheckStarted)]),
  ])).join('')}`;
}

function verboseText(watchdog: Watchdog): string {
  const cluster: readonly (readonly [string, string | number])[] = [
    ['Total Nodes', watchdog.remoteNodes + 1],
    ['Remote Nodes', watchdog.remoteNodes],
    ['Member Remote Nodes', watchdog.memberRemoteNodes],
    ['Alive Remote Nodes', watchdog.aliveNodes],
    ['Nodes required for quorum', watchdog.nodesForQuorum],
    ['Quorum state', quorumTexts[watchdog.quorum] ?? 'UNKNOWN'],
    ['Local node escalation', yesOrNo(watchdog.escalated)],
    ['Leader Node Name', watchdog.leaderName],
    ['Leader Host Name', watchdog.leaderHost],
  ];
  return `Watchdog Cluster Information \n${titled(cluster, 25)}Watchdog Node Information \n${watchdog.nodes.map(verboseNode).join('')}`;
}

function verboseNode(node: WatchdogNode): string {
  return titled([
    ['Node Name', node.name],
    ['Host Name', node.host],
    ['Delegate IP', node.delegateIp],
    ['Pgpool port', node.pgpoolPort],
    ['Watchdog port', node.watchdogPort],
    ['Node priority', node.priority],
    ['Status', node.state],
    ['Status Name', node.stateName],
    ['Membership Status', node.membershipName],
    ...(node.lifecheckStarted === undefined ? [] : [['Lifecheck Started', yesOrNo(node.lifecheckStarted)] as const]),
  ], 18);
}

/** Here the colon follows the title's column without a blank. */
function titled(lines: readonly (readonly [string, string | number])[], widthCharacters: number): string {
  return `${lines.map(([title, value]) => `${title.padEnd(widthCharacters)}: ${escapeControls(String(value))}\n`).join('')}\n`;
}

function watchdogJson(watchdog: Watchdog): Record<string, unknown> {
  return {
    total_nodes: watchdog.remoteNodes + 1,
    remote_nodes: watchdog.remoteNodes,
    member_remote_nodes: watchdog.memberRemoteNodes,
    alive_remote_nodes: watchdog.aliveNodes,
    nodes_required_for_quorum: watchdog.nodesForQuorum,
    quorum: quorumNames[watchdog.quorum] ?? 'unknown',
    escalated: watchdog.escalated,
    leader_node_name: watchdog.leaderName,
    leader_hostname: watchdog.leaderHost,
    nodes: watchdog.nodes.map((node) => ({
      watchdog_id: node.id,
      node_name: node.name,
      hostname: node.host,
      delegate_ip: node.delegateIp || null,
      pgpool_port: node.pgpoolPort,
      watchdog_port: node.watchdogPort,
      priority: node.priority,
      state: node.state,
      state_name: node.stateName,
      membership: node.membership,
      membership_name: node.membershipName,
      lifecheck_started: node.lifecheckStarted ?? null,
    })),
  };
}
