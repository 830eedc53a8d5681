/** One line of the table: a statement, what its session did before, and the node or nodes that it has to reach. */
import type { Difference } from './difference.js';

/** Reads of every session go to node 1 as far as they may leave the primary, node 0; node 2 has no weight. */
export type Nodes =
  | 'primary'
  | 'reader'
  /** The primary and the session's reader, and no other. */
  | 'both'
  /** Every node. */
  | 'all'
  | 'node 2'
  /** The proxy answers by itself. */
  | 'none'
  /** Nor does the proxy answer. It is not asked. */
  | 'never answers';

/** Something that a session says. A string is a simple query. */
export type Step = string | ExtendedStep;

export type ExtendedStep =
  /** Parse (unnamed), Bind, Describe, Execute, Sync. */
  | { readonly extended: string; readonly values?: readonly (string | null)[] }
  /** Parse of a named statement, Sync. */
  | { readonly parse: string; readonly name: string }
  /** Bind, Describe and Execute of a named statement, Sync; `of` is its text. */
  | { readonly execute: string; readonly of: string };

export interface Row {
  readonly before: readonly Step[];
  readonly statement: Step;
  readonly nodes: Nodes;
  /**
   * With nodes `both`: an expression that tells the state which the statement made. pgloom says a statement to the reader
   * when the session next reads there; so what is looked at is that a read on the reader then finds the same state as one
   * on the primary.
   */
  readonly held: string | null;
  /** What Pgpool-II 4.3.5 does, where that is something else. */
  readonly pgpool: Nodes | null;
  readonly because: Difference | null;
  readonly login: Login;
  /** What has to be mended in pgloom before this row can pass. */
  readonly todo: string | null;
}

export interface Login {
  readonly user?: string;
  /** Another database than the table's own. */
  readonly database?: string;
  /** The application_name begins with this. */
  readonly application?: string;
}

/** What may be said about a row beside its statement and its nodes. */
export type RowOptions = Partial<Omit<Row, 'statement' | 'nodes'>>;

/** Rows that one start of a proxy serves. */
export interface RowGroup {
  readonly topic: string;
  /** Over the settings that every start has. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  /** Pgpool-II 4.3.5 does not have these settings. */
  readonly newerThanOracle?: true;
  readonly rows: readonly Row[];
}

const plainRow = { before: [], held: null, pgpool: null, because: null, login: {}, todo: null } as const;

/** Rows for several statements that have all the rest in common. */
export function rows(nodes: Nodes, statements: readonly Step[], options: RowOptions = {}): Row[] {
  return statements.map((statement) => ({ ...plainRow, ...options, statement, nodes }));
}

export const primary = (statement: Step, options: RowOptions = {}): Row => ({ ...plainRow, ...options, statement, nodes: 'primary' });
export const reader = (statement: Step, options: RowOptions = {}): Row => ({ ...plainRow, ...options, statement, nodes: 'reader' });

/** A statement that has to hold on the primary and on the reader; `held` tells the state that it makes. */
export const both = (statement: Step, held: string, options: RowOptions = {}): Row => (
  { ...plainRow, ...options, statement, held, nodes: 'both' }
);

/** The same rows after one more step at the beginning of their sessions. */
export function after(steps: readonly Step[], following: readonly Row[]): Row[] {
  return following.map((row) => ({ ...row, before: [...steps, ...row.before] }));
}

/** The statements of rows by the extended protocol; what comes before them stays. */
export function extended(simple: readonly Row[]): Row[] {
  return simple.map((row) => (typeof row.statement === 'string' ? { ...row, statement: { extended: row.statement } } : row));
}

/** Every second row: where the plan is all that matters, one protocol is enough to look at all of them. */
export function half(all: readonly Row[]): Row[] {
  return all.filter((_, i) => i % 2 === 0);
}

/** The SQL of a step. */
export function sqlOf(step: Step): string {
  if (typeof step === 'string') return step;
  if ('extended' in step) return step.extended;
  return 'parse' in step ? step.parse : step.of;
}

/** A step in one line, for the name of a test. */
export function describeStep(step: Step): string {
  const sql = sqlOf(step);
  const short = JSON.stringify(sql.length > 160 ? `${sql.slice(0, 150)}… (${sql.length} characters)` : sql).slice(1, -1);
  if (typeof step === 'string') return short;
  if ('extended' in step) return `[extended] ${short}`;
  return 'parse' in step ? `[Parse ${step.name}] ${short}` : `[Execute ${step.execute}] ${short}`;
}

/** The name of a row's test: unique within its group, as long as the rows are. */
export function describeRow(row: Row): string {
  const login = Object.values(row.login).join(' ');
  const session = row.before.length === 0 ? '' : ` after ${row.before.map(describeStep).join('; ')}`;
  return `${row.nodes}: ${describeStep(row.statement)}${session}${login === '' ? '' : ` as ${login}`}`;
}
