/** Reads pgpool.conf again while clients are served. */
import { isDeepStrictEqual } from 'node:util';
import type { Parameter, Value } from '../../shared/parameters/kinds.js';
import { scalarParameters } from '../../shared/parameters/table.js';
import type { Backend, HealthCheckSettings, ScalarSettings, Settings } from '../../shared/settings.js';
import { deepFreeze } from './build.js';
import { ConfigError } from './errors.js';
import { loadConfig } from './load.js';
import { validateSettings } from './validate.js';

export interface ReloadedConfig {
  readonly settings: Settings;
  /** Keys whose new value is in `settings`. */
  readonly changed: readonly string[];
  /** Keys whose new value needs a restart; `settings` has the old one. */
  readonly needRestart: readonly string[];
  readonly warnings: readonly string[];
  /** As after loadConfig, for the whole file. */
  readonly notActedOn: readonly string[];
  /** Ids of nodes that were not there before; they begin as down. */
  readonly newBackends: readonly number[];
}

interface Merge {
  readonly changed: string[];
  readonly needRestart: string[];
}

function mergeScalars(current: Settings, next: Settings, merge: Merge): ScalarSettings {
  const values: Record<string, Value> = {};
  for (const [name, parameter] of Object.entries(scalarParameters) as [keyof ScalarSettings, Parameter][]) {
    const differs = !isDeepStrictEqual(current[name], next[name]);
    const keeps = differs && parameter.change === 'start';
    values[name] = keeps ? current[name] : next[name];
    if (differs) (keeps ? merge.needRestart : merge.changed).push(name);
  }
  // As in build.ts: keys and types come from the table.
  return values as unknown as ScalarSettings;
}

const healthCheckKey = (field: string): string => (field === 'connect_timeout' ? field : `health_check_${field}`);

/** A slot in use keeps its server: sessions and node states belong to that server. */
function mergeBackend(old: Backend, next: Backend | undefined, isDown: boolean, merge: Merge): Backend {
  const { id } = old;
  if (next === undefined) {
    merge.needRestart.push(`backend_port${id}`);
    return old;
  }
  const note = (differs: boolean, key: string, restart: boolean): void => {
    if (differs) (restart ? merge.needRestart : merge.changed).push(`${key}${id}`);
  };
  note(old.hostname !== next.hostname, 'backend_hostname', true);
  note(old.port !== next.port, 'backend_port', true);
  note(old.weight !== next.weight, 'backend_weight', false);
  note(old.data_directory !== next.data_directory, 'backend_data_directory', !isDown);
  note(old.application_name !== next.application_name, 'backend_application_name', false);
  // ALWAYS_PRIMARY can come but not go.
  const loses = old.alwaysPrimary && !next.alwaysPrimary;
  note(old.allowToFailover !== next.allowToFailover || (next.alwaysPrimary && !old.alwaysPrimary), 'backend_flag', false);
  note(loses, 'backend_flag', true);
  for (const field of Object.keys(next.health_check) as (keyof HealthCheckSettings)[]) {
    note(old.health_check[field] !== next.health_check[field], healthCheckKey(field), false);
  }
  return {
    ...next,
    hostname: old.hostname,
    port: old.port,
    data_directory: isDown ? next.data_directory : old.data_directory,
    alwaysPrimary: old.alwaysPrimary || next.alwaysPrimary,
  };
}

function mergeBackends(current: Settings, next: Settings, isDown: (node: number) => boolean, merge: Merge): { backends: Backend[]; added: number[] } {
  const known = new Set(current.backends.map(({ id }) => id));
  const kept = current.backends.map((old) => mergeBackend(old, next.backends.find(({ id }) => id === old.id), isDown(old.id), merge));
  const fresh = next.backends.filter(({ id }) => !known.has(id));
  merge.changed.push(...fresh.map(({ id }) => `backend_port${id}`));
  return { backends: [...kept, ...fresh].toSorted((a, b) => a.id - b.id), added: fresh.map(({ id }) => id) };
}

/**
 * What holds after a reload. Start-only parameters keep their value. `isDown` tells whether a node is down or
 * unused, which allows its data directory to change. Throws ConfigError when the file, or the file together with
 * what needs a restart, is wrong: then everything stays as it was.
 */
export function reloadConfig(current: Settings, file: string, isDown: (node: number) => boolean = () => false): ReloadedConfig {
  const { settings: next, warnings, notActedOn } = loadConfig(file);
  const merge: Merge = { changed: [], needRestart: [] };
  const scalars = mergeScalars(current, next, merge);
  const { backends, added } = mergeBackends(current, next, isDown, merge);
  for (const name of ['watchdogNodes', 'heartbeatNodes'] as const) {
    if (!isDeepStrictEqual(current[name], next[name])) merge.changed.push(name);
  }
  const settings: Settings = deepFreeze({ ...next, ...scalars, backends, pgpoolNodeId: current.pgpoolNodeId });
  const faults = validateSettings(settings, () => ({ file: next.configFile, line: 0 }));
  if (faults.length > 0) throw new ConfigError(faults);
  return { settings, changed: merge.changed, needRestart: merge.needRestart, warnings, notActedOn, newBackends: added };
}
