/** The question to the catalog about relations and functions, and how to read its answer. */
import type { NameInPlan } from './plan.js';

/** What is known of all relations, or all functions, of one name. */
export interface NameFacts {
  /** A relation of pg_catalog, or a sequence. */
  readonly catalog: boolean;
  /**
   * Whether temporary relations of any session have the name: all that have it, or some beside a permanent one. Another
   * session's temporary relation of the name does not matter to a session, but its own comes first.
   */
  readonly temporary: 'none' | 'some' | 'all';
  /** An unlogged relation, or one with an unlogged partition or child: a standby cannot read it. */
  readonly unlogged: boolean;
  readonly volatile: boolean;
  /** A volatile function that is not PostgreSQL's own: it may do anything, to the session too. */
  readonly opaque: boolean;
  /** Queries that run when the relation is read: a view's definition, the conditions of its row security policies. */
  readonly definitions: readonly string[] | null;
}

export interface Question {
  readonly relations: readonly NameInPlan[];
  readonly functions: readonly NameInPlan[];
}

/** More definitions than this are not looked at; a multitude of schemas with one view each would bring them. */
const maxDefinitions = 64;

/**
 * One query for all names together. Every name, function and operator is qualified: the query runs with the search
 * path of a client, and what it finds is believed for all clients of the database. So the answer is about all relations
 * of a name, whichever the search path finds. Only the text of a definition depends on who asks: the server leaves out
 * schemas that are in the search path, and a bare name there means all relations of that name again, which is safe for everybody.
 */
export function factsQuery({ relations, functions }: Question): string {
  const parts: string[] = [];
  if (relations.length > 0) parts.push(relationsQuery(relations), definitionsQuery(relations));
  if (functions.length > 0) parts.push(functionsQuery(functions));
  return parts.join(' UNION ALL ');
}

const equals = 'OPERATOR(pg_catalog.=)';
const differs = 'OPERATOR(pg_catalog.<>)';

/** The relations that the names can mean, as q (the name), c (pg_class) and n (pg_namespace). */
function relationsFrom(names: readonly NameInPlan[], join = ''): string {
  return `FROM (VALUES ${values(names)}) AS q(i, s, n)`
    + ` JOIN pg_catalog.pg_class AS c ON c.relname ${equals} q.n`
    + ` JOIN pg_catalog.pg_namespace AS n ON n.oid ${equals} c.relnamespace`
    + `${join} WHERE c.relkind ${equals} ANY (ARRAY['r','p','f','m','v','S']::pg_catalog."char"[])`
    // A table of one's own may be called "columns" or "tables": information_schema counts only when it is named.
    + ` AND CASE WHEN q.s ${equals} '' THEN n.nspname ${differs} 'information_schema' ELSE n.nspname ${equals} q.s END`;
}

function relationsQuery(names: readonly NameInPlan[]): string {
  const descendants = `(WITH RECURSIVE t(oid) AS (SELECT c.oid UNION SELECT h.inhrelid FROM pg_catalog.pg_inherits AS h`
    + ` JOIN t ON h.inhparent ${equals} t.oid) SELECT pg_catalog.bool_or(x.relpersistence ${equals} 'u')`
    + ` FROM t JOIN pg_catalog.pg_class AS x ON x.oid ${equals} t.oid)`;
  const policies = `(SELECT pg_catalog.count(*) FROM pg_catalog.pg_policy AS y WHERE ${isPolicyOfRelation})`;
  return `SELECT 'relation', q.i::pg_catalog.text,`
    + ` pg_catalog.bool_or(n.nspname ${equals} 'pg_catalog' OR c.relkind ${equals} 'S')::pg_catalog.text,`
    + ` CASE WHEN pg_catalog.bool_and(c.relpersistence ${equals} 't') THEN 'all' WHEN pg_catalog.bool_or(c.relpersistence ${equals} 't') THEN 'some' ELSE 'none' END,`
    + ` pg_catalog.bool_or(CASE WHEN c.relhassubclass THEN ${descendants} ELSE c.relpersistence ${equals} 'u' END)::pg_catalog.text,`
    + ` pg_catalog.sum(CASE WHEN c.relkind ${equals} 'v' THEN 1 WHEN c.relrowsecurity THEN ${policies} ELSE 0 END)::pg_catalog.text`
    + ` ${relationsFrom(names)} GROUP BY q.i`;
}

const isPolicyOfRelation = `y.polrelid ${equals} c.oid AND y.polqual IS NOT NULL`
  + ` AND y.polcmd ${equals} ANY (ARRAY['r','*']::pg_catalog."char"[])`;

function definitionsQuery(names: readonly NameInPlan[]): string {
  const none = 'NULL::pg_catalog.text';
  const columns = (text: string): string => `SELECT 'definition', q.i::pg_catalog.text, ${text}, ${none}, ${none}, ${none}`;
  const policies = ` JOIN LATERAL (SELECT pg_catalog.concat('SELECT ', pg_catalog.pg_get_expr(y.polqual, y.polrelid)) AS text`
    + ` FROM pg_catalog.pg_policy AS y WHERE ${isPolicyOfRelation}) AS d ON true`;
  // The definitions of pg_catalog's own views are not wanted: they are the primary's.
  const others = `AND n.nspname ${differs} 'pg_catalog'`;
  return `(${columns('pg_catalog.pg_get_viewdef(c.oid)')} ${relationsFrom(names)} ${others} AND c.relkind ${equals} 'v'`
    + ` LIMIT ${maxDefinitions}) UNION ALL (${columns('d.text')} ${relationsFrom(names, policies)} ${others} AND c.relrowsecurity`
    + ` LIMIT ${maxDefinitions})`;
}

/**
 * Extensions whose volatile functions are known to leave the session alone. Of all others anything is expected:
 * pg_trgm's set_limit() sets a parameter.
 */
const harmlessExtensions = `ARRAY['uuid-ossp','pgcrypto']::pg_catalog.name[]`;

function functionsQuery(names: readonly NameInPlan[]): string {
  const isHarmless = `EXISTS (SELECT FROM pg_catalog.pg_depend AS d JOIN pg_catalog.pg_extension AS e ON e.oid ${equals} d.refobjid`
    + ` WHERE d.classid ${equals} 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid ${equals} p.oid`
    + ` AND d.refclassid ${equals} 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype ${equals} 'e'`
    + ` AND e.extname ${equals} ANY (${harmlessExtensions}))`;
  return `SELECT 'function', q.i::pg_catalog.text,`
    + ` pg_catalog.bool_or(p.provolatile ${equals} 'v')::pg_catalog.text,`
    + ` pg_catalog.bool_or(p.provolatile ${equals} 'v' AND n.nspname ${differs} 'pg_catalog' AND NOT ${isHarmless})::pg_catalog.text,`
    + ` NULL::pg_catalog.text, NULL::pg_catalog.text`
    + ` FROM (VALUES ${values(names)}) AS q(i, s, n)`
    + ` JOIN pg_catalog.pg_proc AS p ON p.proname ${equals} q.n`
    + ` JOIN pg_catalog.pg_namespace AS n ON n.oid ${equals} p.pronamespace`
    + ` WHERE q.s ${equals} '' OR n.nspname ${equals} q.s GROUP BY q.i`;
}

function values(names: readonly NameInPlan[]): string {
  return names
    .map(({ schema, name }, i) => `(${i}, ${quoteName(schema)}, ${quoteName(name)})`)
    .join(', ');
}

/**
 * A name as a literal that means the same whatever standard_conforming_strings and client_encoding say: an escape
 * string in ASCII. Names come from clients and may hold anything.
 */
export function quoteName(name: string): string {
  let quoted = "E'";
  for (const char of name) {
    const code = char.codePointAt(0) ?? 0;
    if (/[A-Za-z0-9_$ ]/.test(char)) quoted += char;
    else if (code < 0x10000) quoted += `\\u${code.toString(16).padStart(4, '0')}`;
    else quoted += `\\U${code.toString(16).padStart(8, '0')}`;
  }
  return `${quoted}'::pg_catalog.name`;
}

/** The answer: facts by position in the question; a name that is missing does not exist. */
export interface FactsAnswer {
  readonly relations: ReadonlyMap<number, NameFacts>;
  readonly functions: ReadonlyMap<number, NameFacts>;
}

/** Reads the rows of a `factsQuery`. */
export function readFacts(rows: readonly (readonly (string | null)[])[]): FactsAnswer {
  const definitions = new Map<number, string[]>();
  for (const [kind, index, text] of rows) {
    if (kind !== 'definition') continue;
    const list = definitions.get(Number(index)) ?? [];
    list.push(text ?? '');
    definitions.set(Number(index), list);
  }
  const relations = new Map<number, NameFacts>();
  const functions = new Map<number, NameFacts>();
  for (const [kind, index, first, second, third, count] of rows) {
    const i = Number(index);
    if (kind === 'function') {
      functions.set(i, { ...noFacts, volatile: isTrue(first), opaque: isTrue(second) });
    } else if (kind === 'relation') {
      const known = definitions.get(i) ?? [];
      const catalog = isTrue(first);
      const complete = catalog || known.length === Number(count ?? 0);
      relations.set(i, { ...noFacts, catalog, temporary: second === 'all' || second === 'some' ? second : 'none', unlogged: isTrue(third), definitions: complete ? known : null });
    }
  }
  return { relations, functions };
}

const noFacts: NameFacts = { catalog: false, temporary: 'none', unlogged: false, volatile: false, opaque: false, definitions: [] };

function isTrue(value: string | null | undefined): boolean {
  return value === 'true' || value === 't';
}
