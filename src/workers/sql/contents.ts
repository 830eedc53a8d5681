/** What occurs anywhere inside a statement, at any depth: relations, functions, and whatever makes it more than a read. */
import type { NameInPlan } from './plan.js';
import { isNode, type SyntaxNode } from './parse.js';

export interface StatementContents {
  readonly relations: readonly NameInPlan[];
  readonly functions: readonly NameInPlan[];
  /** Targets of INSERT, UPDATE, DELETE, MERGE, TRUNCATE and COPY … FROM. */
  readonly targets: readonly NameInPlan[];
  /** A statement other than SELECT, a locking clause or SELECT INTO stands somewhere in it. */
  readonly writes: boolean;
  /** Something creates a temporary relation. */
  readonly temporary: boolean;
  /** SELECT INTO or CREATE TABLE AS stands somewhere in it. */
  readonly into: boolean;
  /** A function is called that may change the session's state behind the proxy's back. */
  readonly hiddenState: boolean;
}

/** Parameters that a client asks for to find a server that it can write to (libpq's target_session_attrs, JDBC). */
const namesOfPrimary = new Set(['transaction_read_only', 'in_hot_standby']);
/** What a statement reads that asks for one of them. */
export const settingsOfPrimary: NameInPlan = { schema: 'pg_catalog', name: 'pg_settings' };

/** A session that can write is not to be told by a standby that it cannot. */
export function isOfPrimary(parameter: string): boolean {
  return namesOfPrimary.has(parameter.toLowerCase());
}

/** Statements whose `relation` (or `relations`) get, lose or change rows. COPY … TO is judged a write only when it writes a file. */
const changesRows = new Set(['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt', 'TruncateStmt', 'CopyStmt']);

/** The names of the common table expressions that can be seen at a place, innermost first. */
interface CteScope {
  readonly name: string;
  readonly outer: CteScope | null;
}

/** Built-in functions that run SQL given as text: what they do cannot be seen. (ts_rewrite and ts_stat take a query.) */
const runsSqlText = new Set(['query_to_xml', 'query_to_xmlschema', 'query_to_xml_and_xmlschema', 'ts_stat', 'ts_rewrite']);

/**
 * Walks a statement. No recursion: the nesting is the client's choice, the stack is ours.
 *
 * @param type the statement's own node type; it does not count as a write inside itself
 */
export function contentsOf(type: string, root: SyntaxNode): StatementContents {
  return new Walk(type, root).run();
}

class Walk {
  private readonly nodes: unknown[] = [];
  private readonly scopes: (CteScope | null)[] = [];
  private readonly relations = new Map<string, NameInPlan>();
  private readonly functions = new Map<string, NameInPlan>();
  private readonly targets = new Map<string, NameInPlan>();
  private writes: boolean;
  private locks = false;
  private temporary = false;
  private into = false;
  private hiddenState = false;

  constructor(type: string, root: SyntaxNode) {
    this.writes = isWritingType(type);
    this.addTargets(type, root);
    this.push(root, null);
  }

  run(): StatementContents {
    while (this.nodes.length > 0) {
      const node = this.nodes.pop();
      const scope = this.scopes.pop() ?? null;
      if (Array.isArray(node)) for (const item of node as unknown[]) this.push(item, scope);
      else if (isNode(node)) this.visit(node, scope);
    }
    return {
      relations: [...this.relations.values()],
      functions: [...this.functions.values()],
      // A locking read is a write in Pgpool-II's eyes; which of its relations are locked does not matter much.
      targets: [...(this.locks ? this.relations : this.targets).values()],
      writes: this.writes,
      temporary: this.temporary,
      into: this.into,
      hiddenState: this.hiddenState,
    };
  }

  private push(node: unknown, scope: CteScope | null): void {
    if (typeof node !== 'object' || node === null) return;
    this.nodes.push(node);
    this.scopes.push(scope);
  }

  private visit(node: SyntaxNode, scope: CteScope | null): void {
    // A RangeVar stands bare in some places (COPY's relation) and wrapped in others: known by its fields.
    if (typeof node['relname'] === 'string' && node['relpersistence'] !== undefined) this.addRelation(node, scope);
    // CREATE FUNCTION has a funcname as well, but only a call has a format.
    if (Array.isArray(node['funcname']) && node['funcformat'] !== undefined) this.addFunction(node, node['funcname'] as unknown[]);
    if (node['lockingClause'] !== undefined) this.writes = this.locks = true;
    if (node['intoClause'] !== undefined || node['into'] !== undefined) {
      this.writes = true;
      this.into = true;
    }
    const inner = isNode(node['withClause']) ? this.enterWith(node['withClause'], scope) : scope;
    for (const field in node) {
      if (field === 'withClause' && inner !== scope) continue;
      if (isWritingType(field)) {
        this.writes = true;
        this.addTargets(field, node[field]);
      }
      this.push(node[field], inner);
    }
  }

  /** Queues the queries of a WITH clause, each with the names it can see; returns what the main query can see. */
  private enterWith(clause: SyntaxNode, outer: CteScope | null): CteScope | null {
    const ctes: SyntaxNode[] = [];
    for (const item of Array.isArray(clause['ctes']) ? (clause['ctes'] as unknown[]) : []) {
      if (isNode(item) && isNode(item['CommonTableExpr'])) ctes.push(item['CommonTableExpr']);
    }
    let all = outer;
    for (const cte of ctes) if (typeof cte['ctename'] === 'string') all = { name: cte['ctename'], outer: all };
    let seen = outer;
    for (const cte of ctes) {
      this.push(cte, clause['recursive'] === true ? all : seen);
      if (typeof cte['ctename'] === 'string') seen = { name: cte['ctename'], outer: seen };
    }
    return all;
  }

  private addRelation(node: SyntaxNode, scope: CteScope | null): void {
    const name = String(node['relname']);
    const schema = typeof node['schemaname'] === 'string' ? node['schemaname'] : '';
    if (node['relpersistence'] === 't') this.temporary = true;
    if (schema === '') {
      for (let cte = scope; cte !== null; cte = cte.outer) if (cte.name === name) return;
    }
    this.relations.set(`${schema}\0${name}`, { schema, name });
  }

  private addTargets(type: string, statement: unknown): void {
    if (!changesRows.has(type) || !isNode(statement)) return;
    const relations: unknown[] = Array.isArray(statement['relations']) ? (statement['relations'] as unknown[]) : [statement['relation']];
    for (const item of relations) {
      const relation = isNode(item) && isNode(item['RangeVar']) ? item['RangeVar'] : item;
      if (!isNode(relation) || typeof relation['relname'] !== 'string') continue;
      const schema = typeof relation['schemaname'] === 'string' ? relation['schemaname'] : '';
      this.targets.set(`${schema}\0${relation['relname']}`, { schema, name: relation['relname'] });
    }
  }

  private addFunction(node: SyntaxNode, nameParts: unknown[]): void {
    const parts = nameParts.map(stringOf);
    const name = parts.at(-1) ?? '';
    const schema = parts.at(-2) ?? '';
    if (name === 'set_config' && !isLocalSetConfig(node)) this.hiddenState = true;
    if (runsSqlText.has(name)) this.hiddenState = true;
    if (name === 'current_setting' && isOfPrimary(literalOf(node['args']))) this.relations.set('pg_catalog\0pg_settings', settingsOfPrimary);
    // EXTRACT(… FROM …), TRIM(…) and the like: the grammar's own choice of function, never one that writes, and not
    // the same in every server version.
    if (node['funcformat'] === 'COERCE_SQL_SYNTAX') return;
    this.functions.set(`${schema}\0${name}`, { schema, name });
  }
}

/** The string constant that is the first argument, '' when it is something else. */
function literalOf(args: unknown): string {
  const first: unknown = Array.isArray(args) ? args[0] : null;
  if (!isNode(first) || !isNode(first['A_Const'])) return '';
  const { sval } = first['A_Const'];
  return isNode(sval) && typeof sval['sval'] === 'string' ? sval['sval'] : '';
}

/** Every node type that ends in Stmt is a statement; only SELECT (with VALUES and TABLE) is known to read. */
function isWritingType(type: string): boolean {
  return type.endsWith('Stmt') && type !== 'SelectStmt';
}

/** The text of a String node, '' for anything else. */
export function stringOf(value: unknown): string {
  if (!isNode(value) || !isNode(value['String'])) return '';
  const { sval } = value['String'];
  return typeof sval === 'string' ? sval : '';
}

/** set_config(name, value, true): gone with the transaction, like SET LOCAL. Only the literal TRUE counts. */
function isLocalSetConfig(node: SyntaxNode): boolean {
  const args = node['args'];
  if (!Array.isArray(args) || args.length !== 3) return false;
  const last: unknown = args[2];
  if (!isNode(last) || !isNode(last['A_Const'])) return false;
  const { boolval } = last['A_Const'];
  return isNode(boolval) && boolval['boolval'] === true;
}
