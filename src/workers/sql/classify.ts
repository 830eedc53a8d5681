/**
 * Statement text → Plan, safe first: what is not provably a read is a write. The classes are those of
 * reference/semantics.md section 1.2.
 */
import { contentsOf, isOfPrimary, settingsOfPrimary, type StatementContents } from './contents.js';
import { countsNothing } from '../../shared/memory/statement-counts.js';
import { countedAs } from './counted-as.js';
import { pgpoolCommand, reportNamed } from './own-command.js';
import { makePlan, unreadablePlan } from './make-plan.js';
import { isNode, parseStatements, type ParsedStatement, type SyntaxNode } from './parse.js';
import { StatementKind, type NameInPlan, type Plan } from './plan.js';
import { callsPcpFunction, pcpPlan } from './pcp-plan.js';
import { settingPlan } from './setting-plan.js';
import { transactionPlan } from './transaction-plan.js';

/** Statements that leave relations, functions and views as they are. Whatever is not here may change them. */
const keepsFacts = new Set([
  'SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt', 'CopyStmt', 'ExplainStmt', 'TruncateStmt',
  'DeclareCursorStmt', 'FetchStmt', 'ClosePortalStmt', 'PrepareStmt', 'ExecuteStmt', 'DeallocateStmt', 'ListenStmt',
  'UnlistenStmt', 'NotifyStmt', 'LockStmt', 'VacuumStmt', 'CheckPointStmt', 'ConstraintsSetStmt', 'ReindexStmt',
  'ClusterStmt', 'RefreshMatViewStmt', 'GrantStmt', 'GrantRoleStmt', 'CommentStmt', 'TransactionStmt',
  'VariableSetStmt', 'VariableShowStmt', 'DiscardStmt', 'LoadStmt', 'AlterSystemStmt',
]);

/** Statements whose target, when it is temporary, concerns no other session. */
const createsTarget = new Set(['CreateStmt', 'CreateTableAsStmt', 'ViewStmt', 'CreateSeqStmt', 'SelectStmt']);

/** Statements that change rows of the relations they name as targets, or of none. What they call is judged apart. */
const namesWhatItWrites = new Set([
  'SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt', 'TruncateStmt', 'CopyStmt', 'ExplainStmt', 'DeclareCursorStmt',
  'FetchStmt', 'ClosePortalStmt', 'PrepareStmt', 'ListenStmt', 'UnlistenStmt', 'NotifyStmt', 'LockStmt', 'VacuumStmt', 'CheckPointStmt',
  'ConstraintsSetStmt', 'DeallocateStmt', 'TransactionStmt', 'VariableSetStmt', 'VariableShowStmt', 'DiscardStmt',
]);

/** Statements that may do anything to the session. */
const doesAnything = new Set(['DoStmt', 'CallStmt', 'LoadStmt']);

/**
 * The plan of a whole query string. The parser must have been loaded.
 *
 * @param text the query string as Unicode text
 */
export function classify(text: string): Plan {
  const statements = parseStatements(text);
  if (statements === null) {
    const own = pgpoolCommand(text);
    return own === null ? unreadablePlan() : makePlan(StatementKind.own, { own, counts: countsNothing });
  }
  const first = statements[0];
  if (first === undefined) return makePlan(StatementKind.empty, { statements: 0, counts: countsNothing });
  const plan = statements.length === 1 || isReport(first) ? statementPlan(first, text) : severalPlan(statements, text);
  const made = makePlan(plan.kind, { ...plan, counts: plan.own === null ? countedAs(first.type) : countsNothing });
  return callsPcpFunction(made) ? pcpPlan(text, statements, made, classify) : made;
}

/** SHOW POOL_…: as the first statement of a string it is all of it, as in Pgpool-II. */
function isReport({ type, node }: ParsedStatement): boolean {
  return type === 'VariableShowStmt' && reportNamed(String(node['name'])) !== null;
}

/**
 * Several statements in one string go to the primary together. What one of them does to the session is not followed,
 * but for RESET ALL outside of transaction commands: drivers' pools (asyncpg's) say it in one string with others.
 */
function severalPlan(statements: readonly ParsedStatement[], text: string): Plan {
  let opaque = false;
  let ddl = false;
  let resetsAll = false;
  let isTransaction = false;
  const functions: NameInPlan[] = [];
  let writes: NameInPlan[] | null = [];
  let deallocates: string | null = null;
  for (const statement of statements) {
    const plan = statementPlan(statement, text);
    if (plan.kind === StatementKind.set && plan.setting?.key === '*') resetsAll = true;
    else if (plan.opaque || plan.kind === StatementKind.set || plan.kind === StatementKind.discard) opaque = true;
    if (statement.type === 'TransactionStmt') isTransaction = true;
    if (statement.type === 'DeallocateStmt') {
      deallocates = plan.deallocates;
      opaque = true;
    }
    if (plan.ddl) ddl = true;
    functions.push(...plan.functions);
    writes = writes === null || plan.writes === null ? null : [...writes, ...plan.writes];
  }
  if (resetsAll && isTransaction) opaque = true;
  const setting = resetsAll && !opaque ? { key: '*', text: 'RESET ALL' } : null;
  return makePlan(StatementKind.write, { statements: statements.length, opaque, ddl, functions, writes, setting, deallocates, transactionLocal: isTransaction });
}

function statementPlan({ type, node }: ParsedStatement, text: string): Plan {
  switch (type) {
    case 'TransactionStmt':
      return transactionPlan(node);
    case 'VariableSetStmt':
      return settingPlan(node, text);
    case 'VariableShowStmt':
      return showPlan(node);
    case 'DeallocateStmt':
      return makePlan(StatementKind.write, { deallocates: typeof node['name'] === 'string' ? node['name'] : '' });
    case 'ExecuteStmt': {
      const plan = queryPlan(type, node);
      return makePlan(plan.kind, { ...plan, executes: typeof node['name'] === 'string' ? node['name'] : null });
    }
    case 'PrepareStmt': {
      const plan = queryPlan(type, node);
      return makePlan(plan.kind, { ...plan, prepares: preparedBy(node, text) });
    }
    case 'DiscardStmt':
      return makePlan(StatementKind.discard, { discardAll: node['target'] === 'DISCARD_ALL' });
    default:
      return queryPlan(type, node);
  }
}

function preparedBy(node: SyntaxNode, text: string): Plan['prepares'] {
  const { name, query } = node;
  if (typeof name !== 'string' || !isNode(query)) return null;
  const [type] = Object.keys(query);
  const inner = type === undefined ? null : query[type];
  return type === undefined || !isNode(inner) ? null : { name, plan: statementPlan({ type, node: inner }, text) };
}

function showPlan(node: SyntaxNode): Plan {
  const name = String(node['name']).toLowerCase();
  const own = reportNamed(name);
  if (own !== null) return makePlan(StatementKind.own, { own });
  return makePlan(StatementKind.read, { relations: isOfPrimary(name) ? [settingsOfPrimary] : [] });
}

function queryPlan(type: string, node: SyntaxNode): Plan {
  const isCopyOut = type === 'CopyStmt' && isCopyToStdout(node);
  const contents = isCopyOut ? copyContents(node) : contentsOf(type, node);
  const { functions } = contents;
  const countsAsSelect = type === 'SelectStmt';
  if (!contents.writes && !contents.hiddenState) {
    const transactionLocal = functions.some(({ name }) => name === 'set_config');
    return makePlan(StatementKind.read, { relations: contents.relations, functions, countsAsSelect, transactionLocal });
  }
  const anything = doesAnything.has(type);
  const changesFacts = !keepsFacts.has(type) || contents.into;
  // A temporary relation concerns its own session only, and that session's reads stay on the primary anyway.
  const temporary = changesFacts && (contents.temporary || namesTemporarySchema(node));
  return makePlan(StatementKind.write, {
    functions,
    writes: namesWhatItWrites.has(type) && !contents.into ? contents.targets : null,
    // A view whose UPDATE is a SET.
    opaque: anything || temporary || contents.hiddenState || contents.targets.some(({ name: target }) => target === 'pg_settings'),
    ddl: anything || (changesFacts && !(contents.temporary && createsTarget.has(type))),
    countsAsSelect,
  });
}

/**
 * COPY … TO STDOUT; TO a file or PROGRAM writes on the server. (TO '' looks the same in the tree, and fails on any
 * server.)
 */
function isCopyToStdout(node: SyntaxNode): boolean {
  return node['is_from'] !== true && node['is_program'] !== true && node['filename'] === undefined;
}

/** COPY itself being harmless, what its relation or inner query holds. */
function copyContents(node: SyntaxNode): StatementContents {
  return contentsOf('SelectStmt', node);
}

/**
 * Whether a DDL statement names pg_temp or pg_temp_N as a schema: CREATE TABLE pg_temp.x makes a temporary table
 * without the word. Any name in the tree counts; too many is only slower.
 */
function namesTemporarySchema(root: SyntaxNode): boolean {
  const nodes: unknown[] = [root];
  while (nodes.length > 0) {
    const node = nodes.pop();
    if (typeof node === 'string') {
      if (node.startsWith('pg_temp')) return true;
    } else if (Array.isArray(node)) {
      for (const item of node as unknown[]) nodes.push(item);
    } else if (isNode(node)) {
      for (const field in node) nodes.push(node[field]);
    }
  }
  return false;
}
