/** Whether a statement calls functions of pgpool_adm in a way that pgloom can answer, and what is then made of it. */
import { isPcpFunctionName, pcpFunction } from '../../shared/pcp-functions.js';
import { callSpan } from './call-span.js';
import { stringOf } from './contents.js';
import { makePlan } from './make-plan.js';
import type { PcpCommand, PcpSite } from './own-command.js';
import { isNode, type ParsedStatement } from './parse.js';
import { type FoundCall, pcpCallsIn } from './pcp-calls.js';
import { pcpText } from './pcp-text.js';
import { StatementKind, type Plan } from './plan.js';

/** Statements that run when they are said: not CREATE VIEW, PREPARE and the like, which would keep what is put in. */
const runsNow = new Set(['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt', 'CreateTableAsStmt', 'CopyStmt', 'ExplainStmt', 'DeclareCursorStmt']);
/** Statements of a transaction around them, in one string. */
const harmless = new Set(['TransactionStmt', 'VariableSetStmt', 'VariableShowStmt']);

/** Clauses of a SELECT of which an order's result cannot depend: with any other it might have to be carried out often, or never. */
const plainClauses = new Set(['targetList', 'fromClause', 'limitOption', 'op']);

/** Finding the end of a call may take as long as the text is. */
const maxCalls = 50;

const constantsOnly = 'pgloom takes only constants as arguments of';

export function callsPcpFunction(plan: Plan): boolean {
  return plan.functions.some(({ schema, name }) => schema === '' && isPcpFunctionName(name));
}

/**
 * The plan of such a statement; `otherwise` itself where there is nothing that pgloom can do.
 * @param otherwise its plan as the server's
 * @param classify plans a text
 */
export function pcpPlan(text: string, statements: readonly ParsedStatement[], otherwise: Plan, classify: (text: string) => Plan): Plan {
  if (!statements.every(({ type }) => runsNow.has(type) || harmless.has(type))) return otherwise;
  const found = statements.flatMap(({ node }) => pcpCallsIn(node)).toSorted((one, other) => one.location - other.location);
  if (found.length === 0 || found.length > maxCalls) return otherwise;
  const bytes = Buffer.from(text, 'utf8').toString('latin1');
  const sites: PcpSite[] = [];
  for (const call of found) {
    const to = endOf(bytes, call);
    if (to < 0) return otherwise;
    sites.push({ name: call.name, from: call.location, to, place: call.place, call: call.call ?? { name: call.name, isNull: true, node: 0, gracefully: false, login: null } });
  }
  const made = classify(Buffer.from(pcpText(bytes, sites, null), 'latin1').toString('utf8'));
  // What cannot be read any more may be anything.
  const isReadable = made.own === null && made.ddl === otherwise.ddl;
  const refusal = refusalOf(statements, found) ?? (isReadable ? null : 'pgloom cannot answer the functions of pgpool_adm here');
  const rest = refusal === null ? { ...made } : makePlan(StatementKind.read, { counts: otherwise.counts });
  const own: PcpCommand = {
    type: 'pcp', text: bytes, sites, hasLogins: found.some(({ withLogin }) => withLogin), acts: found.some(({ name }) => pcpFunction(name).acts), refusal, rest, otherwise,
  };
  // One object for all uses: a verdict that is asked for is remembered for it.
  Object.assign(rest, { own });
  return makePlan(StatementKind.own, { ...otherwise, own });
}

function endOf(bytes: string, { name, location }: FoundCall): number {
  const isQuoted = bytes[location] === '"';
  const written = bytes.slice(location, location + name.length + (isQuoted ? 2 : 0));
  if (written.toLowerCase() !== (isQuoted ? `"${name}"` : name)) return -1;
  return callSpan(bytes, location + written.length)?.end ?? -1;
}

function refusalOf(statements: readonly ParsedStatement[], found: readonly FoundCall[]): string | null {
  const variable = found.find(({ call }) => call === null);
  if (variable !== undefined) return `${constantsOnly} ${variable.name}`;
  const misplaced = found.find(({ isMisplaced }) => isMisplaced);
  if (misplaced !== undefined) return `pgloom answers ${misplaced.name} ${pcpFunction(misplaced.name).gives === 'value' ? 'only as a plain function call' : 'only in FROM, without ROWS FROM and WITH ORDINALITY'}`;
  const order = found.find(({ name }) => pcpFunction(name).acts);
  if (order !== undefined && !isPlainOrder(statements)) return `pgloom carries out ${order.name} only as the whole of a SELECT: without WHERE, JOIN, other statements and the like`;
  return null;
}

/**
 * `SELECT order(…), …` or `SELECT * FROM order(…)`: it is carried out exactly once, and there is nothing else in it that the server
 * might refuse afterwards.
 */
function isPlainOrder(statements: readonly ParsedStatement[]): boolean {
  const [statement, ...others] = statements;
  if (statement === undefined || others.length > 0 || statement.type !== 'SelectStmt') return false;
  const { node } = statement;
  if (Object.keys(node).some((clause) => !plainClauses.has(clause)) || node['op'] !== 'SETOP_NONE' || node['limitOption'] !== 'LIMIT_OPTION_DEFAULT') return false;
  const from = listOf(node['fromClause']);
  const targets = listOf(node['targetList']).map((target) => (isNode(target) && isNode(target['ResTarget']) ? target['ResTarget']['val'] : null));
  if (from.length === 0) return targets.every(isOrderOrConstant);
  return from.length === 1 && isNode(from[0]) && isNode(from[0]['RangeFunction']) && targets.every(isStarOrResult);
}

/** A call of these functions, a constant, or a parameter, maybe cast. */
function isOrderOrConstant(expression: unknown): boolean {
  if (!isNode(expression)) return false;
  const { A_Const: constant, ParamRef: parameter, FuncCall: call, TypeCast: cast } = expression;
  if (isNode(cast)) return isNode(cast['arg']) && isNode(cast['arg']['ParamRef']);
  return isNode(constant) || isNode(parameter) || (isNode(call) && pcpCallsIn(expression).length > 0 && isPcpFunctionName(stringOf(listOf(call['funcname'])[0])));
}

/** `*`, or the column that an order gives. */
function isStarOrResult(expression: unknown): boolean {
  const column: unknown = isNode(expression) ? expression['ColumnRef'] : null;
  const last: unknown = isNode(column) ? listOf(column['fields']).at(-1) : null;
  return isNode(last) && (isNode(last['A_Star']) || ['node_attached', 'node_detached'].includes(stringOf(last)));
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}
