/**
 * The backend pool of one worker.
 *
 * A pooled entry holds the links of one user, database and set of startup options: a session only ever gets
 * a link that was opened with exactly the startup parameters that it sent itself, and with what it has proved itself with:
 *
 *   trusted    the client has proved nothing (relay mode): only links that the server has trusted
 *   proved     links opened with what is known of the user's password; when that changes, those of before are closed
 *   service    pgloom itself (auth_query)
 *   own        a client whose password only the server can check: its links serve nobody else
 *
 * All children of the worker share the entries, `max_pool` × children links to each node in all; beyond that the link unused
 * for longest is closed.
 */
import type { Settings } from '../../shared/settings.js';
import type { BackendTls } from '../../shared/tls/backend-tls.js';
import { TX } from '../../shared/protocol/letters.js';
import { terminateMessage } from '../../shared/protocol/writer.js';
import { type Credential, credentialId } from '../../shared/auth/credential.js';
import type { BackendLink, LinkUser } from './backend-link.js';
import { type Asked, openLink, type LoginAs } from './connect.js';
import { askRows, runAll } from './own-query.js';

/** Databases whose links Pgpool-II never keeps (semantics 5.1). */
const neverKept = new Set(['template0', 'template1', 'postgres', 'regression']);
/** Pgpool-II gives a reset ten seconds. */
const resetTimeoutMs = 10_000;

/** Whom an entry's links may serve; see above. */
export type Standing = 'trusted' | 'proved' | 'service' | 'own';

type Parameters = readonly (readonly [string, string])[];

export class PoolEntry {
  /** Idle links by node id, the most recently used last. */
  readonly idle = new Map<number, BackendLink[]>();
  /** @param number tells the entries of one worker apart, in reports */
  constructor(readonly key: string, readonly as: LoginAs, readonly standing: Standing, readonly database: string, readonly number: number) {}
}

/** Watches links that lie in the pool: whatever happens to one there, it leaves the pool. */
class IdleWatch implements LinkUser {
  constructor(private readonly pool: BackendPool, private readonly entry: PoolEntry) {}
  relay(): void {}
  complete(): void {}
  settled(): void {}
  prepared(): void {}
  unprepared(): void {}
  changed(): void {}

  unasked(): void {}

  /** A server that shuts down says so before it closes. */
  failed(link: BackendLink): void {
    this.pool.drop(this.entry, link);
  }

  lost(link: BackendLink): void {
    this.pool.drop(this.entry, link);
  }

  broken(link: BackendLink): void {
    this.pool.drop(this.entry, link);
  }
}

export class BackendPool {
  private readonly entries = new Map<string, PoolEntry>();
  private lastEntry = 0;
  /** Links opened until then are not kept any more. */
  private retiredMs = -1;
  /** Links by node: opened or being opened, idle or in use. */
  private readonly opened = new Map<number, number>();
  /** Those of them that are being opened for clients of whom nothing is known yet. */
  private readonly unproved = new Map<number, number>();

  /**
   * @param capacity links to one node that may exist at a time before idle ones are closed
   * @param now the worker's coarse clock, ms
   * @param checkedOut told of each link wanted: true when an idle one was there, false when one has to be opened
   */
  constructor(
    private readonly now: () => number,
    private readonly settings: () => Settings,
    private readonly capacity: () => number,
    private readonly checkedOut: (isHit: boolean) => void,
    private readonly tls: () => BackendTls,
  ) {}

  /** The entry of a set of startup parameters; made on first use. */
  entry(parameters: Parameters, credential: Credential, standing: Standing = 'proved'): PoolEntry {
    const sorted = inOrder(parameters);
    if (standing === 'own') return this.createEntry('', sorted, credential, standing);
    const key = keyOf(sorted, credential, standing);
    const known = this.entries.get(key);
    if (known !== undefined && credentialId(known.as.credential) === credentialId(credential)) return known;
    if (known !== undefined) this.closeIdle(known);
    const entry = this.createEntry(key, sorted, credential, standing);
    this.entries.set(key, entry);
    return entry;
  }

  private createEntry(key: string, parameters: Parameters, credential: Credential, standing: Standing): PoolEntry {
    const values = new Map(parameters);
    const user = values.get('user') ?? '';
    return new PoolEntry(key, { user, credential, parameters }, standing, values.get('database') ?? user, ++this.lastEntry);
  }

  /** An idle link to the node, or null. The link has no user yet. */
  take(entry: PoolEntry, node: number): BackendLink | null {
    const idle = entry.idle.get(node);
    for (;;) {
      const link = idle?.pop();
      if (link === undefined) return null;
      link.user = null;
      if (!link.closed && link.quiet && !link.socket.destroyed && link.socket.readyState === 'open') {
        this.checkedOut(true);
        return link;
      }
      this.close(link);
    }
  }

  /**
   * Opens a new link.
   * @param asked as openLink
   * @param mayEvict an idle link may be closed for it; not for a client of whom nothing is known yet
   * @throws as openLink
   */
  async open(entry: PoolEntry, node: number, asked: Asked | null = null, mayEvict = true): Promise<BackendLink> {
    this.checkedOut(false);
    const settings = this.settings();
    const backend = settings.backends.find(({ id }) => id === node);
    if (backend === undefined) throw new Error(`node ${node} is not configured`);
    if (mayEvict && (this.opened.get(node) ?? 0) >= this.capacity()) this.evictOldest(node);
    count(this.opened, node, 1);
    if (!mayEvict) count(this.unproved, node, 1);
    try {
      const link = await openLink(backend, entry.as, this.now(), settings.authentication_timeout * 1000, this.tls(), asked);
      if (settings.backends.length > 1) await this.askIsolation(link);
      return link;
    } catch (error) {
      count(this.opened, node, -1);
      throw error;
    } finally {
      if (!mayEvict) count(this.unproved, node, -1);
    }
  }

  /** ALTER ROLE and ALTER DATABASE can set it, and no server tells it by itself. */
  private async askIsolation(link: BackendLink): Promise<void> {
    try {
      const rows = await askRows(link, 'SHOW default_transaction_isolation', resetTimeoutMs);
      link.isolation = rows[0]?.[0] ?? '';
    } catch (error) {
      link.destroy();
      throw error;
    }
  }

  /**
   * Takes back a link whose session is over. Unless it is provably clean (debt zero, reset done) it is closed.
   * @param reuse false when the client did not leave in order
   */
  async release(entry: PoolEntry, link: BackendLink, reuse: boolean): Promise<void> {
    const settings = this.settings();
    link.user = null;
    if (!reuse || !link.quiet || link.closed || link.cancels > 0 || !settings.connection_cache || (neverKept.has(entry.database) && entry.standing !== 'service')) {
      this.close(link);
      return;
    }
    if (link.used) {
      const resets = settings.reset_query_list.filter((sql) => link.status !== TX.idle || !/^\s*(abort|rollback)\b/i.test(sql));
      try {
        if (resets.length > 0) await runAll(link, resets, resetTimeoutMs);
      } catch {
        this.close(link);
        return;
      }
      if (link.status !== TX.idle || !link.quiet) {
        this.close(link);
        return;
      }
      link.statements.clear();
    }
    this.keep(entry, link);
  }

  private keep(entry: PoolEntry, link: BackendLink): void {
    // The entry was replaced meanwhile, or is for one session alone.
    if (this.entries.get(entry.key) !== entry) return this.close(link);
    if (link.openedMs <= this.retiredMs) return this.close(link);
    // Whatever has gone wrong before: nobody gets by trust what was opened with a password.
    if (entry.standing === 'trusted' && link.method !== 'trust') return this.close(link);
    link.used = false;
    link.sawError = false;
    link.idleSinceMs = this.now();
    link.user = new IdleWatch(this, entry);
    const idle = entry.idle.get(link.node);
    if (idle === undefined) entry.idle.set(link.node, [link]);
    else idle.push(link);
    if ((this.opened.get(link.node) ?? 0) - (this.unproved.get(link.node) ?? 0) > this.capacity()) this.evictOldest(link.node);
  }

  /** Forgets and closes an idle link. */
  drop(entry: PoolEntry, link: BackendLink): void {
    const idle = entry.idle.get(link.node);
    const at = idle?.indexOf(link) ?? -1;
    if (at >= 0) idle?.splice(at, 1);
    link.user = null;
    this.close(link);
  }

  /** Closes a link that is in nobody's hands, politely when it is still open. */
  close(link: BackendLink): void {
    this.forget(link);
    if (link.closed) return;
    if (link.debt === 0) link.finish(this.now(), terminateMessage);
    else link.destroy();
  }

  /** A link that its user saw close. Safe to call twice. */
  forget(link: BackendLink): void {
    if (link.counted) count(this.opened, link.node, -1);
    link.counted = false;
    link.user = null;
  }

  private *idleLinks(): Iterable<[PoolEntry, BackendLink]> {
    for (const entry of this.entries.values()) {
      for (const links of entry.idle.values()) for (const link of links.slice()) yield [entry, link];
    }
  }

  private evictOldest(node: number): void {
    let oldest: [PoolEntry, BackendLink] | null = null;
    for (const pair of this.idleLinks()) {
      if (pair[1].node === node && (oldest === null || pair[1].idleSinceMs < oldest[1].idleSinceMs)) oldest = pair;
    }
    if (oldest !== null) this.drop(...oldest);
  }

  private closeIdle(entry: PoolEntry): void {
    for (const links of entry.idle.values()) for (const link of links.slice()) this.drop(entry, link);
  }

  /** Closes idle links older than connection_life_time, those of dead nodes, and forgets empty entries. Once a second. */
  sweep(isAlive: (node: number) => boolean): void {
    const lifeMs = this.settings().connection_life_time * 1000;
    const now = this.now();
    for (const [entry, link] of this.idleLinks()) {
      if ((lifeMs > 0 && now - link.idleSinceMs >= lifeMs) || !isAlive(link.node)) this.drop(entry, link);
    }
    if (this.entries.size > 1000) {
      for (const [key, entry] of this.entries) if ([...entry.idle.values()].every((links) => links.length === 0)) this.entries.delete(key);
    }
  }

  /** A child's life is over: the links that its clients used last go with it, as with Pgpool-II's process. */
  closeOfChild(row: number): void {
    for (const [entry, link] of this.idleLinks()) if (link.lastChildRow === row) this.drop(entry, link);
  }

  /** A node that trusted asks for passwords now: what it gave by trust is nobody's any more. @param key of the entry; null for all */
  closeTrusted(node: number | null = null, key: string | null = null): void {
    for (const [entry, link] of this.idleLinks()) {
      if (entry.standing === 'trusted' && (node === null || link.node === node) && (key === null || entry.key === key)) this.drop(entry, link);
    }
  }

  /** What links stand for has changed: those of before serve their sessions to the end, and nobody else. */
  retireAll(): void {
    this.retiredMs = this.now();
    this.closeAll();
  }

  closeAll(): void {
    for (const [entry, link] of this.idleLinks()) this.drop(entry, link);
  }

  /** For SHOW POOL_POOLS. */
  *rows(): Iterable<{ entry: PoolEntry; link: BackendLink }> {
    for (const [entry, link] of this.idleLinks()) yield { entry, link };
  }
}

function count(counts: Map<number, number>, node: number, change: number): void {
  counts.set(node, (counts.get(node) ?? 0) + change);
}

function inOrder(parameters: Parameters): Parameters {
  return parameters.toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function keyOf(sorted: Parameters, credential: Credential, standing: Standing): string {
  return [`${standing} ${credential.kind}`, ...sorted.map(([name, value]) => `${name}\0${value}`)].join('\0\0');
}
