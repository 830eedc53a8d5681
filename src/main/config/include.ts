/** Reads pgpool.conf and what it includes. */
import path from 'node:path';
import type { ConfigIssue, Place } from './errors.js';
import { type Assignment, lex } from './lexer.js';
import { PlainFileError, readPlainFile } from '../plain-file.js';

export interface PlacedAssignment extends Assignment, Place {}

const deepestInclude = 10;
const reasons: Readonly<Record<string, string>> = { ENOENT: 'no such file', EACCES: 'permission denied' };

function reasonOf(error: unknown): string {
  if (error instanceof PlainFileError) return error.message;
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason';
  return reasons[code] ?? code;
}

interface Reading {
  readonly assignments: PlacedAssignment[];
  readonly issues: ConfigIssue[];
}

/** `above` are the files being read, outermost first; `from` is the include that asks for this one. */
function readInto(reading: Reading, file: string, above: readonly string[], from: Place): void {
  const key = above.length === 0 ? '' : 'include';
  if (above.includes(file)) {
    reading.issues.push({ ...from, key, message: `"${file}" includes itself` });
    return;
  }
  if (above.length > deepestInclude) {
    reading.issues.push({ ...from, key, message: `"${file}": files may include files ${deepestInclude} levels deep` });
    return;
  }
  let text: string;
  try {
    text = readPlainFile(file).toString('utf8');
  } catch (error) {
    reading.issues.push({ ...from, key, message: `could not open configuration file "${file}": ${reasonOf(error)}` });
    return;
  }
  const { assignments, issues } = lex(text);
  reading.issues.push(...issues.map((issue) => ({ file, ...issue })));
  for (const assignment of assignments) {
    if (assignment.key === 'include') {
      readInto(reading, path.resolve(path.dirname(file), assignment.value), [...above, file], { file, line: assignment.line });
    } else {
      reading.assignments.push({ file, ...assignment });
    }
  }
}

/** All assignments in the order in which they hold: an included file stands where its include stands. */
export function readAssignments(file: string): Reading {
  const reading: Reading = { assignments: [], issues: [] };
  readInto(reading, file, [], { file, line: 0 });
  return reading;
}
