/**
 * Which server answers a question to the catalog (relcache_query_target).
 *
 * The primary always knows. The load-balance node may lag behind, and what it says is believed for long, so it is asked only
 * when it has replayed all that the primary had written after the last data definition that passed through pgloom; and what
 * it does not know, the primary may.
 *
 *   first question of a generation: where does the primary's WAL end? ──▶ floor
 *   each node, until it has said yes once: have you replayed the floor? ─▶ no: ask the primary
 */
import { factsQuery, readFacts, type FactsAnswer, type Question } from './facts-query.js';

/** Runs one query on a server, outside of any transaction of a client; rows as text. */
export type Ask = (sql: string) => Promise<readonly (readonly (string | null)[])[]>;

/** The load-balance node of the session that asks. */
export interface Reader {
  readonly node: number;
  readonly ask: Ask;
}

/** Good for one generation of the data definition. */
export class FactSource {
  private floor: string | null = null;
  private readonly caughtUp = new Set<number>();

  /** The answer of the reader if it can be relied on, else the primary's. Rejects when the primary does not answer. */
  async answer(question: Question, primary: Ask, reader: Reader | null): Promise<FactsAnswer> {
    return (reader === null ? null : await this.readersAnswer(question, primary, reader)) ?? readFacts(await primary(factsQuery(question)));
  }

  private async readersAnswer(question: Question, primary: Ask, reader: Reader): Promise<FactsAnswer | null> {
    try {
      if (!(await this.hasCaughtUp(primary, reader))) return null;
      const answer = readFacts(await reader.ask(factsQuery(question)));
      const complete = answer.relations.size === question.relations.length && answer.functions.size === question.functions.length;
      return complete ? answer : null;
    } catch {
      // A reader that is gone, or has not even the database yet.
      return null;
    }
  }

  /** A question of its own: asked together with the facts, the answer could be younger than the snapshot of the facts. */
  private async hasCaughtUp(primary: Ask, { node, ask }: Reader): Promise<boolean> {
    if (this.caughtUp.has(node)) return true;
    this.floor ??= lsnOf(await primary('SELECT pg_catalog.pg_current_wal_insert_lsn()::pg_catalog.text'));
    if (this.floor === null) return false;
    // NULL on a server that is no standby any more.
    const [row] = await ask(`SELECT (pg_catalog.pg_last_wal_replay_lsn() OPERATOR(pg_catalog.>=) '${this.floor}'::pg_catalog.pg_lsn)::pg_catalog.text`);
    if (row?.[0] !== 'true') return false;
    this.caughtUp.add(node);
    return true;
  }
}

function lsnOf(rows: readonly (readonly (string | null)[])[]): string | null {
  const text = rows[0]?.[0] ?? '';
  return /^[0-9A-F]+\/[0-9A-F]+$/.test(text) ? text : null;
}
