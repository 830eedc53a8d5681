/** Where the pid file of the pgpool is that a command is meant for. */
import path from 'node:path';
import { scalarParameters } from '../../shared/parameters/table.js';
import { readAssignments } from '../config/include.js';
import { parseAssignments } from '../config/parse.js';

/**
 * pid_file_name as pgpool.conf has it. Other faults of the file do not matter: a pgpool must be stoppable although
 * somebody has broken the file in the meantime.
 */
export function pidFileName(configFile: string): { readonly file: string; readonly warning: string | null } {
  const { assignments, issues } = readAssignments(configFile);
  const [value] = assignments.length === 0 ? [] : [parseAssignments(assignments).scalars.get('pid_file_name')?.value];
  const name = typeof value === 'string' && value !== '' ? value : scalarParameters.pid_file_name.default;
  const unreadable = assignments.length === 0 ? issues.find(({ line, file }) => line === 0 && file === configFile) : undefined;
  return { file: path.resolve(path.dirname(configFile), name), warning: unreadable === undefined ? null : `${unreadable.message}; the default pid file is looked for` };
}
