/**
 * The children of one worker: its rows of the child table, their lives and who is free.
 *
 *   stopped ──start──▶ waiting ──take──▶ (a client's) ──giveBack──▶ waiting …
 *                        └── child_life_time idle, or child_max_connections served: a new life, a new id
 */
import { ChildState, type ChildTable } from '../shared/memory/child-table.js';

/** What decides about lives (all in seconds or clients; 0 = never). */
export interface LifeLimits {
  readonly child_life_time: number;
  readonly child_max_connections: number;
}

export class Children {
  /** Free rows, the one that served last at the end: it is taken first, so that the others may grow old. */
  private readonly free: number[] = [];
  private readonly from: number;
  private readonly to: number;
  private readonly idleSinceMs = new Map<number, number>();

  /**
   * @param ids one Int32, the last id given out by anybody
   * @param lifeOver called with the row whose child has just ended its life
   */
  constructor(
    private readonly table: ChildTable,
    worker: number,
    private readonly ids: Int32Array,
    private readonly now: () => number,
    private readonly limits: () => LifeLimits,
    private readonly lifeOver: (row: number) => void,
  ) {
    ({ from: this.from, to: this.to } = table.rowsOf(worker));
  }

  /** Children that exist: waiting or with a client. */
  get running(): number {
    let count = 0;
    for (let row = this.from; row < this.to; row++) if (this.table.state(row) !== ChildState.stopped) count++;
    return count;
  }

  /** Starts up to `count` more children. */
  start(count: number): void {
    let left = count;
    for (let row = this.from; row < this.to && left > 0; row++) {
      if (this.table.state(row) !== ChildState.stopped) continue;
      this.begin(row);
      this.free.unshift(row);
      left--;
    }
  }

  /** Stops up to `count` children that wait, those that waited longest first. */
  stop(count: number): void {
    for (const row of this.free.splice(0, count)) {
      this.lifeOver(row);
      this.table.stop(row);
    }
  }

  private begin(row: number): void {
    this.table.start(row, Atomics.add(this.ids, 0, 1) + 1, this.now());
    this.idleSinceMs.set(row, this.now());
  }

  /** A child for a client: one that waits, or a new one. Returns its row, -1 when all are taken. */
  take(): number {
    if (this.free.length === 0) this.start(1);
    const row = this.free.pop() ?? -1;
    if (row >= 0) {
      this.table.setState(row, ChildState.connecting);
      this.table.setLastActivity(row, this.now());
      this.table.countServed(row);
    }
    return row;
  }

  /** The child's life ends with the client it has now. */
  isLastClient(row: number): boolean {
    const { child_max_connections: most } = this.limits();
    return most > 0 && this.table.served(row) >= most;
  }

  giveBack(row: number): void {
    this.table.clearClient(row);
    this.table.setLastActivity(row, this.now());
    this.table.setState(row, ChildState.waiting);
    this.idleSinceMs.set(row, this.now());
    if (this.isLastClient(row)) this.renew(row);
    this.free.push(row);
  }

  private renew(row: number): void {
    this.lifeOver(row);
    this.begin(row);
  }

  /** Ends the lives of children that have served somebody and then waited for child_life_time. Once a second. */
  sweep(): void {
    const lifeMs = this.limits().child_life_time * 1000;
    if (lifeMs === 0) return;
    for (const row of this.free) {
      const idleMs = this.now() - (this.idleSinceMs.get(row) ?? 0);
      if (this.table.served(row) > 0 && idleMs >= lifeMs) this.renew(row);
    }
  }
}
