/**
 * Before Pgpool-II 4.2 the clustering mode was said by master_slave_mode, master_slave_sub_mode and
 * replication_mode. They are read as what they meant, unless backend_clustering_mode is there too.
 */
import { scalarParameters } from '../../shared/parameters/table.js';
import { issueText } from './errors.js';
import type { PlacedAssignment } from './include.js';
import type { Entry, ParsedFile } from './parse.js';
import { parseValue, ValueError } from '../../shared/parameters/parse-value.js';

const subModes: Readonly<Record<string, string>> = { stream: 'streaming_replication', logical: 'logical_replication' };

/** True, false, or null when the key is absent or wrong (then the fault is noted). */
function switchOf(parsed: ParsedFile, assignment: PlacedAssignment | undefined): boolean | null {
  if (assignment === undefined) return null;
  try {
    return parseValue(assignment.key, assignment.value, scalarParameters.replication_mode) === true;
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    parsed.issues.push({ file: assignment.file, line: assignment.line, key: assignment.key, message: error.message });
    return null;
  }
}

function decide(parsed: ParsedFile, at: { file: string; line: number; key: string }, mode: string): void {
  const entry: Entry = { ...at, key: 'backend_clustering_mode', parameter: scalarParameters.backend_clustering_mode, value: mode };
  parsed.scalars.set('backend_clustering_mode', entry);
  parsed.warnings.push(issueText({ ...at, message: `old way of saying backend_clustering_mode = ${mode}` }));
}

/** Sets backend_clustering_mode from the old keys. */
export function applyOldModes(parsed: ParsedFile): void {
  const master = parsed.oldModes.get('master_slave_mode');
  const sub = parsed.oldModes.get('master_slave_sub_mode');
  const replication = parsed.scalars.get('replication_mode');
  const masterOn = switchOf(parsed, master);
  if (parsed.scalars.has('backend_clustering_mode')) {
    for (const old of [master, sub]) {
      if (old !== undefined) parsed.warnings.push(issueText({ ...old, message: 'ignored, because backend_clustering_mode is set' }));
    }
    return;
  }
  if (replication?.value === true) {
    decide(parsed, replication, 'native_replication');
  } else if (master !== undefined && masterOn === true) {
    const word = (sub?.value ?? 'stream').toLowerCase();
    const mode = Object.hasOwn(subModes, word) ? subModes[word] : undefined;
    const { file, line, key } = sub ?? master;
    if (mode === undefined) parsed.issues.push({ file, line, key, message: `sub mode "${word}" has no equivalent (stream and logical have)` });
    else decide(parsed, { file, line, key }, mode);
  } else if (master !== undefined && masterOn === false) {
    const { file, line, key } = master;
    decide(parsed, { file, line, key }, 'raw');
  } else if (sub !== undefined) {
    parsed.warnings.push(issueText({ ...sub, message: 'ignored, because master_slave_mode is not on' }));
  }
}
