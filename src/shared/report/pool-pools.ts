/** SHOW POOL_POOLS and pcp_proc_info: a row for every place a server connection can have. */
import { ChildState, childStateText } from '../memory/child-table.js';
import type { LinkRow } from './link-row.js';
import { sessionsEnded, startTime } from './pool-processes.js';
import { poolSlots, type PoolSlot } from './pool-slots.js';
import type { ReportTable } from './report-table.js';
import type { ReportSources } from './sources.js';
import { countdown, timestamp } from './time-text.js';

const columns = [
  'pool_pid', 'start_time', 'client_connection_count', 'pool_id', 'backend_id', 'database', 'username', 'backend_connection_time',
  'client_connection_time', 'client_disconnection_time', 'client_idle_duration', 'majorversion', 'minorversion', 'pool_counter',
  'pool_backendpid', 'pool_connected', 'status', 'load_balance_node', 'client_host', 'client_port', 'statement',
];

/**
 * Rows in the order child, place, node; made one by one, for there may be hundreds of thousands.
 * @param childRow the child whose places are wanted, undefined for all
 */
export function poolPools(sources: ReportSources, links: readonly LinkRow[], childRow?: number): ReportTable {
  const { children, settings } = sources;
  const slots = poolSlots(links, children, settings.max_pool);
  const wanted = childRow === undefined ? Array.from({ length: children.size }, (_, row) => row) : [childRow];
  const places = (row: number): number => Math.max(settings.max_pool, slots.get(row)?.length ?? 0);
  const count = wanted.reduce((sum, row) => sum + places(row), 0) * settings.backends.length;
  function* rows(): Generator<readonly string[]> {
    for (const row of wanted) {
      const child = childFacts(sources, row);
      for (let pool = 0; pool < places(row); pool++) {
        for (const { id } of settings.backends) yield placeRow(sources, child, pool, id, slots.get(row)?.[pool]);
      }
    }
  }
  return { columns, count, rows: { [Symbol.iterator]: rows } };
}

/** What all rows of a child have in common. */
interface ChildFacts {
  readonly row: number;
  readonly head: readonly string[];
  readonly status: string;
}

function childFacts(sources: ReportSources, row: number): ChildFacts {
  const { children } = sources;
  const state = children.state(row);
  const runs = state !== ChildState.stopped;
  return {
    row,
    head: [runs ? String(children.id(row)) : '0', runs ? startTime(sources, row) : '', String(sessionsEnded(sources, row))],
    status: childStateText[runs ? state : ChildState.waiting] ?? '',
  };
}

function placeRow(sources: ReportSources, { row, head, status }: ChildFacts, pool: number, node: number, slot: PoolSlot | undefined): readonly string[] {
  const { children } = sources;
  if (slot === undefined) return [...head, String(pool), String(node), '', '', '', '', '', '0', '0', '0', '0', '0', '0', status, '0', '', '', ''];
  const link = slot.links.get(node);
  const { connected } = slot;
  return [
    ...head, String(pool), String(node), slot.database, slot.user, timestamp(link?.openedMs ?? 0), connected ? timestamp(children.clientConnectedAt(row)) : '',
    timestamp(connected ? 0 : (link?.idleSinceMs ?? 0)), connected ? idleText(sources, row) : '0', '3', '0', String(link?.sessions ?? 0), String(link?.backendPid ?? 0),
    connected ? '1' : '0', status, connected && children.loadBalanceNode(row) === node ? '1' : '0', connected ? children.host(row) : '',
    connected ? String(children.port(row)) : '', link?.statement ?? '',
  ];
}

/** Seconds since the client's last message, with what client_idle_limit leaves it. */
function idleText({ children, settings }: ReportSources, row: number): string {
  if (children.state(row) === ChildState.executing) return '0';
  const seconds = Math.max(0, Math.floor((Date.now() - children.lastActivity(row)) / 1000));
  const limit = settings.client_idle_limit;
  return limit > 0 ? `${seconds} (${countdown(Math.max(0, limit - seconds))} before client disconnected)` : String(seconds);
}
