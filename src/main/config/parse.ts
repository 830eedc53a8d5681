/** From assignments to typed values, with old spellings translated. What is said twice holds as said last. */
import type { IndexGroup, Parameter, Value } from '../../shared/parameters/kinds.js';
import { findParameter, parameterNames } from '../../shared/parameters/table.js';
import { type ConfigIssue, issueText, type Place } from './errors.js';
import type { PlacedAssignment } from './include.js';
import { oldModeKeys, renamed, whyIgnored } from './old-names.js';
import { parseValue, ValueError } from '../../shared/parameters/parse-value.js';

/** A value of the file and where it stands. */
export interface Entry extends Place {
  readonly key: string;
  readonly parameter: Parameter;
  readonly value: Value;
}

/** A member of an indexed group, such as backend_port of node 3. */
export interface IndexedEntry extends Entry {
  readonly name: string;
  readonly group: IndexGroup;
  readonly index: number;
}

export interface ParsedFile {
  readonly scalars: Map<string, Entry>;
  /** By key as it is called today, without leading zeros in the index. */
  readonly indexed: Map<string, IndexedEntry>;
  /** master_slave_mode and master_slave_sub_mode, unparsed. */
  readonly oldModes: Map<string, PlacedAssignment>;
  readonly issues: ConfigIssue[];
  readonly warnings: string[];
}

/** Number of insertions, deletions and replacements that turn one name into the other. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

function suggestion(key: string): string {
  const name = key.slice(0, 80).toLowerCase();
  const near = parameterNames.map((known) => ({ known, far: distance(name, known) })).sort((a, b) => a.far - b.far)[0];
  return near !== undefined && near.far <= 2 ? `; did you mean "${near.known}"?` : '';
}

/** `assignment` with its key as it is called today; null when there is nothing to set. */
function translate(parsed: ParsedFile, assignment: PlacedAssignment): PlacedAssignment | null {
  const { key } = assignment;
  const warn = (message: string): void => void parsed.warnings.push(issueText({ ...assignment, message }));
  if (oldModeKeys.includes(key)) {
    parsed.oldModes.set(key, assignment);
    return null;
  }
  const today = Object.hasOwn(renamed, key) ? renamed[key] : undefined;
  if (today !== undefined) {
    warn(`this is the old name of ${today}`);
    // An empty logdir never meant the empty name.
    return key === 'logdir' && assignment.value === '' ? null : { ...assignment, key: today };
  }
  const why = whyIgnored(key);
  if (why !== null) warn(`ignored, it does nothing any more: ${why}`);
  return why === null ? assignment : null;
}

function store(parsed: ParsedFile, { file, line, key, value: text, afterSecret }: PlacedAssignment): void {
  const fault = (message: string): void => void parsed.issues.push({ file, line, key: afterSecret || key, message });
  const target = findParameter(key);
  if (afterSecret !== '' && (target === null || typeof target === 'string')) return fault('something follows the value; put the value in single quotes');
  if (target === null) return fault(`unrecognized configuration parameter "${key}"${suggestion(key)}`);
  if (typeof target === 'string') return fault(target);
  const { name, parameter, index } = target;
  try {
    const value = parseValue(key, text, parameter);
    if (index === undefined) parsed.scalars.set(name, { file, line, key, parameter, value });
    else parsed.indexed.set(`${name}${index.number}`, { file, line, key, parameter, value, name, group: index.group, index: index.number });
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    fault(afterSecret === '' ? error.message : 'something follows the value; put the value in single quotes');
  }
}

/** Collects faults and warnings instead of stopping at the first. */
export function parseAssignments(assignments: readonly PlacedAssignment[]): ParsedFile {
  const parsed: ParsedFile = { scalars: new Map(), indexed: new Map(), oldModes: new Map(), issues: [], warnings: [] };
  for (const assignment of assignments) {
    const current = translate(parsed, assignment);
    if (current !== null) store(parsed, current);
  }
  return parsed;
}
