/**
 * Rows whose version only grows, as seen on each server. A server replays in order: a read that begins after another one
 * has ended, on the same server, never sees less. What has been acknowledged is seen on the primary at once.
 */
import { stamps } from './schema.js';

export class Sightings {
  /** By port of the server: the highest version seen, by row. */
  private readonly seen = new Map<number, number[]>();
  /** Highest version that an UPDATE has answered with, and how many UPDATEs were begun, by row. */
  private readonly acknowledged = zeros();
  private readonly begun = zeros();
  /** Reads by the port of the server. */
  readonly reads = new Map<number, number>();

  constructor(private readonly primaryPort: number) {}

  beginWrite(id: number): void {
    this.begun[id - 1] = (this.begun[id - 1] ?? 0) + 1;
  }

  endWrite(id: number, version: number): void {
    this.acknowledged[id - 1] = Math.max(this.acknowledged[id - 1] ?? 0, version);
  }

  /** To be taken before a read is sent. @returns the least that may be seen on the server with this port, by row */
  beginRead(): (port: number) => readonly number[] {
    const before = new Map([...this.seen].map(([port, versions]) => [port, [...versions]]));
    const acknowledged = [...this.acknowledged];
    return (port) => {
      const seen = before.get(port) ?? zeros();
      return port === this.primaryPort ? seen.map((version, i) => Math.max(version, acknowledged[i] ?? 0)) : seen;
    };
  }

  /** Notes what was seen. @returns the most that can have been there, by row */
  endRead(port: number, versions: readonly number[]): readonly number[] {
    this.reads.set(port, (this.reads.get(port) ?? 0) + 1);
    const seen = this.seen.get(port) ?? zeros();
    this.seen.set(port, seen.map((version, i) => Math.max(version, versions[i] ?? 0)));
    return this.begun;
  }
}

function zeros(): number[] {
  return Array.from({ length: stamps }, () => 0);
}
