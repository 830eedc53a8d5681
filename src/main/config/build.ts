/** From parsed values to the settings: defaults filled in, nodes put together, file names made absolute. */
import path from 'node:path';
import { readFileSync } from 'node:fs';
import type { IndexGroup, Parameter, Value } from '../../shared/parameters/kinds.js';
import { compilePattern } from '../../shared/parameters/posix-regex.js';
import { indexedParameters, scalarParameters } from '../../shared/parameters/table.js';
import type { Backend, HealthCheckSettings, HeartbeatNode, ScalarSettings, Settings, WatchdogNode } from '../../shared/settings.js';
import { issueText } from './errors.js';
import type { ParsedFile } from './parse.js';

/** Freezes an object and everything in it. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value)) deepFreeze(member);
  }
  return value;
}

/** Patterns that do not compile are left out with a warning, so that whoever uses the list can rely on it. */
function soundPatterns(parsed: ParsedFile, name: string, patterns: readonly string[]): readonly string[] {
  return patterns.filter((pattern) => {
    try {
      compilePattern(pattern);
      return true;
    } catch (error) {
      const message = `pattern "${pattern}" is left out: ${error instanceof Error ? error.message : String(error)}`;
      const place = parsed.scalars.get(name);
      parsed.warnings.push(issueText({ file: place?.file ?? '', line: place?.line ?? 0, key: name, message }));
      return false;
    }
  });
}

function scalarSettings(parsed: ParsedFile, directory: string): ScalarSettings {
  const values: Record<string, Value> = {};
  for (const [name, parameter] of Object.entries(scalarParameters) as [string, Parameter][]) {
    const value = parsed.scalars.get(name)?.value ?? parameter.default;
    if (parameter.type === 'string' && parameter.path === true && value !== '') values[name] = path.resolve(directory, String(value));
    else if (parameter.type === 'regex list') values[name] = soundPatterns(parsed, name, value as readonly string[]);
    else values[name] = value;
  }
  // The table gives both the keys and the types of ScalarSettings, and every key of the table was just set.
  return values as unknown as ScalarSettings;
}

/** Indices of a group that have `name`, ascending. */
function indicesOf(parsed: ParsedFile, name: string): number[] {
  return [...parsed.indexed.values()].filter((entry) => entry.name === name).map(({ index }) => index).sort((a, b) => a - b);
}

function indexedValue(parsed: ParsedFile, group: Exclude<IndexGroup, 'health_check'>, name: string, index: number): Value {
  const table = indexedParameters[group] as Readonly<Record<string, Parameter>>;
  return parsed.indexed.get(`${name}${index}`)?.value ?? table[name]?.default ?? '';
}

function healthCheckOf(parsed: ParsedFile, scalars: ScalarSettings, node: number): HealthCheckSettings {
  const value = <Name extends keyof typeof indexedParameters.health_check>(name: Name): ScalarSettings[Name] =>
    (parsed.indexed.get(`${name}${node}`)?.value ?? scalars[name]) as ScalarSettings[Name];
  return {
    period: value('health_check_period'),
    timeout: value('health_check_timeout'),
    user: value('health_check_user'),
    password: value('health_check_password'),
    database: value('health_check_database'),
    max_retries: value('health_check_max_retries'),
    retry_delay: value('health_check_retry_delay'),
    connect_timeout: value('connect_timeout'),
  };
}

/** backend_flagN: words joined by '|'. An empty flag is the default. */
function flagsOf(parsed: ParsedFile, node: number): { allowToFailover: boolean; alwaysPrimary: boolean } {
  const key = `backend_flag${node}`;
  const { file = '', line = 0 } = parsed.indexed.get(key) ?? {};
  const words = String(indexedValue(parsed, 'backend', 'backend_flag', node)).split('|').map((word) => word.trim()).filter((word) => word !== '');
  const known = ['ALLOW_TO_FAILOVER', 'DISALLOW_TO_FAILOVER', 'ALWAYS_PRIMARY', 'ALWAYS_MASTER'];
  for (const word of words.filter((word) => !known.includes(word))) {
    parsed.issues.push({ file, line, key, message: `unknown flag "${word}" (available: ${known.slice(0, 3).join(', ')})` });
  }
  if (words.includes('ALWAYS_MASTER')) parsed.warnings.push(issueText({ file, line, key, message: 'ALWAYS_MASTER is the old name of ALWAYS_PRIMARY' }));
  if (words.includes('ALLOW_TO_FAILOVER') && words.includes('DISALLOW_TO_FAILOVER')) {
    parsed.issues.push({ file, line, key, message: 'ALLOW_TO_FAILOVER and DISALLOW_TO_FAILOVER exclude each other' });
  }
  return { allowToFailover: !words.includes('DISALLOW_TO_FAILOVER'), alwaysPrimary: words.includes('ALWAYS_PRIMARY') || words.includes('ALWAYS_MASTER') };
}

function backendsOf(parsed: ParsedFile, scalars: ScalarSettings): Backend[] {
  const used = indicesOf(parsed, 'backend_port').filter((id) => indexedValue(parsed, 'backend', 'backend_port', id) !== 0);
  for (const entry of parsed.indexed.values()) {
    if (entry.name === 'backend_hostname' && entry.value !== '' && !used.includes(entry.index)) {
      parsed.warnings.push(issueText({ ...entry, message: `node ${entry.index} is not used, it has no backend_port${entry.index}` }));
    }
  }
  return used.map((id) => {
    const text = (name: string): string => String(indexedValue(parsed, 'backend', name, id));
    const hostname = text('backend_hostname');
    const place = parsed.indexed.get(`backend_port${id}`);
    if (hostname === '' && place !== undefined) parsed.warnings.push(issueText({ ...place, key: `backend_hostname${id}`, message: 'it is not set; the socket directory /tmp is used' }));
    return {
      id,
      hostname: hostname === '' ? '/tmp' : hostname,
      port: Number(text('backend_port')),
      weight: Number(text('backend_weight')),
      data_directory: text('backend_data_directory'),
      ...flagsOf(parsed, id),
      application_name: text('backend_application_name'),
      health_check: healthCheckOf(parsed, scalars, id),
    };
  });
}

function watchdogNodesOf(parsed: ParsedFile): WatchdogNode[] {
  const value = (name: string, id: number): string => String(indexedValue(parsed, 'watchdog', name, id));
  return indicesOf(parsed, 'wd_port').filter((id) => value('wd_port', id) !== '0')
    .map((id) => ({ id, hostname: value('hostname', id), wd_port: Number(value('wd_port', id)), pgpool_port: Number(value('pgpool_port', id)) }));
}

function heartbeatNodesOf(parsed: ParsedFile): HeartbeatNode[] {
  const value = (name: string, id: number): string => String(indexedValue(parsed, 'heartbeat', name, id));
  return indicesOf(parsed, 'heartbeat_port').filter((id) => value('heartbeat_port', id) !== '0')
    .map((id) => ({ id, hostname: value('heartbeat_hostname', id), port: Number(value('heartbeat_port', id)), device: value('heartbeat_device', id) }));
}

/** The number in pgpool_node_id beside pgpool.conf; -1 (and a fault) when it is not there or not a number. */
function nodeIdOf(parsed: ParsedFile, directory: string): number {
  const file = path.join(directory, 'pgpool_node_id');
  let message = 'with use_watchdog = on this file must hold the number of this host';
  try {
    const found = /^\s*(\d{1,3})\s*$/.exec(readFileSync(file, 'utf8'))?.[1];
    if (found !== undefined && Number(found) <= 127) return Number(found);
    message += ', 0 to 127, and nothing else';
  } catch {
    message += ', but it cannot be read';
  }
  parsed.issues.push({ file, line: 0, key: 'use_watchdog', message });
  return -1;
}

/** Notes faults and warnings in `parsed`; the settings hold only when there is no fault. */
export function buildSettings(parsed: ParsedFile, configFile: string): Settings {
  const configDirectory = path.dirname(configFile);
  const scalars = scalarSettings(parsed, configDirectory);
  return deepFreeze({
    ...scalars,
    backends: backendsOf(parsed, scalars),
    watchdogNodes: watchdogNodesOf(parsed),
    heartbeatNodes: heartbeatNodesOf(parsed),
    pgpoolNodeId: scalars.use_watchdog ? nodeIdOf(parsed, configDirectory) : -1,
    configFile,
    configDirectory,
  });
}
