/**
 * As what a statement counts in SHOW POOL_BACKEND_STATS. Pgpool-II knows the four kinds of DML, a list of "others", and takes
 * everything else for DDL: COPY, CALL and DO too.
 */
import { CountedKind } from '../../shared/memory/statement-counts.js';

const dml: Readonly<Record<string, CountedKind>> = {
  SelectStmt: CountedKind.select, InsertStmt: CountedKind.insert, UpdateStmt: CountedKind.update, DeleteStmt: CountedKind.delete,
};
const others = new Set([
  'CheckPointStmt', 'DeallocateStmt', 'DiscardStmt', 'ExecuteStmt', 'ExplainStmt', 'ListenStmt', 'LoadStmt', 'LockStmt', 'NotifyStmt',
  'PrepareStmt', 'TransactionStmt', 'UnlistenStmt', 'VacuumStmt', 'VariableSetStmt', 'VariableShowStmt',
]);

/** @param type of the statement's node in PostgreSQL's parse tree */
export function countedAs(type: string): CountedKind {
  return dml[type] ?? (others.has(type) ? CountedKind.other : CountedKind.ddl);
}

/** First words that tell the kind. Null: the words behind it tell, or pgloom itself may be meant. */
const words: ReadonlyMap<string, CountedKind | null> = new Map<string, CountedKind | null>([
  ...['select', 'values', 'table'].map((word) => [word, CountedKind.select] as const),
  ['insert', CountedKind.insert], ['update', CountedKind.update], ['delete', CountedKind.delete],
  ...['checkpoint', 'deallocate', 'discard', 'execute', 'explain', 'listen', 'load', 'lock', 'notify', 'prepare', 'begin', 'start', 'commit',
    'end', 'rollback', 'abort', 'savepoint', 'release', 'unlisten', 'vacuum', 'analyze', 'analyse', 'reset'].map((word) => [word, CountedKind.other] as const),
  // SET CONSTRAINTS is no SET.
  ...['with', 'show', 'pgpool', 'set'].map((word) => [word, null] as const),
  ...['create', 'alter', 'drop', 'truncate', 'grant', 'revoke', 'copy', 'comment', 'do', 'call', 'merge', 'declare', 'fetch', 'move', 'close',
    'cluster', 'reindex', 'refresh', 'import', 'security', 'reassign'].map((word) => [word, CountedKind.ddl] as const),
]);

const longestWord = 12;

/** The kind of the text data[at, to) by its first word; null when the text has to be read: a comment, `with`, what nobody knows. */
export function countedByFirstWord(data: Buffer, at: number, to: number): CountedKind | null {
  let end = at;
  while (end < to && end - at <= longestWord && isWordCharacter(data[end] as number)) end++;
  return words.get(data.latin1Slice(at, end).toLowerCase()) ?? null;
}

/** Letters, digits, `_`, `$` and everything beyond ASCII: what a word of SQL may go on with. */
export function isWordCharacter(code: number): boolean {
  const lower = code | 0x20;
  return (lower >= 0x61 && lower <= 0x7a) || (code >= 0x30 && code <= 0x39) || code === 0x5f || code === 0x24 || code >= 0x80;
}
