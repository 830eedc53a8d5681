/**
 * PostgreSQL's own grammar (18) as WebAssembly. It costs 20–100 µs a statement, so only a miss of the plan cache
 * comes here.
 */
import { loadGrammar, parseTree } from './grammar.js';

/** One node of the JSON syntax tree; nothing is assumed of it before it was looked at. */
export type SyntaxNode = { readonly [field: string]: unknown };

/** A statement: its node type ('SelectStmt', …) and the node itself. */
export interface ParsedStatement {
  readonly type: string;
  readonly node: SyntaxNode;
}

/** Must have resolved once in a thread before anything is parsed in it. */
export async function loadParser(): Promise<void> {
  await loadGrammar();
}

/** True for an object that is not an array. */
export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Parses a whole query string.
 *
 * @returns its statements, [] when it holds nothing but white space, comments and semicolons, and null when the
 * grammar refuses it (a newer or an extended server may still understand it).
 */
export function parseStatements(text: string): ParsedStatement[] | null {
  // A C string ends at its first NUL: the rest would go to the server unread.
  if (text.includes('\0')) return null;
  return text === '' ? [] : statementsOf(parseTree(text));
}

function statementsOf(tree: unknown): ParsedStatement[] | null {
  if (!isNode(tree)) return null;
  const { stmts } = tree;
  if (stmts === undefined) return [];
  if (!Array.isArray(stmts)) return null;
  const statements: ParsedStatement[] = [];
  for (const raw of stmts as unknown[]) {
    if (!isNode(raw) || !isNode(raw['stmt'])) return null;
    const entry = Object.entries(raw['stmt'])[0];
    if (entry === undefined || !isNode(entry[1])) return null;
    statements.push({ type: entry[0], node: entry[1] });
  }
  return statements;
}
