/**
 * A plan: what one statement text is, as far as its text can tell. Immutable and shared by all sessions of a
 * worker; what depends on the session or on the nodes is decided in src/workers/route.
 */

import type { CountedKind, countsNothing } from '../../shared/memory/statement-counts.js';
import type { OwnCommand } from './own-command.js';

/** What kind of statement the whole text is. */
export const StatementKind = {
  /** Nothing but white space, comments and semicolons. */
  empty: 0,
  /** Reads only as far as grammar tells (SELECT, VALUES, TABLE, COPY … TO STDOUT, SHOW). EXPLAIN is a write, as in Pgpool-II. */
  read: 1,
  /** Anything not known to be harmless: DML, DDL, locking reads, utility commands, several statements, unparsable text. */
  write: 2,
  begin: 3,
  /** COMMIT, END. */
  commit: 4,
  /** ROLLBACK, ABORT (not ROLLBACK TO). */
  rollback: 5,
  /** SAVEPOINT, RELEASE, ROLLBACK TO. */
  savepoint: 6,
  /** SET or RESET of session state that can be said again on another node; see `setting`. */
  set: 7,
  /** DISCARD ALL / PLANS / SEQUENCES / TEMP. */
  discard: 8,
  /** For pgloom itself; see `own`. */
  own: 9,
} as const;
export type StatementKind = (typeof StatementKind)[keyof typeof StatementKind];

export interface NameInPlan {
  /** Schema as written, '' when unqualified. */
  readonly schema: string;
  readonly name: string;
}

/** A SET or RESET that outlives its transaction. */
export interface SettingInPlan {
  /**
   * What it sets, in lower case: a parameter name, or 'role', 'session_authorization', 'timezone', or
   * '*' for RESET ALL (which leaves 'role' and 'session_authorization' alone). SET SESSION CHARACTERISTICS has the
   * key 'session characteristics ' and the names of what it sets. A later statement with the same key replaces an
   * earlier one and takes its place at the end: SET SESSION AUTHORIZATION resets the role.
   */
  readonly key: string;
  /** The statement, to be said again on a node that joins the session later. */
  readonly text: string;
}

/**
 * May a read leave the primary? 'balance': yes. 'primary': no. 'writes': no, and a function that it calls counts as
 * writing. 'opaque': the same, and after it the session's state is as unknown as after an opaque statement (see Plan.opaque).
 */
export type Verdict = 'balance' | 'primary' | 'writes' | 'opaque';

export interface Plan {
  readonly kind: StatementKind;
  /** Number of statements in the text (0 when empty, 1 when it does not parse). */
  readonly statements: number;
  /** Relations read, when kind is `read` (CTE names left out). */
  readonly relations: readonly NameInPlan[];
  /**
   * Functions called, when kind is `read` or `write`. Operators, casts and SQL keywords such as CURRENT_USER and
   * EXTRACT are not listed.
   */
  readonly functions: readonly NameInPlan[];
  /** Relations whose rows it changes, as far as its text tells (triggers and cascades it cannot see); null = anything. */
  readonly writes: readonly NameInPlan[] | null;
  /**
   * After this statement the session's state may differ from what `setting`s say, in a way that cannot be repeated
   * elsewhere (set_config not provably local, DO, CALL, LOAD, CREATE TEMP, SELECT INTO TEMP, several statements holding
   * a SET or DISCARD, standard_conforming_strings off, text that does not parse, …): its reads stay on the primary from
   * here on. A plan with a `setting` can be opaque too.
   */
  readonly opaque: boolean;
  readonly setting: SettingInPlan | null;
  /**
   * Holds for the running transaction only, and is not said again elsewhere (SET LOCAL, SET TRANSACTION, a SELECT with
   * set_config): the rest of the transaction must not be spread.
   */
  readonly transactionLocal: boolean;
  /** kind begin: how another node is told to begin such a transaction (BEGIN, READ ONLY, READ UNCOMMITTED). */
  readonly beginAs: string;
  /** kind begin: an isolation level above READ COMMITTED, or DEFERRABLE. */
  readonly beginIsolated: boolean;
  /** kind begin, with no option but READ ONLY: a standby takes it as well. */
  readonly begunAnywhere: boolean;
  /** COMMIT/ROLLBACK AND CHAIN. */
  readonly chain: boolean;
  /** DEALLOCATE: the name, '' = ALL. */
  readonly deallocates: string | null;
  /** EXECUTE by SQL: the name of the statement, which may have been prepared by Parse and on another node. */
  readonly executes: string | null;
  /** PREPARE by SQL: the name, and the plan of what is prepared. */
  readonly prepares: { readonly name: string; readonly plan: Plan } | null;
  /** kind discard: DISCARD ALL (clears settings and prepared statements too). */
  readonly discardAll: boolean;
  /**
   * May change what relation facts say: CREATE, ALTER, DROP and all that is not known to leave them alone, DO, CALL,
   * text that does not parse. Not CREATE TEMP: it concerns its own session, which is opaque from there on.
   */
  readonly ddl: boolean;
  /** What pgloom itself is asked for. */
  readonly own: OwnCommand | null;
  /** Pgpool-II takes it for a SELECT: SELECT, VALUES, TABLE, also with INTO or with DML in a CTE. */
  readonly countsAsSelect: boolean;
  /** As what it counts in SHOW POOL_BACKEND_STATS; `countsNothing` for empty text. */
  readonly counts: CountedKind | typeof countsNothing;

  /* A small memory for the router: the answer to "may it leave the primary?" for the scope that asked last. */
  scope: object | null;
  scopeGeneration: number;
  scopeVerdict: Verdict | null;
}
