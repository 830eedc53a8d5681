/** SET and RESET: what outlives the transaction is kept as a `setting`, to be said again on a node that joins later. */
import { makePlan } from './make-plan.js';
import { isNode, type SyntaxNode } from './parse.js';
import { StatementKind, type Plan } from './plan.js';
import { textOf } from './transaction-plan.js';

/** Parameters of the running transaction: PostgreSQL forgets them at its end. */
const ofTransaction = new Set(['transaction_read_only', 'transaction_isolation', 'transaction_deferrable']);

/**
 * The plan of a VariableSetStmt.
 *
 * @param text the whole text, which holds nothing else
 */
export function settingPlan(node: SyntaxNode, text: string): Plan {
  const kind = node['kind'];
  if (kind === 'VAR_RESET_ALL') return makePlan(StatementKind.set, { setting: { key: '*', text } });
  const name = typeof node['name'] === 'string' ? node['name'].toLowerCase() : '';
  // SET x FROM CURRENT makes a transaction's own value the session's: said elsewhere it would mean something else.
  if (kind === 'VAR_SET_CURRENT' || name === '') return makePlan(StatementKind.write, { opaque: true });
  const temporary = name === 'search_path' && createsTemporary(node);
  if (node['is_local'] === true || ofTransaction.has(name)) return makePlan(StatementKind.write, { transactionLocal: true, opaque: temporary });
  if (kind === 'VAR_SET_MULTI') {
    if (name !== 'session characteristics') return makePlan(StatementKind.write, { transactionLocal: true });
    return makePlan(StatementKind.set, { setting: { key: `${name} ${optionNames(node)}`, text } });
  }
  // SET TRANSACTION SNAPSHOT: VAR_SET_MULTI too, but of a kind of its own in the tree of some versions.
  if (name === 'transaction snapshot') return makePlan(StatementKind.write, { transactionLocal: true });
  const opaque = temporary || (name === 'standard_conforming_strings' && !keepsStringsConforming(kind, node));
  return makePlan(StatementKind.set, { setting: { key: name, text }, opaque });
}

/** Two SESSION CHARACTERISTICS about different things must not replace each other: the key names what each sets. */
function optionNames(node: SyntaxNode): string {
  const names: string[] = [];
  for (const option of Array.isArray(node['args']) ? (node['args'] as unknown[]) : []) {
    if (isNode(option) && isNode(option['DefElem'])) names.push(String(option['DefElem']['defname']));
  }
  return names.sort().join(',');
}

/** Does this search_path make what CREATE TABLE makes temporary, without the word? */
function createsTemporary(node: SyntaxNode): boolean {
  const schemas = (Array.isArray(node['args']) ? (node['args'] as unknown[]) : []).map((arg) => textOf(arg) ?? '');
  // '$user' is passed over when there is no such schema.
  return schemas.find((schema) => schema !== '$user')?.startsWith('pg_temp') === true;
}

/**
 * With standard_conforming_strings off a text means something else than what was parsed here: nothing read after
 * that is trusted.
 */
function keepsStringsConforming(kind: unknown, node: SyntaxNode): boolean {
  if (kind !== 'VAR_SET_VALUE' || !Array.isArray(node['args']) || node['args'].length !== 1) return false;
  const value = textOf(node['args'][0]);
  return value === 'on' || value === 'true' || value === 'yes';
}
