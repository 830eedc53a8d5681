/**
 * How long the nodes take to answer one session, noted in the latency table. Two looks at the clock for an exchange, and
 * nothing is allocated.
 *
 *   quiet ──something is sent──▶ under way ──everything asked is answered──▶ noted, quiet
 */
import { performance } from 'node:perf_hooks';
import { ExchangeClass, exchangeClassOf, type LatencyTable } from '../../shared/memory/latency-table.js';
import type { Plan } from '../sql/plan.js';

export class Latency {
  /** 0 while nothing is under way. */
  private startedMs = 0;
  private kind: ExchangeClass = ExchangeClass.other;

  constructor(private readonly table: LatencyTable, private readonly row: number) {}

  /** A statement goes to a node. */
  sent(counts: Plan['counts']): void {
    if (this.startedMs === 0) this.startedMs = performance.now();
    const kind = exchangeClassOf(counts);
    if (kind > this.kind) this.kind = kind;
  }

  /** An answer is expected, also to what runs no statement. */
  asked(): void {
    if (this.startedMs === 0) this.startedMs = performance.now();
  }

  /** The node owes nothing any more. */
  complete(node: number): void {
    if (this.startedMs === 0) return;
    this.table.note(this.row, node, this.kind, performance.now() - this.startedMs);
    this.startedMs = 0;
    this.kind = ExchangeClass.other;
  }
}
