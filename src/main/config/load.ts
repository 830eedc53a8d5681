/** Reads pgpool.conf into settings. */
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Settings } from '../../shared/settings.js';
import { parameterNames } from '../../shared/parameters/table.js';
import { buildSettings } from './build.js';
import { ConfigError } from './errors.js';
import { readAssignments } from './include.js';
import { applyOldModes } from './old-modes.js';
import { type Entry, parseAssignments, type ParsedFile } from './parse.js';
import { validateSettings } from './validate.js';

export interface LoadedConfig {
  readonly settings: Settings;
  /** One line each, with file, line and key. */
  readonly warnings: readonly string[];
  /** Keys set to something other than the default that pgloom does not act on yet; `key = word` when it is only that word. */
  readonly notActedOn: readonly string[];
}

function notActedOn(entry: Entry): string | null {
  const { key, parameter, value } = entry;
  if (isDeepStrictEqual(value, parameter.default)) return null;
  if (parameter.actedOn !== true) return key;
  if (parameter.type === 'enum' && parameter.notYet?.includes(String(value)) === true) return `${key} = ${String(value)}`;
  return null;
}

/** In the order of the table, nodes by number. */
function listNotActedOn(parsed: ParsedFile): string[] {
  const order = new Map(parameterNames.map((name, at) => [name, at]));
  const entries = [
    ...[...parsed.scalars].map(([name, entry]) => ({ name, index: -1, entry })),
    ...[...parsed.indexed.values()].map((entry) => ({ name: entry.name, index: entry.index, entry })),
  ];
  return entries
    .toSorted((a, b) => (order.get(a.name) ?? 0) - (order.get(b.name) ?? 0) || a.index - b.index)
    .flatMap(({ entry }) => notActedOn(entry) ?? []);
}

/**
 * Reads a configuration file and all that it includes. Throws ConfigError with every fault found, never only the
 * first; faults that concern several parameters are looked for when the single ones are right.
 */
export function loadConfig(file: string): LoadedConfig {
  const configFile = path.resolve(file);
  const { assignments, issues } = readAssignments(configFile);
  const parsed = parseAssignments(assignments);
  applyOldModes(parsed);
  const settings = buildSettings(parsed, configFile);
  const faults = [...issues, ...parsed.issues];
  if (faults.length === 0) {
    const locate = (key: string): { file: string; line: number } => {
      const { file: from, line } = parsed.scalars.get(key) ?? parsed.indexed.get(key) ?? { file: configFile, line: 0 };
      return { file: from, line };
    };
    faults.push(...validateSettings(settings, locate));
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return { settings, warnings: parsed.warnings, notActedOn: listNotActedOn(parsed) };
}
