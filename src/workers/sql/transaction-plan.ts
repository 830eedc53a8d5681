/** BEGIN, COMMIT, ROLLBACK and their relatives. */
import { makePlan } from './make-plan.js';
import { isNode, type SyntaxNode } from './parse.js';
import { StatementKind, type Plan } from './plan.js';

/** The plan of a TransactionStmt. */
export function transactionPlan(node: SyntaxNode): Plan {
  switch (node['kind']) {
    case 'TRANS_STMT_BEGIN':
    case 'TRANS_STMT_START':
      return beginPlan(node);
    case 'TRANS_STMT_COMMIT':
      return makePlan(StatementKind.commit, { chain: node['chain'] === true });
    case 'TRANS_STMT_ROLLBACK':
      return makePlan(StatementKind.rollback, { chain: node['chain'] === true });
    case 'TRANS_STMT_SAVEPOINT':
    case 'TRANS_STMT_RELEASE':
    case 'TRANS_STMT_ROLLBACK_TO':
      return makePlan(StatementKind.savepoint);
    default:
      // PREPARE TRANSACTION, COMMIT PREPARED, ROLLBACK PREPARED: the primary's, and ReadyForQuery tells the state.
      return makePlan(StatementKind.write, { writes: null });
  }
}

function beginPlan(node: SyntaxNode): Plan {
  let readOnly = '';
  let uncommitted = '';
  let beginIsolated = false;
  let begunAnywhere = true;
  const options = Array.isArray(node['options']) ? (node['options'] as unknown[]) : [];
  for (const option of options) {
    if (!isNode(option) || !isNode(option['DefElem'])) continue;
    const { defname, arg } = option['DefElem'];
    if (defname === 'transaction_read_only') {
      readOnly = integerOf(arg) === 1 ? ' READ ONLY' : '';
      if (readOnly === '') begunAnywhere = false;
    }
    if (defname === 'transaction_isolation') {
      const level = textOf(arg);
      // The same to PostgreSQL as READ COMMITTED, but for SHOW.
      if (level === 'read uncommitted') uncommitted = ' ISOLATION LEVEL READ UNCOMMITTED';
      else if (level !== 'read committed') beginIsolated = true;
    }
    if (defname === 'transaction_deferrable') beginIsolated ||= integerOf(arg) === 1;
  }
  return makePlan(StatementKind.begin, { beginAs: `BEGIN${uncommitted}${readOnly}`, beginIsolated, begunAnywhere: begunAnywhere && !beginIsolated });
}

/** The value of an integer constant; zero is left out of the tree's JSON. */
function integerOf(arg: unknown): number | null {
  if (!isNode(arg) || !isNode(arg['A_Const']) || !isNode(arg['A_Const']['ival'])) return null;
  const { ival } = arg['A_Const']['ival'];
  return typeof ival === 'number' ? ival : 0;
}

/** The value of a string constant, in lower case. */
export function textOf(arg: unknown): string | null {
  if (!isNode(arg) || !isNode(arg['A_Const']) || !isNode(arg['A_Const']['sval'])) return null;
  const { sval } = arg['A_Const']['sval'];
  return typeof sval === 'string' ? sval.toLowerCase() : '';
}
