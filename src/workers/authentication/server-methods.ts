/**
 * What servers have asked for lately, by node, user, database and startup options (relay mode). Within a minute the server is not
 * heard first again: neither is a client whom it trusts sent to it, nor does it wait while another client is asked.
 */
import type { ServerMethod } from '../../shared/auth/server-login.js';

/** So long may a change of the servers' pg_hba.conf go unnoticed. */
const keptMs = 60_000;
const maxKept = 10_000;

export class ServerMethods {
  private readonly known = new Map<string, { readonly method: ServerMethod; readonly untilMs: number }>();

  note(node: number, key: string, method: ServerMethod): void {
    if (this.known.size >= maxKept) this.known.clear();
    this.known.set(`${node} ${key}`, { method, untilMs: performance.now() + keptMs });
  }

  recent(node: number, key: string): ServerMethod | null {
    const known = this.known.get(`${node} ${key}`);
    return known !== undefined && performance.now() < known.untilMs ? known.method : null;
  }

  /** After a reload: an administrator who has changed the servers' files tells pgloom so. */
  clear(): void {
    this.known.clear();
  }
}
