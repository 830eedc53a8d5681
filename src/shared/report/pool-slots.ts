/**
 * The places where Pgpool-II keeps server connections: max_pool for each child, each with one connection to every
 * node. pgloom's links are shared by all children of a worker, so for the report they are put into such places: with the
 * child that uses them or used them last, and when that has no place left, with a neighbour of the same worker.
 */
import { ChildState, type ChildTable } from '../memory/child-table.js';
import type { LinkRow } from './link-row.js';

/** One place: links of one user, database and set of options, one for each node at the most. */
export interface PoolSlot {
  readonly database: string;
  readonly user: string;
  readonly connected: boolean;
  /** By node. */
  readonly links: ReadonlyMap<number, LinkRow>;
}

interface OpenSlot extends PoolSlot {
  readonly entry: number;
  readonly links: Map<number, LinkRow>;
}

/** Child row → its places in use, at most `maxPool` while there is room anywhere in its worker. */
export function poolSlots(links: readonly LinkRow[], children: ChildTable, maxPool: number): ReadonlyMap<number, readonly PoolSlot[]> {
  const slots = new Map<number, OpenSlot[]>();
  // Those in use first: they must stand with their own child.
  for (const link of links.toSorted((a, b) => Number(b.connected) - Number(a.connected))) put(link, slots);
  for (const [row, own] of slots) {
    for (const homeless of own.splice(maxPool)) (slots.get(neighbourOf(row, children, maxPool, slots)) ?? own).push(homeless);
  }
  return slots;
}

function put(link: LinkRow, slots: Map<number, OpenSlot[]>): void {
  const row = Math.max(0, link.childRow);
  const own = slots.get(row) ?? [];
  slots.set(row, own);
  const open = own.find((slot) => slot.entry === link.entry && slot.connected === link.connected && !slot.links.has(link.node));
  if (open !== undefined) open.links.set(link.node, link);
  else own.push({ database: link.database, user: link.user, connected: link.connected, entry: link.entry, links: new Map([[link.node, link]]) });
}

/** A child of the same worker that runs and has a place left, else the child itself. */
function neighbourOf(row: number, children: ChildTable, maxPool: number, slots: Map<number, OpenSlot[]>): number {
  const { from, to } = children.rowsOf(children.workerOf(row));
  for (let other = from; other < to; other++) {
    if (other === row || children.state(other) === ChildState.stopped) continue;
    const taken = slots.get(other) ?? [];
    slots.set(other, taken);
    if (taken.length < maxPool) return other;
  }
  return row;
}
