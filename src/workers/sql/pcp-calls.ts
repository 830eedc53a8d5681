/** The calls of pgpool_adm's functions in a parse tree: where they stand, and their arguments as far as they are constants. */
import { isPcpFunctionName, loginParameters, pcpFunction, type PcpCall, type PcpFunctionName, type PcpParameter } from '../../shared/pcp-functions.js';
import { stringOf } from './contents.js';
import { isNode, type SyntaxNode } from './parse.js';

/** A call as it stands in its statement. */
export interface FoundCall {
  readonly name: PcpFunctionName;
  /** Byte offset of its name in the text's UTF-8. */
  readonly location: number;
  /** In FROM, with or without an alias of its own, or anywhere else. */
  readonly place: 'from' | 'aliased' | 'expression';
  /** It has arguments for the connection. */
  readonly withLogin: boolean;
  /** What is asked for; null when an argument is not a constant of its type. */
  readonly call: PcpCall | null;
  /** It stands where pgloom cannot put a result: ROWS FROM, WITH ORDINALITY, (f()).column, OVER, … */
  readonly isMisplaced: boolean;
}

type Constant = string | number | boolean | null;

/** Clauses of a call that make something else of it. */
const clauses = ['agg_order', 'agg_filter', 'over', 'agg_within_group', 'agg_distinct', 'func_variadic', 'agg_star'];

/** Without the form that names a foreign server, and whatever else is the server's. No recursion: the nesting is the client's choice. */
export function pcpCallsIn(root: SyntaxNode): FoundCall[] {
  const found: FoundCall[] = [];
  const places = new Map<unknown, { place: FoundCall['place']; isMisplaced: boolean }>();
  const nodes: unknown[] = [root];
  while (nodes.length > 0) {
    const node = nodes.pop();
    if (Array.isArray(node)) for (const item of node as unknown[]) nodes.push(item);
    if (!isNode(node)) continue;
    if (isNode(node['RangeFunction'])) notePlace(node['RangeFunction'], places);
    if (isNode(node['A_Indirection']) && isNode(node['A_Indirection']['arg'])) places.set(node['A_Indirection']['arg']['FuncCall'], { place: 'expression', isMisplaced: true });
    if (isNode(node['FuncCall'])) {
      const call = foundCall(node['FuncCall'], places.get(node['FuncCall']));
      if (call !== null) found.push(call);
    }
    for (const field in node) nodes.push(node[field]);
  }
  return found.toSorted((one, other) => one.location - other.location);
}

function notePlace(range: SyntaxNode, places: Map<unknown, { place: FoundCall['place']; isMisplaced: boolean }>): void {
  const isMisplaced = range['is_rowsfrom'] === true || range['ordinality'] === true || range['coldeflist'] !== undefined;
  const place = range['alias'] === undefined ? 'from' : 'aliased';
  for (const entry of Array.isArray(range['functions']) ? (range['functions'] as unknown[]) : []) {
    const items: unknown = isNode(entry) && isNode(entry['List']) ? entry['List']['items'] : null;
    const first: unknown = Array.isArray(items) ? items[0] : null;
    if (isNode(first)) places.set(first['FuncCall'], { place, isMisplaced });
  }
}

function foundCall(node: SyntaxNode, where: { place: FoundCall['place']; isMisplaced: boolean } | undefined): FoundCall | null {
  const names = Array.isArray(node['funcname']) ? (node['funcname'] as unknown[]) : [];
  const name = stringOf(names[0]);
  if (names.length !== 1 || !isPcpFunctionName(name)) return null;
  const args = Array.isArray(node['args']) ? (node['args'] as unknown[]) : [];
  const { own, gives } = pcpFunction(name);
  const withLogin = args.length === own.length + loginParameters.length;
  if (!withLogin && args.length !== own.length) return null;
  const place = where?.place ?? 'expression';
  const isMisplaced = where?.isMisplaced === true || clauses.some((clause) => node[clause] !== undefined) || (place === 'expression' && gives === 'rows');
  return { name, location: Number(node['location'] ?? 0), place, isMisplaced, withLogin, call: callOf(name, args, withLogin ? [...own, ...loginParameters] : own) };
}

function callOf(name: PcpFunctionName, args: readonly unknown[], parameters: readonly PcpParameter[]): PcpCall | null {
  const values = new Map<string, Constant>();
  for (const [at, arg] of args.entries()) {
    const named = isNode(arg) && isNode(arg['NamedArgExpr']) ? arg['NamedArgExpr'] : null;
    const parameter = named === null ? parameters[at] : parameters.find((one) => one.name === named['name']);
    const constant = constantOf(named === null ? arg : named['arg']);
    const value = parameter === undefined || constant === undefined ? undefined : converted(constant, parameter.type);
    if (parameter === undefined || value === undefined || values.has(parameter.name)) return null;
    values.set(parameter.name, value);
  }
  const login = parameters.length < loginParameters.length ? null : {
    host: String(values.get('host')), port: Number(values.get('port')), user: String(values.get('username')), password: String(values.get('password')),
  };
  return { name, isNull: [...values.values()].includes(null), node: Number(values.get('node_id') ?? 0), gracefully: values.get('gracefully') === true, login };
}

/** The value of a constant or of a cast of one; undefined for anything else. */
function constantOf(expression: unknown): Constant | undefined {
  let node = expression;
  while (isNode(node) && isNode(node['TypeCast'])) node = node['TypeCast']['arg'];
  if (!isNode(node) || !isNode(node['A_Const'])) return undefined;
  const { isnull, ival, fval, boolval, sval } = node['A_Const'];
  // Zero, false and the empty string are left out of the tree.
  if (isnull === true) return null;
  if (isNode(ival)) return Number(ival['ival'] ?? 0);
  if (isNode(fval)) return Number(fval['fval'] ?? 0);
  if (isNode(boolval)) return boolval['boolval'] === true;
  return isNode(sval) && (sval['sval'] === undefined || typeof sval['sval'] === 'string') ? (sval['sval'] ?? '') : undefined;
}

const booleans: ReadonlyMap<string, boolean> = new Map([...['t', 'true', 'y', 'yes', 'on', '1'].map((text) => [text, true] as const), ...['f', 'false', 'n', 'no', 'off', '0'].map((text) => [text, false] as const)]);

function converted(value: Constant, type: PcpParameter['type']): Constant | undefined {
  if (value === null) return null;
  if (type === 'text') return typeof value === 'string' ? value : undefined;
  if (type === 'bool') return typeof value === 'string' ? booleans.get(value.trim().toLowerCase()) : (typeof value === 'boolean' ? value : undefined);
  const number = typeof value === 'string' && /^\s*[+-]?\d+\s*$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isInteger(number) && Math.abs(number) < 2 ** 31 ? number : undefined;
}
