/**
 * Collects the server connections of all workers. A thread knows only its own, so it asks the others over the broadcast
 * channel and goes on when it has heard from each, or after a second.
 */
import { randomUUID } from 'node:crypto';
import { pack, unpack } from 'msgpackr';
import type { Broadcast } from './messages.js';
import type { LinkRow } from './report/link-row.js';

const waitMs = 1000;

interface Collection {
  readonly rows: LinkRow[];
  missing: number;
  readonly finish: () => void;
}

export class LinkCollector {
  private readonly collections = new Map<string, Collection>();

  /** @param others how many other threads there are that will answer */
  constructor(private readonly broadcast: (message: Broadcast) => void, private readonly others: () => number) {}

  /**
   * Calls `done` once, later, with the given rows and those of the others; what does not come within a second is left
   * out.
   */
  collect(own: readonly LinkRow[], done: (rows: readonly LinkRow[]) => void): void {
    const request = randomUUID();
    const missing = this.others();
    const rows = [...own];
    const finish = (): void => {
      clearTimeout(timer);
      if (this.collections.delete(request)) done(rows);
    };
    const timer = setTimeout(finish, missing > 0 ? waitMs : 0);
    this.collections.set(request, { rows, missing, finish });
    if (missing > 0) this.broadcast({ type: 'wantRows', request });
  }

  /** Another thread has answered somebody's request. */
  received({ request, packed }: Extract<Broadcast, { type: 'rows' }>): void {
    const collection = this.collections.get(request);
    if (collection === undefined) return;
    for (const row of unpack(packed) as LinkRow[]) collection.rows.push(row);
    collection.missing--;
    if (collection.missing === 0) collection.finish();
  }
}

/** The answer to a `wantRows`. */
export function rowsMessage(request: string, worker: number, rows: readonly LinkRow[]): Broadcast {
  return { type: 'rows', request, worker, packed: pack(rows) };
}
