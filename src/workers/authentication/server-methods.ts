/**
 * What servers have asked for lately, by node, user, database and startup options (relay mode). Within a minute the server is not
 * heard first again: neither is a client whom it trusts sent to it, nor does it wait while another client is asked.
 *
 * Who is asked at once, without a look at the server, can tell. So what a server asked for is remembered for the address that it
 * was asked on behalf of: elsewhere nobody learns that somebody of this name works here.
 */
import type { PasswordMethod } from '../../shared/auth/client-question.js';
import type { ServerMethod } from '../../shared/auth/server-login.js';

/** So long may a change of the servers' pg_hba.conf go unnoticed. */
const keptMs = 60_000;
const maxKept = 10_000;

export class ServerMethods {
  private readonly trusting = new Map<string, { readonly untilMs: number }>();
  private readonly asking = new Map<string, { readonly method: PasswordMethod; readonly untilMs: number }>();

  /** @param host the client's address, '' for a Unix socket */
  note(node: number, key: string, host: string, method: ServerMethod): void {
    const untilMs = performance.now() + keptMs;
    if (method === 'trust') return keep(this.trusting, `${node} ${key}`, { untilMs });
    this.trusting.delete(`${node} ${key}`);
    keep(this.asking, `${node} ${host} ${key}`, { method, untilMs });
  }

  isTrusting(node: number, key: string): boolean {
    return recent(this.trusting, `${node} ${key}`) !== null;
  }

  /** What the node asks clients from this address for; null when it has to be heard. */
  asks(node: number, key: string, host: string): PasswordMethod | null {
    return this.isTrusting(node, key) ? null : recent(this.asking, `${node} ${host} ${key}`)?.method ?? null;
  }

  /** After a reload: an administrator who has changed the servers' files tells pgloom so. */
  clear(): void {
    this.trusting.clear();
    this.asking.clear();
  }
}

function keep<T>(known: Map<string, T>, key: string, value: T): void {
  if (known.size >= maxKept) known.clear();
  known.set(key, value);
}

function recent<T extends { readonly untilMs: number }>(known: ReadonlyMap<string, T>, key: string): T | null {
  const found = known.get(key);
  return found !== undefined && performance.now() < found.untilMs ? found : null;
}
