/**
 * What servers have asked for lately, by node, user, database and startup options (relay mode). Within a minute the server is not
 * heard first again: neither is a client whom it trusts sent to it, nor does it wait while another client is asked.
 *
 * Who is asked at once, without a look at the server, can tell. So what a server asked for is remembered for the address that it
 * was asked on behalf of: elsewhere nobody learns that somebody of this name works here.
 *
 * Clients that have proved nothing decide how long and how many the keys are: what is kept of one is its hash.
 */
import { createHash } from 'node:crypto';
import type { PasswordMethod } from '../../shared/auth/client-question.js';
import type { ServerMethod } from '../../shared/auth/server-login.js';

/** So long may a change of the servers' pg_hba.conf go unnoticed. */
const keptMs = 60_000;
const maxKept = 10_000;

interface Noted {
  readonly method: ServerMethod;
  readonly untilMs: number;
}

export class ServerMethods {
  /** The oldest first: what is noted anew goes to the end. */
  private readonly noted = new Map<string, Noted>();

  /** @param host the client's address, '' for a Unix socket */
  note(node: number, key: string, host: string, method: ServerMethod): void {
    if (method === 'trust') return this.keep(digest(node, null, key), method);
    this.noted.delete(digest(node, null, key));
    this.keep(digest(node, host, key), method);
  }

  isTrusting(node: number, key: string): boolean {
    return this.recent(digest(node, null, key)) === 'trust';
  }

  /** What the node asks clients from this address for; null when it has to be heard. */
  asks(node: number, key: string, host: string): PasswordMethod | null {
    if (this.isTrusting(node, key)) return null;
    const method = this.recent(digest(node, host, key));
    return method === 'trust' ? null : method;
  }

  /** After a reload: an administrator who has changed the servers' files tells pgloom so. */
  clear(): void {
    this.noted.clear();
  }

  private keep(key: string, method: ServerMethod): void {
    const nowMs = performance.now();
    this.noted.delete(key);
    for (const [oldest, { untilMs }] of this.noted) {
      if (untilMs > nowMs && this.noted.size < maxKept) break;
      this.noted.delete(oldest);
    }
    this.noted.set(key, { method, untilMs: nowMs + keptMs });
  }

  private recent(key: string): ServerMethod | null {
    const found = this.noted.get(key);
    return found !== undefined && performance.now() < found.untilMs ? found.method : null;
  }
}

/** @param host null for all of them */
function digest(node: number, host: string | null, key: string): string {
  return createHash('sha256').update(`${node} ${host === null ? '' : `@${host}`} ${key}`).digest('base64');
}
