/**
 * auth_query: the stored password of a user as a server has it, looked up through a privileged role. Logins of one user at
 * the same moment share an answer; for how long it holds beyond that is auth_query_cache_lifetime, which is 0 by default: a
 * password that was changed or revoked counts at the next login.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Credential, credentialOf, storedPassword } from '../../shared/auth/credential.js';
import { configuredPassword } from '../../shared/auth/configured-password.js';
import { errors } from '../../shared/errors.js';
import type { PasswordDoubts } from '../../shared/memory/password-doubts.js';
import { Turns } from '../../shared/turns.js';
import { askRowsWith } from '../backend/own-query.js';
import type { PoolEntry } from '../backend/pool.js';
import type { Worker } from '../worker.js';
import { LoginRefused } from './login-refused.js';

/** PgBouncer's query_wait for it; a catalog by its index answers in less than a millisecond. */
const answerLimitMs = 10_000;
const maxKept = 10_000;
/** Whose password stands in pool_passwd does not wait longer for a server that he does not need. */
const evenLimitMs = 250;
/** Links of one worker for this. */
const mostAtOnce = 2;

interface Known {
  readonly stored: Promise<string | null>;
  untilMs: number;
  /** Of PasswordDoubts, when it was asked for. */
  readonly doubts: number;
}

export class AuthQuery {
  private readonly known = new Map<string, Known>();
  /** Each of them needs a link. */
  private readonly turns = new Turns(mostAtOnce);
  /** Questions under way. */
  private pending = 0;
  /** The last one failed, or has no answer yet after evenLimitMs. */
  private isAmiss = false;

  constructor(private readonly worker: Worker, private readonly doubts: PasswordDoubts) {}

  get isOn(): boolean {
    return this.worker.settings.auth_user !== '';
  }

  /**
   * The stored password as the server has it; null when there is no such user, or he has none.
   * @throws LoginRefused when the server cannot be asked
   */
  stored(user: string): Promise<string | null> {
    const known = this.known.get(user);
    const doubts = this.doubts.count(user);
    if (known !== undefined && known.doubts === doubts && performance.now() < known.untilMs) return known.stored;
    if (this.known.size >= maxKept) this.known.clear();
    const asked: Known = { stored: this.ask(user), untilMs: Number.POSITIVE_INFINITY, doubts };
    this.known.set(user, asked);
    const settled = (isAnswered: boolean): void => {
      this.pending--;
      this.isAmiss = !isAnswered;
      const keepMs = isAnswered ? this.worker.settings.auth_query_cache_lifetime * 1000 : 0;
      asked.untilMs = performance.now() + keepMs;
      if (keepMs === 0 && this.known.get(user) === asked) this.known.delete(user);
    };
    this.pending++;
    asked.stored.then(() => settled(true), () => settled(false));
    return asked.stored;
  }

  /**
   * Takes as long as `stored` would, and throws nothing: for who does not need the answer. It does not wait for a server that
   * does not answer.
   */
  async takeItsTime(user: string): Promise<void> {
    if (this.isAmiss && this.pending > 0) return;
    const asked = this.stored(user).then(() => undefined, () => undefined);
    if (this.isAmiss) return;
    const isLate = await Promise.race([asked, sleep(evenLimitMs, true, { ref: false })]);
    if (isLate === true) this.isAmiss = true;
  }

  /** A login has failed: what is known of the user may be old, in all threads. */
  forget(user: string): void {
    if (!this.isOn) return;
    this.known.delete(user);
    this.doubts.raise(user);
  }

  forgetAll(): void {
    this.known.clear();
  }

  private async ask(user: string): Promise<string | null> {
    const { worker } = this;
    const { nodes, settings } = worker;
    const node = nodes.primary >= 0 ? nodes.primary : settings.backends.map(({ id }) => id).find((id) => nodes.isAlive(id));
    if (node === undefined) throw new LoginRefused(errors.allNodesDown(), 'auth_query: no node is up', false);
    let rows: (string | null)[][];
    try {
      rows = await this.turns.take(() => this.rows(this.entry(), node, user));
    } catch (error) {
      throw failed(`auth_query on DB node ${node} failed: ${(error as Error).message}`);
    }
    const [row, ...more] = rows;
    if (row === undefined) return null;
    // A password of somebody else, because a condition is missing, would let anyone in who knows that one.
    if (more.length > 0) throw failed(`auth_query gives ${rows.length} rows for user "${user}" instead of one`);
    if (row.length !== 2) throw failed(`auth_query gives ${row.length} columns instead of two, the name and the stored password`);
    if (row[0] !== user) throw failed(`auth_query gives the row of another than user "${user}"`);
    return row[1] ?? null;
  }

  private async rows(entry: PoolEntry, node: number, user: string): Promise<(string | null)[][]> {
    const { pool, settings } = this.worker;
    // A client that has proved nothing must not cost others their idle links.
    const link = pool.take(entry, node) ?? (await pool.open(entry, node, null, false));
    try {
      return await askRowsWith(link, settings.auth_query, [user], answerLimitMs);
    } finally {
      void pool.release(entry, link, true);
    }
  }

  private entry(): PoolEntry {
    const { pool, settings: { auth_user: user, auth_dbname: database } } = this.worker;
    return pool.entry([['user', user], ['database', database], ['application_name', 'pgloom auth_query']], this.credential(), 'service');
  }

  private credential(): Credential {
    const { settings: { auth_user: user, auth_password: password }, access } = this.worker;
    const from = password === '' ? 'pool_passwd' : 'auth_password';
    return credentialOf(storedPassword(configuredPassword(access, password, user), user, from), user, from);
  }
}

function failed(reason: string): LoginRefused {
  return new LoginRefused(errors.authQueryFailed(), reason, false);
}
