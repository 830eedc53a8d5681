/** `L` and `I`: how many nodes there are, and what is known of them. */
import { AdministrationError } from '../../administration.js';
import { NodeRole } from '../../../shared/memory/node-table.js';
import { nodeFacts, type NodeFacts, pgRoleText, pgStatusText } from '../../../shared/report/node-facts.js';
import type { ReportSources } from '../../../shared/report/sources.js';
import { commandComplete, numberOf, packet, payloadStrings } from '../framing.js';
import type { PcpCommand } from '../session.js';

/** RAND_MAX, by which Pgpool-II multiplies weights. */
const weightUnit = 2_147_483_647;

export const nodeCount: PcpCommand = ({ administration, send }) => send(commandComplete('l', String(administration.sources().nodes.count)));

export const nodeInfo: PcpCommand = async ({ administration, send }, payload) => {
  const text = payloadStrings(payload)[0] ?? '';
  const id = numberOf(text);
  const sources = administration.sources();
  const { count } = sources.nodes;
  if (id < -1 || id >= count) throw new AdministrationError('informing node info failed', `invalid node ID : ${text}`);
  const known = new Map(nodeFacts(sources).map((node) => [node.id, node]));
  const ids = id === -1 ? Array.from({ length: count }, (_, slot) => slot) : [id];
  const rows = ids.map((slot) => packet('i', 'NodeInfo', ...nodeRow(known.get(slot), slot, sources)));
  await send(Buffer.concat([packet('i', 'ArraySize', String(ids.length)), ...rows, commandComplete('i')]));
};

/** 12 fields as up to 4.3, 13 from 4.4 on: the client cannot be asked what it reads, the setting says it. */
function nodeRow(node: NodeFacts | undefined, id: number, { settings, nodes }: ReportSources): string[] {
  const isOld = settings.pcp_client_version === '4.3';
  if (node === undefined) return [...emptySlot, ...(isOld ? [] : ['0']), '0', '', '', String(nodes.changedAt(id))];
  // Old clients show bytes whatever they get.
  const bytes = node.role === NodeRole.primary ? 0 : Math.max(0, nodes.delayBytes(id));
  const delay = isOld ? [String(bytes)] : [node.delay.isTime ? '1' : '0', String(Math.round(node.delay.value))];
  return [
    node.backend.hostname, String(node.backend.port), String(node.status), '0', pgStatusText[node.pgStatus],
    (node.weight * weightUnit).toFixed(6), String(node.role), pgRoleText[node.pgRole], ...delay,
    node.replicationState, node.syncState, String(Math.floor(node.changedMs / 1000)),
  ];
}

/** Host to role of a number between others that no node has. */
const emptySlot = ['', '0', '0', '0', 'unknown', '0.000000', String(NodeRole.standby), 'unknown'];
