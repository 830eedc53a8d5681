/** GET /sessions.json and /pools.json: pages of long lists, filtered here, so that 10,000 sessions never travel. */
import { ChildState, type ChildTable } from '../../shared/memory/child-table.js';
import type { LinkRow } from '../../shared/report/link-row.js';
import { childStateName } from './http-metrics.js';
import { Pace } from './http-pace.js';

const maxLimit = 200;

export interface ListQuery {
  readonly offset: number;
  readonly limit: number;
  /** Part of a user's, a database's, an application's name or of an address, in lower case; '' for all. */
  readonly text: string;
  /** As in childStateName; '' for all. */
  readonly state: string;
}

export function listQuery(query: URLSearchParams): ListQuery {
  const number = (name: string, preset: number, max: number): number => {
    const given = query.get(name) ?? '';
    return /^\d{1,9}$/.test(given) ? Math.min(Number(given), max) : preset;
  };
  const word = (name: string): string => (query.get(name) ?? '').slice(0, 64).toLowerCase();
  return { offset: number('offset', 0, 1e9), limit: number('limit', 50, maxLimit), text: word('text'), state: word('state') };
}

export interface ListPage {
  /** Rows there are, and those that match. */
  readonly total: number;
  readonly matched: number;
  /** A page of those. */
  readonly rows: readonly object[];
}

/** Clients being served. What they run is not shown: anybody may look at the page. */
export async function sessionPage(children: ChildTable, { offset, limit, text, state }: ListQuery): Promise<ListPage> {
  const pace = new Pace();
  const rows: object[] = [];
  let total = 0;
  let matched = 0;
  for (let row = 0; row < children.size; row++) {
    if (row % 16 === 15 && pace.isDue) await pace.rest();
    const childState = children.state(row);
    if (childState === ChildState.stopped || childState === ChildState.waiting) continue;
    total += 1;
    if (state !== '' && childStateName[childState] !== state) continue;
    if (text !== '' && !matches(children, row, text)) continue;
    matched += 1;
    if (matched > offset && rows.length < limit) rows.push(sessionRow(children, row));
  }
  return { total, matched, rows };
}

function matches(children: ChildTable, row: number, text: string): boolean {
  const has = (field: string): boolean => field.toLowerCase().includes(text);
  return has(children.user(row)) || has(children.database(row)) || has(children.application(row)) || has(children.host(row)) || has(String(children.id(row)));
}

function sessionRow(children: ChildTable, row: number): object {
  return {
    id: children.id(row), state: childStateName[children.state(row)], user: children.user(row), database: children.database(row),
    application: children.application(row), host: children.host(row), port: children.port(row), node: children.loadBalanceNode(row),
    sinceMs: children.clientConnectedAt(row), lastActivityMs: children.lastActivity(row), worker: children.workerOf(row),
  };
}

export interface PoolGroup {
  readonly database: string;
  readonly user: string;
  readonly node: number;
  used: number;
  idle: number;
  /** Sessions that the connections have served. */
  sessions: number;
  /** Unix milliseconds. */
  oldestMs: number;
}

/** The server connections by database, user and node; the largest groups first. */
export async function poolGroups(links: readonly LinkRow[]): Promise<PoolGroup[]> {
  const pace = new Pace();
  const groups = new Map<string, PoolGroup>();
  for (const [i, link] of links.entries()) {
    if (i % 128 === 127 && pace.isDue) await pace.rest();
    const key = `${link.database}\0${link.user}\0${link.node}`;
    let group = groups.get(key);
    if (group === undefined) {
      group = { database: link.database, user: link.user, node: link.node, used: 0, idle: 0, sessions: 0, oldestMs: link.openedMs };
      groups.set(key, group);
    }
    if (link.connected) group.used += 1;
    else group.idle += 1;
    group.sessions += link.sessions;
    group.oldestMs = Math.min(group.oldestMs, link.openedMs);
  }
  return [...groups.values()].toSorted((a, b) => b.used + b.idle - a.used - a.idle || (a.database < b.database ? -1 : 1) || a.node - b.node);
}

export function poolPage(groups: readonly PoolGroup[], { offset, limit, text }: ListQuery): ListPage {
  const found = text === '' ? groups : groups.filter(({ database, user }) => database.toLowerCase().includes(text) || user.toLowerCase().includes(text));
  return { total: groups.length, matched: found.length, rows: found.slice(offset, offset + limit) };
}
