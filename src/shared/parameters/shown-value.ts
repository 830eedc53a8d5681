/** The parameters in force as PGPOOL SHOW prints them. */
import type { Backend, Settings } from '../settings.js';
import { formatValue } from './format.js';
import type { Group, IndexGroup, Parameter, Value } from './kinds.js';
import { flagText } from './pool-status.js';
import { indexedParameters, scalarParameters } from './table.js';

export interface ShownParameter {
  readonly name: string;
  readonly value: string;
  readonly description: string;
}

const groups = ['backend', 'watchdog', 'heartbeat', 'health_check'] as const satisfies readonly IndexGroup[];

/** A number with a unit, on or off, a word; stars for what is masked. */
function shown(parameter: Parameter, value: Value): string {
  if (parameter.masked === true || parameter.secret === true) return '*****';
  if (parameter.type === 'bool') return value === true ? 'on' : 'off';
  return formatValue(parameter, value);
}

/** As in Pgpool-II, rows of a group have no units. */
function plain(parameter: Parameter, value: Value): string {
  return typeof value === 'number' ? String(value) : shown(parameter, value);
}

/** What the parameters of a group are for one index; in the order of the table. */
const valuesOf: { readonly [G in IndexGroup]: (settings: Settings) => readonly (readonly [index: number, values: Readonly<Record<string, Value>>])[] } = {
  backend: ({ backends }) => backends.map((backend) => [backend.id, {
    backend_hostname: backend.hostname, backend_port: backend.port, backend_weight: backend.weight, backend_data_directory: backend.data_directory,
    backend_flag: flagText(backend), backend_application_name: backend.application_name,
  }]),
  health_check: ({ backends }) => backends.map(({ id, health_check: check }) => [id, healthCheckValues(check)]),
  watchdog: ({ watchdogNodes }) => watchdogNodes.map(({ id, hostname, wd_port, pgpool_port }) => [id, { hostname, wd_port, pgpool_port }]),
  heartbeat: ({ heartbeatNodes }) => heartbeatNodes.map(({ id, hostname, port, device }) => [id, { heartbeat_hostname: hostname, heartbeat_port: port, heartbeat_device: device }]),
};

function healthCheckValues({ connect_timeout, ...others }: Backend['health_check']): Readonly<Record<string, Value>> {
  return { ...Object.fromEntries(Object.entries(others).map(([name, value]) => [`health_check_${name}`, value])), connect_timeout };
}

function ofGroup(settings: Settings, group: IndexGroup, only?: string): ShownParameter[] {
  const parameters: Group = indexedParameters[group];
  return valuesOf[group](settings).flatMap(([index, values]) => Object.entries(parameters)
    .filter(([name]) => only === undefined || name === only)
    .map(([name, parameter]) => ({ name: `${name}${index}`, value: plain(parameter, values[name] ?? parameter.default), description: parameter.meaning })));
}

function scalar(settings: Settings, name: keyof typeof scalarParameters): ShownParameter {
  const parameter: Parameter = scalarParameters[name];
  return { name, value: shown(parameter, settings[name]), description: parameter.meaning };
}

/**
 * What PGPOOL SHOW name shows: one parameter, or the rows of a group or of an indexed name without an index.
 * @returns null for a name that nobody knows
 */
export function shownParameters(settings: Settings, name: string): ShownParameter | readonly ShownParameter[] | null {
  if (name === 'all') return everything(settings);
  const group = groups.find((candidate) => candidate === name);
  if (group !== undefined) return ofGroup(settings, group);
  for (const candidate of groups) {
    const members: Group = indexedParameters[candidate];
    if (Object.hasOwn(members, name)) return [...withoutIndex(settings, name), ...ofGroup(settings, candidate, name)];
    const one = ofGroup(settings, candidate).find((parameter) => parameter.name === name);
    if (one !== undefined) return one;
  }
  return Object.hasOwn(scalarParameters, name) ? scalar(settings, name as keyof typeof scalarParameters) : null;
}

/** health_check_* and connect_timeout: what holds for nodes that have none of their own. */
function withoutIndex(settings: Settings, name: string): ShownParameter[] {
  if (!Object.hasOwn(scalarParameters, name)) return [];
  const key = name as keyof typeof scalarParameters;
  const parameter: Parameter = scalarParameters[key];
  return [{ name, value: plain(parameter, settings[key]), description: parameter.meaning }];
}

/** The groups first, then the others by name. */
function everything(settings: Settings): ShownParameter[] {
  const names = (Object.keys(scalarParameters) as (keyof typeof scalarParameters)[]).toSorted();
  return [...groups.flatMap((group) => ofGroup(settings, group)), ...names.map((name) => scalar(settings, name))];
}
